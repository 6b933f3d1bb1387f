"""The largest value that still fits, in few trials: each may take seconds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.budget import Most

if TYPE_CHECKING:
    from collections.abc import Callable

TRIALS = 16
CLOSE = 1.05
"""A value that fits and one so many times larger that does not are close enough."""
STRIDE = 4.0
"""The next value is at most so many times larger."""


def largest(used: Callable[[float], float | None], start: float, most: float, *, whole: bool = False) -> Most | None:
    """The largest value from 1 to `most` for which `used` is at most 1.

    Args:
        used: what share of the card a value takes; None where no more may be tried.
        start: the first value.
        most: no larger one is tried.
        whole: only whole numbers count.

    Returns:
        None if nothing that was tried fits.
    """
    low, high, value = 0.0, math.inf, start
    for _ in range(TRIALS):
        share = used(value)
        if share is None:
            break
        if share <= 1:
            low = value
            value *= min(STRIDE, max(1.2, 1 / share)) if share > 0 else STRIDE
        else:
            high = value
            value /= min(STRIDE, max(1.2, share))
        if low >= most or high <= max(CLOSE * low, 1) or (whole and high - low <= 1):
            break
        value = min(value, most) if low < value < high else math.sqrt(max(low, 1) * high)
        value = float(math.floor(value)) if whole and value > low + 1 else value if not whole else low + 1
    return Most(low, more=math.isinf(high)) if low else None
