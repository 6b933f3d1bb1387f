"""Pickle opcodes, one after the other, with their arguments: the table is Python's own, nothing is carried out.

`pickletools.genops` does the same but holds every argument in memory, however large.
"""

from __future__ import annotations

import pickletools
import warnings
from _codecs import escape_decode
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.archive.weights.streams import Part, Stream

KEPT_BYTES = 1 << 20
"""Texts and bytes up to this size are held, one at a time; larger ones are passed over or read in place."""
MAX_NAME_BYTES = 1024
"""A longer name of a module or of something in it is none."""
MAX_NUMBER_BYTES = 64


class NotAPickleError(Exception):
    """The bytes break the rules of pickles; its message says how."""


class Literal(NamedTuple):
    """A text or bytes in a pickle.

    Attributes:
        data: the bytes; of a text, in UTF-8 or Latin-1. None where they are too many.
        text: the text, None for bytes and for what is no text.
        part: the bytes where they are too many to be held.
    """

    data: bytes | None
    text: str | None
    part: Part | None = None


Argument = int | str | Literal | tuple[str, str] | None
Operation = tuple[str, Argument]
"""An opcode's name, and its argument: a number, names, a text, or None for the rest."""


class _Form(NamedTuple):
    """How an opcode's argument is written."""

    name: str
    kind: str
    width: int


_TABLE: dict[int, _Form] = {
    ord(one.code): _Form(one.name, one.arg.name if one.arg else "", one.arg.n if one.arg else 0)
    for one in pickletools.opcodes
}
PREFIX_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
STARTS = frozenset(_TABLE) - {ord(".")}
"""The bytes that a pickle may start with: all opcodes but STOP."""


def operations(stream: Stream) -> Iterator[Operation]:
    """The opcodes up to and with STOP; a `Literal`'s part can be read until the next is asked for.

    Raises:
        CutOffError: the bytes end before that.
        NotAPickleError: a byte is no opcode, or an argument is not what it should be.
    """
    table, byte, take = _TABLE, stream.byte, stream.take
    while True:
        form = table.get(byte())
        if form is None:
            raise NotAPickleError(f"byte {stream.position - 1} is no opcode")
        name, kind, width = form
        if width == 0:
            yield name, None
            if name == "STOP":
                return
        elif width == 1:
            yield name, byte()
        elif width > 0:
            number = int.from_bytes(take(width), "little", signed=kind == "int4")
            yield name, None if kind == "float8" else number
        elif width == pickletools.UP_TO_NEWLINE:
            yield name, _from_line(form, stream)
        else:
            yield from _counted(form, stream)


def _counted(form: _Form, stream: Stream) -> Iterator[Operation]:
    """An operation whose argument tells its length first."""
    signed = form.width == pickletools.TAKEN_FROM_ARGUMENT4
    length = int.from_bytes(stream.take(PREFIX_BYTES[form.width]), "little", signed=signed)
    if length < 0:
        raise NotAPickleError(f"{form.name} before byte {stream.position} has a negative length")
    if form.kind.startswith("long"):
        yield form.name, _long(stream, length)
    elif length <= KEPT_BYTES:
        data = stream.take(length)
        yield form.name, Literal(data, _text(form, data))
    else:
        part = stream.part(length)
        yield form.name, Literal(None, None, part)
        part.close()


def _long(stream: Stream, length: int) -> int | None:
    if length > MAX_NUMBER_BYTES:
        stream.skip(length)
        return None
    return int.from_bytes(stream.take(length), "little", signed=True)


def _text(form: _Form, data: bytes) -> str | None:
    """The text that a counted argument is; that of Python 2's strings holds ASCII wherever it matters."""
    if form.kind.startswith("string"):
        return data.decode("latin-1")
    if not form.kind.startswith("unicode"):
        return None
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None


def _from_line(form: _Form, stream: Stream) -> Argument:
    if form.kind == "stringnl_noescape_pair":
        return _shown(stream.line(MAX_NAME_BYTES)), _shown(stream.line(MAX_NAME_BYTES))
    line = stream.line(KEPT_BYTES)
    if form.kind.startswith("decimal"):
        return _number(line)
    if form.kind == "stringnl_noescape":
        return _shown(line)
    if line is None or form.kind == "floatnl":
        return None if line is not None else Literal(None, None)
    if form.kind == "unicodestringnl":
        text = line.decode("raw-unicode-escape", "replace")
        return Literal(text.encode("utf-8", "surrogatepass"), text)
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in {b"'", b'"'}:
        raise NotAPickleError(f"the text before byte {stream.position} has no quotes")
    data = _unescaped(line[1:-1])
    return Literal(data, data.decode("latin-1"))


def _shown(line: bytes | None) -> str:
    """A name as text; one that is too long cannot be told."""
    return "?" if line is None else line.decode("utf-8", "backslashreplace")


def _number(line: bytes | None) -> int | None:
    text = (line or b"").removesuffix(b"L")
    try:
        return int(text) if len(text) <= MAX_NUMBER_BYTES else None
    except ValueError:
        return None


def _unescaped(data: bytes) -> bytes:
    """The bytes that Python's escapes stand for; as they are where `pickle` would stop with an error."""
    if b"\\" not in data:
        return data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that Python does not know
        try:
            return escape_decode(data)[0]
        except ValueError:
            return data
