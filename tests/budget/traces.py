"""Books of calls, for tests."""

from __future__ import annotations

from typing import Any

from audio_encoder_checker.budget.trace import Trace
from audio_encoder_checker.child.ledger import ACTIVATION, GONE, INPUT, WEIGHT

MIB = 1 << 20


def trace(
    batch: int = 1, seconds: float = 10.0, *, weights: int = 0, sizes: tuple[int, ...] = (), **more: Any
) -> Trace:
    """One call whose activations live at the same time, and go at its end."""
    events = [(1, weights, WEIGHT, -1), (2, 512, INPUT, 0)]
    events += [(number, size, ACTIVATION, number - 3) for number, size in enumerate(sizes, 3)]
    events += [(number, GONE, ACTIVATION, len(sizes)) for number in range(2, len(sizes) + 3)]
    fields = {"shape": (batch, 10, 4), "work": ((1e9, 1e6, 1.0, 0),), **more}
    return Trace(batch, seconds, events=tuple(events), **fields)
