"""Streams of files, parts of them, and what they unpack to."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.archive.weights.streams import (
    CHUNK_BYTES,
    FREE_BYTES,
    Budget,
    CutOffError,
    Extent,
    TooMuchError,
    file_stream,
    inflated_stream,
    inflater_for,
    memory_stream,
    raw_deflate,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(3 * CHUNK_BYTES // 32)) + b"end\n"


def raw(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


@given(st.lists(st.tuples(st.sampled_from(["take", "skip", "peek", "line", "part"]), st.integers(0, 90_000))))
def test_every_way_to_go_forward_gives_the_bytes_of_the_file(steps: list[tuple[str, int]]) -> None:
    stream = file_stream(io.BytesIO(b"xx" + CONTENT + b"yy"), Extent(2, len(CONTENT)))
    at = 0
    for step, count in steps:
        left = len(CONTENT) - at
        if step == "peek":
            assert stream.peek(count) == CONTENT[at : at + count]
        elif step == "line":
            end = CONTENT.find(b"\n", at)
            assert not left or stream.line(1000) == (CONTENT[at:end] if end - at <= 1000 else None)
            at = end + 1 if left else at
        elif count > left:
            with pytest.raises(CutOffError):
                getattr(stream, "take" if step == "take" else "skip")(count)
            return
        elif step == "part":
            part = stream.part(count)
            assert part.take(count // 2) == CONTENT[at : at + count // 2]
            part.close()
            at += count
        else:
            taken = getattr(stream, step)(count)
            assert taken is None or taken == CONTENT[at : at + count]
            at += count
        assert stream.position == at


def test_a_part_ends_where_it_should_and_not_behind() -> None:
    stream = memory_stream(b"abcdef")
    part = stream.part(3)
    assert part.peek(10) == b"abc"
    part.close()
    assert stream.take(3) == b"def"
    with pytest.raises(CutOffError):
        stream.byte()


def test_a_part_that_is_longer_than_the_rest_is_cut_off() -> None:
    part = memory_stream(b"abc").part(5)
    with pytest.raises(CutOffError):
        part.take(4)
    with pytest.raises(CutOffError):
        part.close()


def test_skipping_a_file_does_not_read_it() -> None:
    class Counting(io.BytesIO):
        read_bytes = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.read_bytes += len(data)
            return data

    file = Counting(CONTENT)
    stream = file_stream(file, Extent(0, len(CONTENT)))
    stream.take(1)
    stream.skip(len(CONTENT) - 5)
    assert stream.take(4) == b"end\n"
    assert file.read_bytes < 2 * CHUNK_BYTES


@pytest.mark.parametrize(
    "pack", [gzip.compress, zlib.compress, bz2.compress, lzma.compress], ids=lambda one: one.__module__
)
def test_compressed_files_are_unpacked(pack: Callable[[bytes], bytes]) -> None:
    data = pack(CONTENT) + (pack(b"more") if pack is not zlib.compress else b"")
    make = inflater_for(data)
    assert make is not None
    stream = inflated_stream(memory_stream(data), make, Budget())
    stream.skip(len(CONTENT) - 4)
    assert stream.peek(9) == b"end\n" + (b"more" if pack is not zlib.compress else b"")


def test_a_member_of_a_zip_is_unpacked_and_ends_where_it_is_damaged() -> None:
    assert inflated_stream(memory_stream(raw(CONTENT)), raw_deflate, Budget()).take(len(CONTENT)) == CONTENT
    with pytest.raises(CutOffError):
        inflated_stream(memory_stream(raw(CONTENT)[:-9]), raw_deflate, Budget()).take(len(CONTENT))
    assert inflated_stream(memory_stream(b"\xff" * 99), raw_deflate, Budget()).peek(1) == b""


def test_a_bomb_ends_with_the_budget() -> None:
    stream = inflated_stream(memory_stream(raw(bytes(10 << 20))), raw_deflate, Budget(inflated_bytes=1 << 20))
    with pytest.raises(TooMuchError):
        stream.skip(10 << 20)


def test_what_unpacks_to_many_times_its_size_is_a_bomb() -> None:
    bomb = bz2.compress(bytes(2 * FREE_BYTES))
    stream = inflated_stream(memory_stream(bomb), bz2.BZ2Decompressor, Budget())
    stream.skip(FREE_BYTES)
    with pytest.raises(TooMuchError, match="times its size"):
        stream.skip(FREE_BYTES)
    honest = bz2.compress(CONTENT * 3)
    inflated_stream(memory_stream(honest), bz2.BZ2Decompressor, Budget()).skip(3 * len(CONTENT))


@pytest.mark.parametrize("head", [b"", b"PK\3\4", b"\x80\x02", b"x", b"xx"])
def test_other_files_are_not_compressed(head: bytes) -> None:
    assert inflater_for(head) is None
