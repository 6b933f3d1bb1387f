"""Windows on a file, and a file that is hashed while it is read."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.archive import hashing, window
from audio_encoder_checker.archive.window import Hashed, Window

if TYPE_CHECKING:
    from pathlib import Path

DATA = bytes(range(256)) * 40


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "x").write_bytes(DATA)
    return tmp_path / "x"


def test_a_window_is_a_file_of_its_own(file: Path) -> None:
    with io.BufferedReader(Window(file, 100, 300)) as opened:
        assert opened.read() == DATA[100:400]
        assert opened.read(1) == b""
        assert opened.seek(-10, os.SEEK_END) == 290
        assert opened.read(100) == DATA[390:400]
        assert opened.seek(5) == 5
        assert opened.seek(5, os.SEEK_CUR) == 10
        assert (opened.read(2), opened.tell()) == (DATA[110:112], 12)
        assert opened.seek(1000) == 1000
        assert opened.read() == b""


def test_a_window_beyond_the_file_ends_with_it(file: Path) -> None:
    with io.BufferedReader(Window(file, len(DATA) - 3, 100)) as opened:
        assert opened.read() == DATA[-3:]


@pytest.mark.parametrize("seed", range(20))
def test_every_byte_is_hashed_once_whatever_the_reader_does(
    file: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(window, "CHUNK_BYTES", 97)
    monkeypatch.setattr(hashing, "MOST_PENDING", 2)
    monkeypatch.setattr(hashing, "SMALL_BYTES", 50)
    chance, digest = np.random.default_rng(seed), hashlib.sha256()
    with file.open("rb") as opened, Hashed(opened, digest) as hashed:
        for _ in range(chance.integers(30)):
            at, size = (int(chance.integers(most)) for most in (len(DATA) + 50, 400))
            hashed.seek(at)
            assert hashed.read(size) == DATA[at : at + size]
    assert digest.hexdigest() == hashlib.sha256(DATA).hexdigest()


def test_after_an_error_nothing_waits(file: Path) -> None:
    digest = hashlib.sha256()
    with pytest.raises(ValueError, match="mine"), file.open("rb") as opened, Hashed(opened, digest):
        raise ValueError("mine")
