"""Folders and files mended in place: sources and the ignore file, and nothing else."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.build import build_zip
from audio_encoder_checker.packing.mending.carry import carry_out
from audio_encoder_checker.packing.mending.changes import Added, Edited
from audio_encoder_checker.packing.mending.plan import Wishes, planned
from tests.builders import write_tree
from tests.packing.mended import ENCODER, LOADING, PINNED, contents, mend

if TYPE_CHECKING:
    from pathlib import Path


def test_the_new_ignore_file_leaves_out_nothing_that_is_there(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"encoder.py": ENCODER, "data/vocabulary.txt": "x", "a/train.log": "x"})
    build_zip(root, tmp_path / "before.zip")
    assert mend(root) == (root, [""])
    assert mend(root) == (root, [])
    lines = (root / ".aeccignore").read_text().splitlines()
    assert {"# /data/", "/runs/", "# *.log", "*.ipynb"} <= set(lines)
    build_zip(root, tmp_path / "after.zip")
    packed = contents(tmp_path / "after.zip")
    assert set(packed) == set(contents(tmp_path / "before.zip"))


@pytest.mark.parametrize("place", [".gitignore", "sub/.gitignore"])
def test_git_s_ignore_files_are_not_overruled(place: str, tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"encoder.py": ENCODER, place: "secret.txt\n", "venv/.gitignore": "*"})
    assert mend(root) == (root, [])


def test_ignore_files_in_caches_do_not_count(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"encoder.py": ENCODER, ".pytest_cache/.gitignore": "*", "e/pyvenv.cfg": "x"})
    (root / "e" / ".gitignore").write_text("*")
    assert mend(root) == (root, [""])


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        one.relative_to(root).as_posix(): (one.read_bytes(), one.stat().st_mode)
        for one in root.rglob("*")
        if one.is_file()
    }


@pytest.mark.usefixtures("hub")
def test_in_a_folder_sources_and_the_ignore_file_are_all_that_changes(tmp_path: Path) -> None:
    files = {"encoder.py": LOADING, "train.py": LOADING.replace("Team", "Other_"), ".git/HEAD": "x", "a.DS_Store": "x"}
    root = write_tree(tmp_path / "repo", {**files, "aecc.toml": 'encoder = "encoder.py"\n'})
    (root / "encoder.py").chmod(0o755)
    before = snapshot(root)
    assert mend(root) == (root, ["", "AEC601"])
    after = snapshot(root)
    assert {name for name in after if after[name] != before.get(name)} == {"encoder.py", ".aeccignore"}
    assert after["encoder.py"] == (PINNED.encode(), before["encoder.py"][1])


@pytest.mark.usefixtures("hub")
def test_a_nested_folder_keeps_its_root(tmp_path: Path) -> None:
    write_tree(tmp_path / "outer" / "repo", {"encoder.py": LOADING})
    assert mend(tmp_path / "outer") == (tmp_path / "outer", ["", "AEC601"])
    assert set(snapshot(tmp_path / "outer")) == {"repo/encoder.py", "repo/.aeccignore"}


@pytest.mark.usefixtures("hub")
def test_a_link_stays_a_link_and_its_file_is_changed_once(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"src/real.py": LOADING, "other.py": "import encoder, src.real\n" + ENCODER})
    (root / "encoder.py").symlink_to("src/real.py")
    with planned(root, Wishes(encoder="other.py")) as plan:
        assert [type(one) for mending in plan.mendings for one in mending.changes] == [Added, Edited]
        carry_out(plan)
    assert (root / "encoder.py").is_symlink()
    assert (root / "src" / "real.py").read_text() == PINNED


@pytest.mark.usefixtures("hub")
def test_of_a_file_nothing_else_changes(tmp_path: Path) -> None:
    write_tree(tmp_path, {"encoder.py": "import other\n" + LOADING, "other.py": LOADING})
    mended, ids = mend(tmp_path / "encoder.py")
    assert (mended, ids) == (tmp_path / "encoder.py", ["AEC601"])
    assert mended.read_text() == "import other\n" + PINNED
    assert (tmp_path / "other.py").read_text() == LOADING
    assert sorted(one.name for one in tmp_path.iterdir()) == ["encoder.py", "other.py"]


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("late", ["encoder.py", ".aeccignore", "second.py"])
def test_what_changed_since_the_plan_is_not_written_over(late: str, tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"encoder.py": "import second\n" + LOADING, "second.py": LOADING})
    with planned(root) as plan:
        (root / late).write_text("mine = 1\n")
        before = snapshot(root)
        with pytest.raises(UsageError, match="nothing was written") as refused:
            carry_out(plan)
    assert refused.value.hint == "run the command again"
    assert snapshot(root) == before


@pytest.mark.usefixtures("hub")
def test_a_source_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"encoder.py": LOADING, ".aeccignore": ""})
    with planned(root) as plan:
        (root / "encoder.py").unlink()
        with pytest.raises(UsageError, match="has changed"):
            carry_out(plan)
    assert set(snapshot(root)) == {".aeccignore"}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"encoder.py": ENCODER})
    with planned(root) as plan:
        shutil.rmtree(root)  # root may write wherever there is a folder
        with pytest.raises(UsageError, match="cannot write into") as refused:
            carry_out(plan)
    assert "make that folder writable" in refused.value.hint
