"""The header of a safetensors file, held to the format's rules; the tensors behind it are never read.

https://huggingface.co/docs/safetensors: eight bytes of length, JSON of that length, and the tensors without a gap.
"""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from typing import BinaryIO, NoReturn

FORMAT_HEADER_BYTES = 100_000_000
"""The library refuses longer headers."""
MAX_HEADER_BYTES = 4 << 20
"""Longer ones are not looked at: their JSON could take hundreds of megabytes. A hundred bytes are a tensor."""
MAX_DIGITS = 20
BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
    "F4": 4,
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
}
"""Bits of a number of every format."""
METADATA = "__metadata__"


class BrokenHeaderError(Exception):
    """The file breaks a rule of the format; its message says which."""


class LongHeaderError(Exception):
    """The header is longer than is looked at."""


class TensorEntry(NamedTuple):
    """One tensor of the header."""

    name: str
    dtype: str
    numbers: int
    start: int
    end: int
    shape: tuple[int, ...] = ()


def read_safetensors(file: BinaryIO, size: int) -> tuple[TensorEntry, ...]:
    """The tensors that the header lists.

    Raises:
        BrokenHeaderError: the header or the file's length breaks the format.
        LongHeaderError: the header is too long to be looked at.
    """
    file.seek(0)
    prefix = file.read(8)
    if len(prefix) < 8:
        raise BrokenHeaderError(f"expected a header, the file has {size} bytes")
    length = int.from_bytes(prefix, "little")
    if length > FORMAT_HEADER_BYTES:
        raise BrokenHeaderError(f"the header should have {length} bytes, the format allows {FORMAT_HEADER_BYTES}")
    if length > size - 8:
        raise BrokenHeaderError(f"the header should have {length} bytes, the file ends after {size - 8}")
    if length > MAX_HEADER_BYTES:
        raise LongHeaderError(f"a header of {length} bytes")
    entries = _entries(_parsed(file.read(length)))
    _contiguous(entries, size - 8 - length)
    return entries


def _parsed(header: bytes) -> list[tuple[str, object]]:
    if not header.startswith(b"{"):
        raise BrokenHeaderError("the header does not begin with '{'")
    try:
        found = json.loads(
            header.decode("utf-8"), object_pairs_hook=_Pairs, parse_int=_whole, parse_constant=_no_constant
        )
    except UnicodeDecodeError as error:
        raise BrokenHeaderError(f"the header is not UTF-8: byte {8 + error.start}") from None
    except (ValueError, RecursionError) as error:
        raise BrokenHeaderError(f"the header is not JSON: {printable(str(error), limit=120)}") from None
    if not isinstance(found, _Pairs):
        raise BrokenHeaderError("the header is no JSON object")
    return found


class _Pairs(list[tuple[str, object]]):
    """A JSON object with every key that it has, so that a second of the same name shows."""


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _entries(pairs: list[tuple[str, object]]) -> tuple[TensorEntry, ...]:
    seen: set[str] = set()
    entries = []
    for name, value in pairs:
        if name in seen:
            raise BrokenHeaderError(f"the header lists {_shown(name)} twice")
        seen.add(name)
        if name == METADATA:
            _metadata(value)
        else:
            entries.append(_entry(name, value))
    return tuple(entries)


def _shown(name: str) -> str:
    return f"'{printable(name, limit=100)}'"


def _metadata(value: object) -> None:
    if not isinstance(value, _Pairs) or not all(isinstance(text, str) for _, text in value):
        raise BrokenHeaderError(f"{METADATA} should hold texts only")
    if len({key for key, _ in value}) < len(value):
        raise BrokenHeaderError(f"{METADATA} has a key twice")


def _entry(name: str, value: object) -> TensorEntry:
    fields = dict(value) if isinstance(value, _Pairs) else {}
    dtype, shape, offsets = (fields.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(value, _Pairs) or sorted(key for key, _ in value) != ["data_offsets", "dtype", "shape"]:
        raise BrokenHeaderError(f"{_shown(name)} should have dtype, shape and data_offsets, once each")
    if not isinstance(dtype, str):
        raise BrokenHeaderError(f"{_shown(name)} should have a text as dtype")
    if dtype not in BITS:
        raise BrokenHeaderError(f"{_shown(name)} has the unknown dtype '{printable(dtype, limit=40)}'")
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        raise BrokenHeaderError(f"{_shown(name)} should have whole numbers as shape and two as data_offsets")
    numbers = _product(name, shape)
    start, end = offsets
    bits = numbers * BITS[dtype]
    if bits % 8 or end - start != bits // 8:
        shown = printable(str(shape), limit=80)
        raise BrokenHeaderError(
            f"{_shown(name)} of {dtype} {shown} takes {bits / 8:g} bytes, data_offsets say {end - start}"
        )
    return TensorEntry(name, dtype, numbers, start, end, tuple(shape))


def _counts(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 1 << 64 for one in value)


def _product(name: str, shape: list[int]) -> int:
    """The numbers of a tensor; shapes of the whole header's length are not multiplied out."""
    if len(shape) > 64:
        raise BrokenHeaderError(f"{_shown(name)} has {len(shape)} axes")
    return prod(shape)


def _contiguous(entries: tuple[TensorEntry, ...], data_bytes: int) -> None:
    """Hold the offsets to the rule that the tensors lie one behind the other and fill the file."""
    at = 0
    for entry in sorted(entries, key=lambda one: (one.start, one.end)):
        if entry.start != at:
            what = "leaves a hole" if entry.start > at else "shares bytes with another"
            raise BrokenHeaderError(f"{_shown(entry.name)} {what}: it starts at byte {entry.start}, expected {at}")
        at = entry.end
    if at > data_bytes:
        raise BrokenHeaderError(f"the file was cut off: the tensors take {at} bytes, there are {data_bytes}")
    if at < data_bytes:
        raise BrokenHeaderError(f"{data_bytes - at} bytes behind the last tensor belong to none")
