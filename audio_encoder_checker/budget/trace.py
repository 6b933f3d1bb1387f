"""The books of one call, as a child sent them: every number is checked, none is believed to be more than testimony."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.child import ledger
from audio_encoder_checker.evidence.budget import Moment, Place
from audio_encoder_checker.printable import told

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW_BYTES = 32
MOST_ROWS = 1_000_000
"""Events and operations of a call; twenty times those of ten minutes in chunks of ten seconds."""
LARGEST_BYTES = 1 << 50
LARGEST = 1e21
"""FLOP or bytes of an operation: hours of the largest machine there is."""
LARGEST_S = 1e5
MOMENTS = 120
"""So many points of a timeline are kept."""

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What `read_trace` raises for books that make no sense."""
Event = tuple[int, int, int, int]
"""Storage, bytes (-1 where it goes), kind, operation."""
Work = tuple[float, float, float, int]
"""FLOP, bytes moved, steps one after the other, kind of arithmetic."""


@dataclass(frozen=True, eq=False)
class Trace:
    """One call.

    Attributes:
        batch, seconds: of its audio.
        shape: of the embeddings.
        events: the life of every storage.
        work: one row for each operation.
        peak_bytes: most at once on the GPU, as the child counted; only to compare two traces.
        largest: what was largest then.
        hungriest: the operations that take most.
        convolves: whether there are convolutions.
        cpu_s: seconds of the CPU's own work, of a real call.
        allocator_bytes: most that the CPU's allocator gave; 0 if not asked.
        books_bytes: the same by the books.
        stand_ins: what wanted to see values and was given others.
        guessed: operations whose results were taken to be as large as they can be.
        not_covered: what the books do not hold.
    """

    batch: int
    seconds: float
    shape: tuple[int, ...]
    events: tuple[Event, ...]
    work: tuple[Work, ...]
    peak_bytes: int = 0
    largest: tuple[Place, ...] = ()
    hungriest: tuple[Place, ...] = ()
    convolves: bool = False
    cpu_s: float = 0.0
    allocator_bytes: int = 0
    books_bytes: int = 0
    stand_ins: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    not_covered: str = ""

    def on_card(self, *, possible: bool) -> Iterator[tuple[int, int]]:
        """`(storage, bytes)` of what happens on the GPU, with what kernels perhaps take or without it."""
        most = ledger.POSSIBLE if possible else ledger.TEMPORARY
        for number, size, kind, _ in self.events:
            if kind <= most:
                yield number, size

    def on_host(self) -> Iterator[tuple[int, int]]:
        """The same of what a call keeps in RAM."""
        for number, size, kind, operation in self.events:
            if kind >= ledger.ON_CPU and operation >= 0:
                yield number, size

    @property
    def weights_bytes(self) -> int:
        """What lies on the GPU before the call."""
        return sum(size for _, size, kind, operation in self.events if kind == ledger.WEIGHT and operation < 0 < size)

    def same_course(self, other: Trace) -> bool:
        """Whether two calls did the same, operation by operation."""
        return len(self.work) == len(other.work) and self.shape[1:] == other.shape[1:]

    def timeline(self) -> tuple[Moment, ...]:
        """What lies on the GPU in the course of the call."""
        held = [0, 0, 0]
        sizes: dict[int, tuple[int, int]] = {}
        moments: list[Moment] = []
        steps = [event for event in self.events if event[2] < ledger.ON_CPU and event[2] != ledger.POSSIBLE]
        every = max(1, len(steps) // MOMENTS)
        best: Moment | None = None
        for index, (number, size, kind, _) in enumerate(steps, 1):
            if size < 0:
                place, gone = sizes.pop(number, (1, 0))
                held[place] -= gone
            else:
                place = 0 if kind == ledger.WEIGHT else 2 if kind == ledger.TEMPORARY else 1
                sizes[number] = (place, size)
                held[place] += size
            moment = Moment(round(index / len(steps), 4), *held)
            if best is None or sum(held) > best.weights + best.activations + best.temporaries:
                best = moment  # of each stretch the highest point is kept
            if index % every == 0 or index == len(steps):
                moments.append(best)
                best = None
        return tuple(moments)


def peak(events: Iterator[tuple[int, int]], round_bytes: int = 1) -> int:
    """Most bytes at once, each size rounded up to a multiple of so many."""
    sizes: dict[int, int] = {}
    current = best = 0
    for number, size in events:
        if size < 0:
            current -= sizes.pop(number, 0)
        else:
            sizes[number] = rounded = -(-size // round_bytes) * round_bytes
            current += rounded
            best = max(best, current)
    return best


def read_trace(header: dict[str, Any], payload: memoryview, batch: int, seconds: float) -> Trace:
    """What a child sent.

    Raises:
        UNREADABLE: header and bytes do not belong together, or hold what no call takes.
    """
    events, operations = header["events"], header["operations"]
    if min(events, operations) < 0 or len(payload) != ROW_BYTES * (events + operations):
        raise ValueError(f"{len(payload)} bytes for {events} events and {operations} operations")
    if events + operations > MOST_ROWS:
        raise ValueError(f"{operations} operations are too many to follow")
    numbers, amounts = array("q"), array("d")
    numbers.frombytes(payload[: ROW_BYTES * events])
    amounts.frombytes(payload[ROW_BYTES * events :])
    if any(size > LARGEST_BYTES for size in numbers[1::4]) or not all(0 <= amount < LARGEST for amount in amounts):
        raise ValueError("sizes that no storage has")
    cpu_s = float(header["cpu_s"])
    if not 0 <= cpu_s < LARGEST_S:
        raise ValueError(f"{cpu_s} seconds")
    flat, rows = iter(numbers), iter(amounts)
    truth = header.get("truth") or {}
    return Trace(
        batch=batch,
        seconds=seconds,
        shape=_shape(header["shape"]),
        events=tuple(zip(flat, flat, flat, flat, strict=True)),
        work=tuple((flop, moved, steps, int(kind)) for flop, moved, steps, kind in zip(*(rows,) * 4, strict=True)),
        peak_bytes=_size(header["peak"]),
        largest=_places(header["largest"]),
        hungriest=_places(header["hungriest"]),
        convolves=header["convolves"] is True,
        cpu_s=cpu_s,
        allocator_bytes=_size(truth.get("allocator", 0)),
        books_bytes=_size(header["books"]),
        stand_ins=_words(header.get("stand_ins", [])),
        guessed=_words(header.get("guessed", [])),
        not_covered=told(header.get("not_covered"), limit=300),
    )  # fmt: skip


def _places(found: list[dict[str, Any]]) -> tuple[Place, ...]:
    return tuple(
        Place(
            operation=told(one["name"], limit=100),
            shape=_shape(one["shape"]),
            size_bytes=_size(one["bytes"]),
            dtype=told(one["dtype"], limit=20),
            line=told(one["line"], limit=300),
            library=told(one["library"], limit=300),
        )
        for one in found[:30]
    )


def _size(told_size: Any) -> int:
    return min(max(int(told_size), 0), LARGEST_BYTES)


def _shape(sizes: list[Any]) -> tuple[int, ...]:
    return tuple(map(_size, sizes[:8]))


def _words(found: list[Any]) -> tuple[str, ...]:
    return tuple(told(word, limit=60) for word in found[:10])
