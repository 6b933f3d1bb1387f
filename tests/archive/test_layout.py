"""Litter and the repository's root."""

from __future__ import annotations

import pytest

from audio_encoder_checker.archive.layout import is_macos_metadata, single_top_folder


@pytest.mark.parametrize("name", ["__MACOSX/x/._a.py", ".DS_Store", "a/.DS_Store", "a/._b.py"])
def test_macos_metadata_is_known(name: str) -> None:
    assert is_macos_metadata(name)


@pytest.mark.parametrize("name", ["a.py", "lib/__MACOSX.py", "_a.py", ".a.py", ""])
def test_other_names_are_no_metadata(name: str) -> None:
    assert not is_macos_metadata(name)


@pytest.mark.parametrize(
    ("names", "top"),
    [
        (["repo/a.py"], "repo"),
        (["repo/", "repo/a.py", "__MACOSX/repo/._a.py"], "repo"),
        (["repo/a.py", "readme"], ""),
        (["repo/a.py", "lib/b.py"], ""),
        (["pkg/__init__.py", "pkg/a.py"], ""),
        (["repo/"], ""),
        ([], ""),
    ],
)
def test_only_folder_that_holds_everything_is_the_root(names: list[str], top: str) -> None:
    assert single_top_folder(names) == top
