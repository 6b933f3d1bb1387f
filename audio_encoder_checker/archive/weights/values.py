"""What a checkpoint is made of: dictionaries, objects, tensors and the storages that these are views of.

Lists, tuples, texts, whole numbers, bools and None stand for themselves, `walks.Name` for what is imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNTOLD = object()
"""A value that does not matter: a float, bytes, a long text."""


@dataclass(frozen=True, slots=True)
class StoredNumbers:
    """A storage that a checkpoint refers to.

    Attributes:
        key: names it.
        dtype: in words, such as `float32`; `bytes` if the tensor tells.
        width: bytes of a number, 0 where it is not known.
        numbers: how many it holds.
    """

    key: str
    dtype: str
    width: int
    numbers: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor, as a view of a storage.

    Attributes:
        storage: where its numbers lie.
        dtype: in words.
        width: bytes of a number.
        offset: of its first number in the storage, in numbers.
        shape: lengths of its axes.
        stride: of each axis, in numbers.
    """

    storage: StoredNumbers
    dtype: str
    width: int
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def numbers(self) -> int:
        """How many it has."""
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Of its numbers alone, one behind the other."""
        return self.numbers * self.width

    @property
    def reach(self) -> int:
        """Bytes from the start of its storage to the end of its last number."""
        if not self.numbers:
            return 0
        last = sum((length - 1) * step for length, step in zip(self.shape, self.stride, strict=True))
        return (self.offset + last + 1) * self.width

    @property
    def contiguous(self) -> bool:
        """Whether its numbers lie one behind the other, in order."""
        step = 1
        for length, own in zip(reversed(self.shape), reversed(self.stride), strict=True):
            if length != 1 and own != step:
                return False
            step *= length
        return True


@dataclass(slots=True, eq=False)
class Table:
    """A dictionary: its pairs in the order of writing, and what else belongs to the object."""

    pairs: list[tuple[object, object]] = field(default_factory=list)
    others: list[object] = field(default_factory=list)

    def items(self) -> dict[str, object]:
        """The values under keys that are texts; of the same key the last, as in Python."""
        return {key: value for key, value in self.pairs if type(key) is str}


@dataclass(slots=True, eq=False)
class Opaque:
    """An object of a class: the name of what would make it, and all that it would be given."""

    name: str
    parts: list[object] = field(default_factory=list)


def tensors_below(value: object) -> Iterator[Tensor]:
    """Every tensor that a value holds, however deep; a part that is there twice is looked at once."""
    return (one for one in _below(value) if isinstance(one, Tensor))


def storages_below(value: object) -> dict[str, StoredNumbers]:
    """Every storage that a value holds, by key, those included that no tensor which is understood refers to."""
    found: dict[str, StoredNumbers] = {}
    for one in _below(value):
        storage = one.storage if isinstance(one, Tensor) else one
        found.setdefault(storage.key, storage)
    return found


def _below(value: object) -> Iterator[Tensor | StoredNumbers]:
    """The tensors in a value, and the storages that stand in it by themselves."""
    waiting, seen = [value], set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, Tensor | StoredNumbers):
            yield one
        elif id(one) not in seen:
            seen.add(id(one))
            waiting.extend(_parts(one))


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, Table):
        return [*(part for pair in value.pairs for part in pair), *value.others]
    if isinstance(value, Opaque):
        return value.parts
    return value if type(value) in {list, tuple} else ()  # type: ignore[return-value]  # no `isinstance`: names are tuples
