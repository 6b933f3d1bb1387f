"""What would come of a call in a pickle: a tensor, a dictionary, or an object of which only the class is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.draft import format_of
from audio_encoder_checker.archive.weights.values import Opaque, StoredNumbers, Table, Tensor
from audio_encoder_checker.archive.weights.walks import Name, Storage
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from typing import TypeGuard

MAX_AXES = 32
"""NumPy, before its version 2, has no more."""
TABLES = {
    Name("collections", "OrderedDict"),
    Name("collections", "Counter"),
    Name("collections", "defaultdict"),
    Name("builtins", "dict"),
    Name("__builtin__", "dict"),
}
TENSORS = {Name("torch._utils", f"_rebuild_tensor{version}") for version in ("", "_v2", "_v3")}
PARAMETERS = {Name("torch._utils", f"_rebuild_parameter{kind}") for kind in ("", "_with_state")}
BY_TYPE = Name("torch._tensor", "_rebuild_from_type_v2")
"""It calls the first thing that it is given with the third."""
SIZE = Name("torch", "Size")
FLOAT8 = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
WIDTHS = {"uint16": 2, "uint32": 4, "uint64": 8, **dict.fromkeys(FLOAT8, 1)}
"""Bytes of a number of the formats that torch has no storages of; such tensors tell their format themselves."""


def made(function: object, arguments: tuple[object, ...]) -> object:
    """What calling something with some arguments gives."""
    if not isinstance(function, Name):
        return Opaque(shown(function), [function, *arguments])
    if function == BY_TYPE and len(arguments) >= 3:
        called, inner = arguments[0], arguments[2]
        if isinstance(called, Name) and called in TENSORS and type(inner) is tuple:
            function, arguments = called, inner
    if function in TABLES:
        return _table(arguments)
    if function == SIZE and len(arguments) == 1:
        return arguments[0]
    tensor = _tensor(function, arguments)
    return Opaque(shown(function), list(arguments)) if tensor is None else tensor


def stored(identity: object) -> StoredNumbers | None:
    """The storage that a persistent id stands for: its type, key, place and length, and in the old format a view."""
    if type(identity) is not tuple or len(identity) not in {5, 6} or identity[0] != "storage":
        return None
    kind, key, numbers = identity[1], identity[2], identity[4]
    whole = all(view is None for view in identity[5:])
    if not isinstance(kind, Name) or not isinstance(key, str) or not _is_count(numbers) or not whole:
        return None
    dtype, width = format_of(Storage(kind.name, numbers))
    return StoredNumbers(key, dtype, width, numbers)


def shown(function: object) -> str:
    """The name of what is called, printable and cut."""
    return (
        printable(f"{function.module}.{function.name}", limit=120) if isinstance(function, Name) else "something made"
    )


def _table(arguments: tuple[object, ...]) -> Table:
    """A dictionary made of nothing, of pairs in a list, or of another one."""
    first = arguments[0] if len(arguments) == 1 else None
    if isinstance(first, Table):
        return Table(list(first.pairs), list(first.others))
    if isinstance(first, list) and all(type(pair) in {list, tuple} and len(pair) == 2 for pair in first):
        return Table([(key, value) for key, value in first])
    return Table([], list(arguments))


def _tensor(function: Name, arguments: tuple[object, ...]) -> Tensor | None:
    """The tensor that one of torch's functions makes, if it is a plain one."""
    if function in PARAMETERS and arguments:
        return arguments[0] if isinstance(arguments[0], Tensor) else None
    if function not in TENSORS or len(arguments) < 4:
        return None
    storage, offset, shape, stride = arguments[:4]
    dtype, width, metadata = _format(function, arguments)
    if not isinstance(storage, StoredNumbers) or not width or not all(_is_nothing(one) for one in metadata):
        return None
    if not _is_count(offset) or not _are_counts(shape) or not _are_counts(stride):
        return None
    return Tensor(storage, dtype, width, offset, shape, stride) if len(shape) == len(stride) <= MAX_AXES else None


def _format(function: Name, arguments: tuple[object, ...]) -> tuple[str, int, tuple[object, ...]]:
    """A tensor's number format, the bytes of a number (0 where they are not known), and its metadata."""
    if function.name == "_rebuild_tensor_v3":
        told = arguments[6] if len(arguments) > 6 else None
        dtype = told.name if isinstance(told, Name) and told.module == "torch" else ""
        return dtype, WIDTHS.get(dtype, 0), arguments[7:8]
    storage = arguments[0]
    if not isinstance(storage, StoredNumbers) or storage.dtype == "bytes":
        return "", 0, ()
    return storage.dtype, storage.width, arguments[6:7]


def _is_nothing(value: object) -> bool:
    """Whether metadata say nothing: others make a tensor's numbers conjugate or negative when they are read."""
    return value is None or (isinstance(value, Table) and not value.pairs)


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 1 << 63


def _are_counts(value: object) -> TypeGuard[tuple[int, ...]]:
    return type(value) is tuple and all(_is_count(one) for one in value)
