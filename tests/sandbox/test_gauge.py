from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from audio_encoder_checker.sandbox import gauge
from audio_encoder_checker.sandbox.gauge import DEEPEST, ENOUGH_FILES, FolderGauge, MountGauge

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_is_measured_with_everything_below_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(bytes(1_000_000))
    size, files = FolderGauge(tmp_path).read([], now=True)
    assert 1_000_000 <= size < 1_100_000
    assert files == 3


def test_a_deleted_file_that_is_still_open_counts(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.write(bytes(1_000_000))
        file.flush()
        (tmp_path / "file").unlink()
        size, files = FolderGauge(tmp_path).read([os.getpid()], now=True)
    assert size >= 1_000_000
    assert files >= 1


def deep(folder: Path, levels: int) -> Path:
    """So many folders in one another, too deep for one path; the first of them."""
    start = os.open(folder, os.O_RDONLY)
    place = start
    for _ in range(levels):
        os.mkdir("d" * 100, dir_fd=place)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=place)
        if place != start:
            os.close(place)
        place = inner
    with os.fdopen(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=place), "wb") as file:
        file.write(bytes(1_000_000))
    os.close(place)
    os.close(start)
    return folder


def test_what_lies_deeper_than_a_path_is_long_counts(tmp_path: Path) -> None:
    size, files = FolderGauge(deep(tmp_path, 100)).read([], now=True)
    assert size >= 1_000_000
    assert files == 101


def test_what_is_nested_endlessly_counts_as_too_much(tmp_path: Path) -> None:
    assert FolderGauge(deep(tmp_path, DEEPEST + 2)).read([], now=True)[1] == ENOUGH_FILES


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_is_shut_against_reading_counts(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut" / "file").write_bytes(bytes(1_000_000))
    (tmp_path / "shut").chmod(0o300)
    assert FolderGauge(tmp_path).read([], now=True)[0] >= 1_000_000


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/usr")
    assert FolderGauge(tmp_path).read([], now=True)[1] == 1


def test_a_folder_is_walked_again_only_when_it_is_due_or_asked_for(tmp_path: Path) -> None:
    gauge = FolderGauge(tmp_path)
    assert gauge.read([], now=False)[1] == 0
    (tmp_path / "file").touch()
    assert gauge.read([], now=False)[1] == 0
    assert gauge.read([], now=True)[1] == 1


def test_a_folder_that_cannot_be_read_or_is_gone_counts_nothing(tmp_path: Path) -> None:
    assert FolderGauge(tmp_path / "gone").read([999_999_999], now=True) == (0, 0)


def test_a_file_that_is_closed_meanwhile_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = gauge._listed
    monkeypatch.setattr(gauge, "_listed", lambda folder: [folder / "999999", *listed(folder)])
    with (tmp_path / "file").open("wb", buffering=0) as file:
        file.write(bytes(1_000_000))
        (tmp_path / "file").unlink()
        assert FolderGauge(tmp_path).read([os.getpid()], now=True)[0] >= 1_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells open files in this way")
def test_a_process_whose_first_thread_has_ended_hides_nothing(tmp_path: Path) -> None:
    code = f"""
import ctypes, os, platform, threading, time
file = open({str(tmp_path / "file")!r}, "wb", buffering=0)
file.write(bytes(1_000_000))
os.unlink(file.name)
threading.Thread(target=time.sleep, args=(60,)).start()
print("on", flush=True)
ctypes.CDLL(None).syscall({{"x86_64": 60, "aarch64": 93}}[platform.machine()], 0)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        size, _ = FolderGauge(tmp_path).read([process.pid], now=True)
        process.kill()
    assert size >= 1_000_000


def test_a_dead_process_does_not_hide_what_a_living_one_sees(tmp_path: Path) -> None:
    mounts = MountGauge((str(tmp_path / "box"),))
    (tmp_path / "box").mkdir()  # now, so that it is not taken for the host's
    with subprocess.Popen(["/bin/true"]) as process:
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert mounts.read([os.getpid(), process.pid], now=True) != (0, 0)
        assert mounts.read([process.pid], now=True) == (0, 0)


def test_the_host_is_not_taken_for_the_box() -> None:
    assert MountGauge(("/tmp", "/dev/shm")).read([os.getpid()], now=True) == (0, 0)
