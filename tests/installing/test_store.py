"""Environments that are kept: made once, never half, removed only when nobody uses them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.installing import store
from audio_encoder_checker.installing.store import FACTS, PART, ensure_room, kept, prune, size_of

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400


def filled(folder: Path) -> None:
    folder.mkdir()
    (folder / "data").write_bytes(b"x" * 1000)
    (folder / FACTS).write_text("{}")


def aged(folder: Path, days: float) -> None:
    then = folder.stat().st_mtime - days * DAY
    os.utime(folder, (then, then))


def test_it_is_made_once(tmp_path: Path) -> None:
    with kept(tmp_path, "k", filled) as (folder, cached):
        assert (folder / "data").exists()
        assert not cached
    with kept(tmp_path, "k", lambda _: pytest.fail("made again")) as (_, cached):
        assert cached


def test_a_half_made_one_is_never_used(tmp_path: Path) -> None:
    def breaking(folder: Path) -> None:
        folder.mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), kept(tmp_path, "k", breaking):
        pass
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    (tmp_path / f"k{PART}").mkdir()  # of a process that was killed
    (tmp_path / "k").mkdir()
    with kept(tmp_path, "k", filled) as (_, cached):
        assert not cached
    with pytest.raises(MachineError, match="no list"), kept(tmp_path, "other", lambda folder: folder.mkdir()):
        pass


def test_many_at_once_make_one(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        filled(folder)

    def use() -> None:
        with kept(tmp_path, "k", make) as (folder, _):
            assert (folder / FACTS).exists()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_the_least_recently_used_go_first_and_those_in_use_stay(tmp_path: Path) -> None:
    for key, days in (("old", 3), ("used", 2), ("new", 1)):
        with kept(tmp_path, key, filled):
            pass
        aged(tmp_path / key, days)
    with kept(tmp_path, "used", filled):
        aged(tmp_path / "used", 2)
        prune(tmp_path, most_bytes=1500)
        assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"used", "new"}
    prune(tmp_path, most_bytes=1500)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"new"}


def test_another_process_that_uses_one_keeps_it(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from audio_encoder_checker.installing.store import kept\n"
        "with kept(pathlib.Path(sys.argv[1]), 'k', None):\n"
        "    print('in', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with kept(tmp_path, "k", filled):
        pass
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "in\n"
        prune(tmp_path, most_bytes=0)
        assert (tmp_path / "k" / FACTS).exists()
        other.kill()
    prune(tmp_path, most_bytes=0)
    assert not (tmp_path / "k").exists()


def test_what_nobody_used_for_long_and_what_was_left_half_made_goes(tmp_path: Path) -> None:
    with kept(tmp_path, "k", filled):
        pass
    (tmp_path / f"other{PART}").mkdir()
    aged(tmp_path / "k", 100)
    prune(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_room_is_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_room(tmp_path, torch=False)
    monkeypatch.setattr(store, "FREE_WITH_TORCH_BYTES", 1 << 60)
    with pytest.raises(MachineError, match="GB of disk are free") as caught:
        ensure_room(tmp_path, torch=True)
    assert "AECC_CACHE_DIR" in caught.value.hint


def test_the_size_counts_no_links(tmp_path: Path) -> None:
    filled(tmp_path / "a")
    (tmp_path / "a" / "link").symlink_to("/usr")
    assert size_of(tmp_path / "a") < 1100


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AECC_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(MachineError, match="no folder"):
        store.environments_folder()
