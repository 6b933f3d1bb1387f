"""Bytes read forward in chunks, from a file, a compressed part of it, or a part of another stream.

What may be skipped is never held: a gigabyte of tensors costs a seek.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

CHUNK_BYTES = 1 << 16
MAX_RATIO, FREE_BYTES = 200, 1 << 20
"""So many times their size packed data may unpack to, and so much more: beyond that they are made to take time."""
MAX_XZ_BYTES = 64 << 20
"""Memory that an xz file may ask for; 9 is the highest level that `xz` itself needs it for."""


class CutOffError(Exception):
    """The bytes end before what is read does."""


class TooMuchError(Exception):
    """A file asks for more work than any honest one; its message names the limit."""


class Budget:
    """The work that all weight files of a submission may cost together.

    Opcodes take about two seconds a million.
    """

    def __init__(self, opcodes: int = 8_000_000, inflated_bytes: int = 1 << 30) -> None:
        self.opcodes = opcodes
        self.inflated_bytes = inflated_bytes

    def spend(self, opcodes: int) -> None:
        """Pay for work that takes as long as so many opcodes.

        Raises:
            TooMuchError: there has been too much.
        """
        self.opcodes -= opcodes
        if self.opcodes < 0:
            raise TooMuchError("it takes too long to be looked through")

    def inflate(self, count: int) -> None:
        """Pay for unpacked bytes.

        Raises:
            TooMuchError: there have been too many.
        """
        self.inflated_bytes -= count
        if self.inflated_bytes < 0:
            raise TooMuchError("what it unpacks to is too large to be looked through")


class Stream:
    """Bytes read forward.

    Args:
        more: gives up to so many of the next bytes, and none at the end.
        leap: goes over so many of them unread, and says how many there were.
    """

    def __init__(self, more: Callable[[int], bytes], leap: Callable[[int], int] | None = None) -> None:
        self._more = more
        self._leap = leap
        self._buffer = b""
        self._at = 0
        self._before = 0

    @property
    def position(self) -> int:
        """How many bytes were read or skipped."""
        return self._before + self._at

    def peek(self, count: int) -> bytes:
        """The next bytes, which stay; fewer at the end."""
        if self._at + count > len(self._buffer):
            self._fill(count)
        return self._buffer[self._at : self._at + count]

    def take(self, count: int) -> bytes:
        """The next bytes, all of them in memory.

        Raises:
            CutOffError: there are fewer.
        """
        end = self._at + count
        if end > len(self._buffer):
            self._fill(count)
            end = self._at + count
            if end > len(self._buffer):
                raise CutOffError
        data = self._buffer[self._at : end]
        self._at = end
        return data

    def byte(self) -> int:
        """The next byte.

        Raises:
            CutOffError: there is none.
        """
        at = self._at
        if at == len(self._buffer):
            self._fill(1)
            at = 0
            if not self._buffer:
                raise CutOffError
        self._at = at + 1
        return self._buffer[at]

    def some(self, count: int) -> bytes:
        """Some of the next bytes, at most so many; none at the end."""
        if self._at == len(self._buffer):
            self._fill(1)
        data = self._buffer[self._at : self._at + count]
        self._at += len(data)
        return data

    def pass_over(self, count: int) -> int:
        """Go over the next bytes; fewer at the end. Gives how many."""
        passed = min(count, len(self._buffer) - self._at)
        self._at += passed
        if passed < count and self._leap is not None:
            leapt = self._leap(count - passed)
            self._before += leapt
            return passed + leapt
        while passed < count and (data := self.some(min(count - passed, CHUNK_BYTES))):
            passed += len(data)
        return passed

    def skip(self, count: int) -> None:
        """Go over the next bytes.

        Raises:
            CutOffError: there are fewer.
        """
        if self.pass_over(count) < count:
            raise CutOffError

    def line(self, most: int) -> bytes | None:
        """The bytes up to the next newline, which is passed; None where they are more than `most`.

        Raises:
            CutOffError: there is no newline.
        """
        kept: list[bytes] = []
        length = 0
        while True:
            end = self._buffer.find(b"\n", self._at)
            found = self._buffer[self._at : end if end >= 0 else len(self._buffer)]
            self._at += len(found)
            length += len(found)
            if length <= most:
                kept.append(found)
            if end >= 0:
                self._at += 1
                return b"".join(kept) if length <= most else None
            if not self.peek(1):
                raise CutOffError

    def part(self, count: int) -> Part:
        """The next bytes as a stream of their own; `Part.close` goes on behind them."""
        return Part(self, count)

    def _fill(self, count: int) -> None:
        """Hold at least so many bytes, or all that there are."""
        self._before += self._at
        pieces = [self._buffer[self._at :]]
        self._at = 0
        missing = count - len(pieces[0])
        while missing > 0 and (data := self._more(max(missing, CHUNK_BYTES))):
            pieces.append(data)
            missing -= len(data)
        self._buffer = b"".join(pieces)


class Part(Stream):
    """So many bytes of another stream, which must not be read meanwhile."""

    def __init__(self, whole: Stream, count: int) -> None:
        super().__init__(self._next, self._over)
        self._whole = whole
        self._left = count

    def close(self) -> None:
        """Go on behind the part.

        Raises:
            CutOffError: the stream ends before the part does.
        """
        self._whole.skip(self._left)

    def _next(self, count: int) -> bytes:
        data = self._whole.some(min(count, self._left))
        self._left -= len(data)
        return data

    def _over(self, count: int) -> int:
        passed = self._whole.pass_over(min(count, self._left))
        self._left -= passed
        return passed


class Extent(NamedTuple):
    """Where bytes lie in a file."""

    start: int
    length: int


def memory_stream(data: bytes) -> Stream:
    """A stream of bytes that are in memory."""
    pieces = iter((data,))
    return Stream(lambda _: next(pieces, b""))


def file_stream(file: BinaryIO, extent: Extent) -> Stream:
    """A stream of some bytes of a file; several may be read in turns."""
    at = extent.start
    end = extent.start + extent.length

    def more(count: int) -> bytes:
        nonlocal at
        file.seek(at)
        data = file.read(max(0, min(count, end - at)))
        at += len(data)
        return data

    def leap(count: int) -> int:
        nonlocal at
        passed = max(0, min(count, end - at))
        at += passed
        return passed

    return Stream(more, leap)


class Inflater(Protocol):
    """What unpacks piece by piece, and never more at once than it is told."""

    @property
    def eof(self) -> bool:
        """Whether the packed data are at their end."""

    @property
    def unused_data(self) -> bytes:
        """What lies behind it."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Unpack some more, at most so many bytes."""


class _Zlib:
    """zlib's object, whose rest has to be handed in again, in the manner of the other two."""

    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        """Whether the packed data are at their end."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """What lies behind it."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Unpack some more, at most so many bytes."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def raw_deflate() -> Inflater:
    """Unpacks a member of a ZIP."""
    return _Zlib(-zlib.MAX_WBITS)


def inflater_for(head: bytes) -> Callable[[], Inflater] | None:
    """What unpacks a compressed file, by its first bytes; None if it is not compressed, or in another way."""
    if head[:2] == b"\x1f\x8b":
        return lambda: _Zlib(zlib.MAX_WBITS | 16)
    if head[:1] == b"\x78" and head[1:2] in {b"\x01", b"\x5e", b"\x9c", b"\xda"}:
        return lambda: _Zlib(zlib.MAX_WBITS)
    if head[:3] == b"BZh":
        return bz2.BZ2Decompressor
    if head[:6] == b"\xfd7zXZ\x00":
        return lambda: lzma.LZMADecompressor(memlimit=MAX_XZ_BYTES)
    return None


def inflated_stream(packed: Stream, make: Callable[[], Inflater], budget: Budget) -> Stream:
    """A stream of what a stream unpacks to; where that breaks off, it ends."""
    inner = make()
    waiting = b""
    unpacked = 0

    def more(count: int) -> bytes:
        nonlocal inner, waiting, unpacked
        while True:
            if inner.eof:
                waiting = inner.unused_data or waiting
                if not waiting and not packed.peek(1):
                    return b""
                inner = make()
            try:
                data = inner.decompress(waiting, count)
                waiting = b""
                if not data and not inner.eof:
                    waiting = packed.some(CHUNK_BYTES)
                    if not waiting:
                        return b""
            except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError):
                return b""
            if data:
                unpacked += len(data)
                if unpacked > FREE_BYTES + MAX_RATIO * packed.position:
                    raise TooMuchError(f"it unpacks to more than {MAX_RATIO} times its size")
                budget.inflate(len(data))
                return data

    return Stream(more)
