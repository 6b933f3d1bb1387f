from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.sandbox.sweep import LOCKS, YOUNG_SECONDS, remove, sweep, workspace

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not LOCKS, reason="nothing is swept without locks")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def grown_old(folder: Path) -> Path:
    before = folder.stat().st_mtime - 2 * YOUNG_SECONDS
    os.utime(folder, (before, before))
    return folder


def test_a_workspace_is_ours_to_list_and_gone_at_the_end(temporary: Path) -> None:
    with workspace() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o711
        (folder / "x" / "y").mkdir(parents=True)
    assert list(temporary.iterdir()) == []


def test_a_workspace_of_a_living_checker_is_not_swept(temporary: Path) -> None:
    with workspace() as folder:
        assert folder.parent == temporary
        grown_old(folder)
        sweep()
        assert folder.is_dir()


def test_what_a_killed_checker_left_is_swept_at_once(temporary: Path) -> None:
    code = (
        "import os, tempfile\n"
        f"tempfile.tempdir = {str(temporary)!r}\n"
        "from audio_encoder_checker.sandbox.sweep import workspace\n"
        "with workspace() as folder:\n    (folder / 'x').mkdir(mode=0)\n    os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert len(list(temporary.iterdir())) == 1
    sweep()
    assert list(temporary.iterdir()) == []


def test_a_folder_without_a_lock_is_swept_once_it_is_old(temporary: Path) -> None:
    young = temporary / "aecc-young"
    young.mkdir()
    old = temporary / "aecc-old"
    old.mkdir()
    grown_old(old)
    sweep()
    assert [path.name for path in temporary.iterdir()] == ["aecc-young"]


def test_what_only_looks_like_ours_is_left_alone(temporary: Path) -> None:
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (temporary / "aecc-link").symlink_to(elsewhere)
    (temporary / "aecc-file").write_text("x")
    trap = temporary / "aecc-trap"
    trap.mkdir()
    (elsewhere / "lock").touch()
    (trap / "lock").symlink_to(elsewhere / "lock")
    sweep()
    assert {path.name for path in temporary.iterdir()} == {"elsewhere", "aecc-link", "aecc-file", "aecc-trap"}


def test_whatever_an_encoder_put_into_a_folder_is_removed_and_nothing_else(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    os.mkfifo(folder / "pipe")
    (folder / "shut" / "inner").mkdir(parents=True)
    (folder / "shut" / "inner" / "file").write_text("x")
    (folder / "shut" / "inner").chmod(0)
    (folder / "shut").chmod(0)
    place = os.open(folder, os.O_RDONLY)
    for _ in range(60):  # 6,000 characters: longer than a path may be
        os.mkdir("d" * 100, dir_fd=place)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    remove(folder)
    assert not folder.exists()
    assert (outside / "kept").read_text() == "x"


def test_removing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove(tmp_path / "gone")
