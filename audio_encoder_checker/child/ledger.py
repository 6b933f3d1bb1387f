"""The life of every storage during a call, and the work of every operation, as rows of numbers for the parent.

A row of `events` is `(storage, bytes, kind, operation)`; bytes are -1 where the storage goes. A row of `work` is
`(FLOP, bytes moved, steps one after the other, arithmetic)`. Bytes are as asked for: what an allocator makes of them
is not known here.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Any

WEIGHT, INPUT, ACTIVATION, TEMPORARY, POSSIBLE = range(5)
"""Kinds of storage. The last two are what a kernel takes while it runs: surely, and perhaps."""
ON_CPU = 8
"""Added to the kind of what is not on the GPU, and to the arithmetic of what is not done there."""
GONE = -1
LARGEST = 6
"""So many of the largest storages at the peak are named."""
HUNGRY = 24
"""So many of the operations that take most."""


@dataclass
class Operation:
    """What one operation was: for names and places, which no row of numbers holds.

    Attributes:
        name: as torch calls it.
        shape: of its first result.
        size: bytes of its results, and of what its kernel surely takes.
        read: bytes of its arguments.
        taken: bytes that its kernel surely takes.
        dtype: of its first argument.
        line: the participant's that led to it, `file:line`.
        library: the same of a library's line.
    """

    name: str
    shape: tuple[int, ...] = ()
    size: int = 0
    read: int = 0
    taken: int = 0
    dtype: str = ""
    line: str = ""
    library: str = ""

    def words(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "name": self.name[:100],
            "shape": list(self.shape)[:8],
            "bytes": self.size,
            "dtype": self.dtype[:20],
            "line": self.line[:300],
            "library": self.library[:300],
        }


@dataclass
class Ledger:
    """The books of one call. Storages are known by the `id` of the object that torch hands out for each."""

    events: array[int] = field(default_factory=lambda: array("q"))
    work: array[float] = field(default_factory=lambda: array("d"))
    operations: list[Operation] = field(default_factory=list)
    live: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    count: int = 0

    def enter(self, key: int, size: int, kind: int) -> None:
        """A storage came to be, or changed its device."""
        if key in self.live:
            self.leave(key)
        self.count += 1
        self.live[key] = (self.count, size, kind)
        self.events.extend((self.count, size, kind, len(self.operations) - 1))

    def leave(self, key: int) -> None:
        """A storage is no more."""
        one = self.live.pop(key, None)
        if one:
            self.events.extend((one[0], GONE, one[2], len(self.operations) - 1))

    def pass_through(self, size: int, kind: int) -> None:
        """A kernel takes memory, and gives it back."""
        self.count += 1
        for change in (size, GONE):
            self.events.extend((self.count, change, kind, len(self.operations) - 1))

    def begin_call(self) -> None:
        """Forget what was: what lives now are the weights, and it is entered first."""
        self.events, self.work, self.operations = array("q"), array("d"), []
        self.count = 0
        for key, (_, size, before) in self.live.items():
            self.count += 1
            kind = WEIGHT + (before & ON_CPU)
            self.live[key] = (self.count, size, kind)
            self.events.extend((self.count, size, kind, -1))

    def rows(self) -> list[tuple[int, int, int, int]]:
        """The events."""
        flat = iter(self.events)
        return list(zip(flat, flat, flat, flat, strict=True))

    def at_peak(self) -> tuple[int, list[dict[str, Any]]]:
        """Most bytes on the GPU at once, and the largest of the storages there then that are no weights."""
        sizes: dict[int, tuple[int, int, int]] = {}
        best, current, moment = 0, 0, -1
        rows = self.rows()
        for index, (number, size, kind, operation) in enumerate(rows):
            if kind >= ON_CPU or kind == POSSIBLE:
                continue
            if size == GONE:
                current -= sizes.pop(number)[0]
                continue
            sizes[number] = (size, kind, operation)
            current += size
            if current > best:
                best, moment = current, index
        alive: dict[int, tuple[int, int]] = {}
        for number, size, kind, operation in rows[: moment + 1]:
            if size == GONE:
                alive.pop(number, None)
            elif WEIGHT < kind < POSSIBLE and operation >= 0:
                alive[number] = (size, operation)
        largest = sorted(alive.values(), key=lambda one: -one[0])[:LARGEST]
        return best, [{**self.operations[operation].words(), "bytes": size} for size, operation in largest]

    def hungriest(self) -> list[dict[str, Any]]:
        """The operations that take most, the largest of each kind and place."""
        places: dict[tuple[str, str, str], Operation] = {}
        for operation in self.operations:
            place = (operation.name, operation.line, operation.library)
            if place not in places or places[place].size < operation.size:
                places[place] = operation
        return [one.words() for one in sorted(places.values(), key=lambda one: -one.size)[:HUNGRY]]
