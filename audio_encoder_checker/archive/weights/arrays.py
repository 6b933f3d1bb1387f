"""Headers of NumPy's .npy files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html."""

from __future__ import annotations

import ast
import re
import warnings
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.weights.streams import CutOffError
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from audio_encoder_checker.archive.weights.streams import Stream

MAGIC = b"\x93NUMPY"
MAX_HEADER_BYTES = 10_000
"""NumPy's own limit, for the sake of Python's parser."""
LENGTH_BYTES = {1: 2, 2: 4, 3: 4}
SIMPLE = re.compile(r"[<>|=]?([?bBiufcmMSaUVOTt])(\d{0,9})(\[[^\]]*\])?")
KINDS = {"?": "bool", "b": "int8", "B": "uint8", "S": "bytes", "a": "bytes", "U": "text", "V": "void", "O": "object"}
NUMBERS = {"i": "int", "u": "uint", "f": "float", "c": "complex"}
OLD_NUMBER = re.compile(r"(\d)L(?=[,)])")
"""Python 2 wrote large lengths so."""
MAX_AXES = 64


class BrokenArrayError(Exception):
    """The file breaks the format; its message says how."""


class ArrayHead(NamedTuple):
    """What the header says of an array.

    Attributes:
        dtype: in words, such as `float32`, `object` or `record`.
        numbers: how many there are.
        data_bytes: how many bytes they take, None where the header does not tell.
        pickled: the array holds objects, so that a pickle follows.
    """

    dtype: str
    numbers: int
    data_bytes: int | None
    pickled: bool


def read_head(stream: Stream) -> ArrayHead:
    """The header of the array that the stream stands at; then it stands behind it.

    Raises:
        BrokenArrayError: it breaks the format.
    """
    try:
        start = stream.take(8)
        if start[:6] != MAGIC or start[6] not in LENGTH_BYTES:
            raise BrokenArrayError(f"version {start[6]}.{start[7]} of the format is not known")
        length = int.from_bytes(stream.take(LENGTH_BYTES[start[6]]), "little")
        if length > MAX_HEADER_BYTES:
            raise BrokenArrayError(f"the header should have {length} bytes, NumPy takes {MAX_HEADER_BYTES}")
        header = stream.take(length).decode("utf-8" if start[6] == 3 else "latin-1", "replace")
    except CutOffError:
        raise BrokenArrayError("the file was cut off in the header") from None
    return _head(_parsed(header))


def _parsed(header: str) -> dict[str, object]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in foreign text
            found = ast.literal_eval(OLD_NUMBER.sub(r"\1", header.strip()))
            repr(found)  # what cannot be written out, a number of thousands of digits, cannot be shown either
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, dict) or set(found) != {"descr", "fortran_order", "shape"}:
        raise BrokenArrayError("the header should be a dictionary of descr, fortran_order and shape")
    return found


def _head(fields: dict[str, object]) -> ArrayHead:
    shape, descr = fields["shape"], fields["descr"]
    if not isinstance(shape, tuple) or len(shape) > MAX_AXES or not all(_is_length(one) for one in shape):
        raise BrokenArrayError(f"the shape {printable(str(shape)[:100], limit=80)} is none")
    numbers = prod(shape)
    if isinstance(descr, str):
        dtype, width = _simple(descr)
        pickled = dtype == "object"
        return ArrayHead(dtype, numbers, None if width is None or pickled else numbers * width, pickled)
    if not isinstance(descr, list | tuple):
        raise BrokenArrayError(f"the dtype {printable(str(descr)[:100], limit=80)} is none")
    return ArrayHead("record", numbers, None, _mentions_objects(descr))


def _is_length(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _simple(descr: str) -> tuple[str, int | None]:
    """A dtype's name, and the bytes of a number."""
    match = SIMPLE.fullmatch(descr)
    if match is None:
        raise BrokenArrayError(f"the dtype '{printable(descr[:100], limit=80)}' is not known")
    kind, width = match[1], int(match[2] or 0)
    if kind in NUMBERS and width:
        return f"{NUMBERS[kind]}{8 * width}", width
    if kind == "b" and width == 1:
        return "bool", 1  # `|b1` as NumPy writes it
    return KINDS.get(kind, "time"), (width or 1) * (4 if kind == "U" else 1) if width or kind in "?bB" else None


def _mentions_objects(descr: object) -> bool:
    """Whether any field of a record holds objects; the header's length bounds how many there are."""
    waiting = [descr]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(field[1] for field in one if isinstance(field, tuple) and len(field) > 1)
        elif isinstance(one, tuple):
            waiting.extend(one[:1])  # a format and its shape
        elif isinstance(one, str) and re.fullmatch(r"[|<>=]?O\d*", one):
            return True
    return False
