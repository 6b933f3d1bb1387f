"""The order in which files are looked at, and what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.archive.walking import files_below, is_environment
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_the_top_comes_first_and_links_are_named_but_not_followed(tmp_path: Path) -> None:
    root = write_tree(
        tmp_path / "repo", {"z.py": "", "a/b/c.py": "", "a/d.py": "", "env/pyvenv.cfg": "", "env/x.py": ""}
    )
    (root / "m").symlink_to(root / "a")
    assert [name for name, _ in files_below(root, is_environment)] == ["m", "z.py", "a/d.py", "a/b/c.py"]


def test_what_is_no_folder_is_empty(tmp_path: Path) -> None:
    assert list(files_below(write_tree(tmp_path, {"a.py": ""}) / "a.py", is_environment)) == []
