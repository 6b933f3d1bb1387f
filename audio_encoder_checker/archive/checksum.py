"""The CRC-32 of part of a file, by several threads at once."""

from __future__ import annotations

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

POLYNOMIAL = 0xEDB88320
"""That of ZIP, reflected (APPNOTE.TXT 4.4.7)."""
CHUNK_BYTES = 1 << 20
THREADS = min(4, os.cpu_count() or 1)


def crc32_of(descriptor: int, offset: int, size: int) -> tuple[int, int]:
    """Checksum of some bytes of an open file, and how many of them there are.

    Args:
        descriptor: open for reading; its position does not matter.
        offset: of the first byte.
        size: number of bytes.

    Raises:
        OSError: it cannot be read.
    """
    bounds = [offset + size * part // THREADS for part in range(THREADS + 1)]
    with ThreadPoolExecutor(THREADS) as threads:
        parts = list(threads.map(lambda ends: _part(descriptor, *ends), pairwise(bounds)))
    checksum = total = 0
    for part, length in parts:
        checksum = combined(checksum, part, length)
        total += length
    return checksum, total


def _part(descriptor: int, start: int, end: int) -> tuple[int, int]:
    buffer = memoryview(bytearray(CHUNK_BYTES))
    checksum, at = 0, start
    while at < end:
        got = os.preadv(descriptor, [buffer[: min(CHUNK_BYTES, end - at)]], at)
        if not got:
            break
        checksum = zlib.crc32(buffer[:got], checksum)
        at += got
    return checksum, at - start


def combined(first: int, second: int, length: int) -> int:
    """The checksum of two texts behind one another.

    To append `length` bytes multiplies the first's polynomial by `x ** (8 * length)`, modulo that of CRC-32 (as in
    zlib's `crc32_combine`).

    Args:
        first: checksum of the first text.
        second: of the second.
        length: of the second, in bytes.
    """
    power, bit = 1 << 31, 3
    while length:
        if length & 1:
            power = _product(_square(bit), power)
        length >>= 1
        bit += 1
    return _product(power, first) ^ second


@cache
def _square(bit: int) -> int:
    """`x ** (2 ** bit)`."""
    return 1 << 30 if bit == 0 else _product(_square(bit - 1), _square(bit - 1))


def _product(one: int, other: int) -> int:
    """Product of two polynomials; the highest bit is the coefficient of `x ** 0`."""
    result, mask = 0, 1 << 31
    while mask:
        if one & mask:
            result ^= other
        other = other >> 1 ^ POLYNOMIAL if other & 1 else other >> 1
        mask >>= 1
    return result
