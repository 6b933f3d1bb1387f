from __future__ import annotations

import os
from typing import TYPE_CHECKING

from audio_encoder_checker.sandbox.gauge import FolderGauge, MountGauge

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


def test_the_host_is_not_taken_for_the_box() -> None:
    assert MountGauge(("/tmp", "/dev/shm")).read([os.getpid()], now=True) == (0, 0)
