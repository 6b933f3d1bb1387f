"""What the CPU's allocator really gave during a run, from torch's profiler: the books are held to it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any

from torch.profiler import ProfilerActivity, profile

from .recorder import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOWHERE = -1
"""Between two operations: Python lets go of tensors there."""


@dataclass
class Truth:
    """The allocations of one run.

    Attributes:
        changes: `(nanoseconds, bytes, operation)`, in order of time.
    """

    changes: list[tuple[int, int, int]] = field(default_factory=list)

    def peak(self, excepted: Iterable[int]) -> tuple[int, dict[int, int]]:
        """Most bytes at once, and what each operation took meanwhile beside what it left.

        Args:
            excepted: operations that do something else on a GPU: what they take inside does not count.
        """
        others = set(excepted)
        best = current = 0
        hidden: dict[int, int] = {}
        for operation, group in groupby(self.changes, key=lambda change: change[2]):
            levels = list(accumulate((size for _, size, _ in group), initial=0))
            if operation not in others:
                best = max(best, current + max(levels))
                hidden[operation] = max(levels) - max(levels[-1], 0)
            current += levels[-1]
            best = max(best, current)
        hidden.pop(NOWHERE, None)
        return best, hidden


@contextlib.contextmanager
def observed() -> Iterator[Truth]:
    """Note every allocation of the CPU's allocator."""
    truth = Truth()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        yield truth
    tree = profiler.profiler.kineto_results.experimental_event_tree()
    _collect(tree, NOWHERE, truth.changes)
    truth.changes.sort()


def _collect(events: list[Any], operation: int, changes: list[tuple[int, int, int]]) -> None:
    waiting = [(event, operation) for event in events]
    while waiting:
        event, operation = waiting.pop()
        if event.name.startswith(MARK):
            operation = int(event.name.removeprefix(MARK))
        if event.name == "[memory]":
            changes.append((event.start_time_ns, event.typed[1].alloc_size, operation))
        waiting += [(child, operation) for child in event.children]
