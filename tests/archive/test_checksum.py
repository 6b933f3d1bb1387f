"""The CRC-32 by several threads, against zlib's."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.archive import checksum
from audio_encoder_checker.archive.checksum import combined, crc32_of

if TYPE_CHECKING:
    from pathlib import Path


@given(first=st.binary(max_size=300), second=st.binary(max_size=300))
def test_the_checksum_of_two_texts_is_made_of_theirs(first: bytes, second: bytes) -> None:
    assert combined(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


def test_a_length_beyond_32_bits_is_no_trouble() -> None:
    zeros = bytes(1 << 20)
    once = zlib.crc32(zeros)
    doubled, length = once, 1 << 20
    for _ in range(14):  # up to 16 GiB of zeros
        doubled, length = combined(doubled, doubled, length), 2 * length
    assert length == 1 << 34
    assert combined(combined(once, once, 1 << 20), doubled, length) == combined(
        doubled, zlib.crc32(bytes(2 << 20)), 2 << 20
    )


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize(("offset", "size"), [(0, 0), (0, 1), (5, 100_000), (17, 2), (0, 3_000_001)])
def test_a_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int, offset: int, size: int
) -> None:
    monkeypatch.setattr(checksum, "THREADS", threads)
    data = os.urandom(3_000_001)
    (tmp_path / "x").write_bytes(data)
    with (tmp_path / "x").open("rb") as file:
        assert crc32_of(file.fileno(), offset, size) == (zlib.crc32(data[offset : offset + size]), size)


def test_a_file_that_ends_early_says_how_much_there_was(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    with (tmp_path / "x").open("rb") as file:
        assert crc32_of(file.fileno(), 1, 100)[1] == 2
