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
STEP, STRIDE = 1.2, 4.0
"""As long as only one side is known, the next value is at least and at most so many times as large."""


def largest(used: Callable[[float], float | None], start: float, most: float) -> Most | None:
    """The largest whole number from 1 to `most` for which `used` is at most 1.

    Args:
        used: what share of the card a value takes, infinite where it is only known not to fit; None where trying it
            would take too long, which ends the search unless it was a leap.
        start: the first value.
        most: no larger one is tried.

    Returns:
        None if nothing that was tried fits.
    """
    low, high = (0.0, 0.0), (math.inf, math.inf)  # value and share
    value, leaps = start, most
    for _ in range(TRIALS):
        share = used(value)
        if share is None:
            if not low[0] or value <= STRIDE * low[0]:
                break
            leaps = math.inf
        elif share <= 1:
            low = (value, share)
        else:
            high = (value, share)
        if low[0] >= most or high[0] <= CLOSE * low[0] or high[0] - low[0] <= 1:
            break
        value = min(max(math.floor(min(_between(low, high, leaps), most)), low[0] + 1), high[0] - 1)
    return Most(low[0], more=math.isinf(high[0])) if low[0] else None


def _between(low: tuple[float, float], high: tuple[float, float], most: float) -> float:
    """The next value to try: where a power of the value would reach the whole card, but not too near to what is known.

    Args:
        low: the largest value that fits, 0 for none, and its share.
        high: the smallest that does not, infinite for none, and its share.
        most: the largest there is; it is next where it fits in proportion. Infinite where it takes too long.
    """
    if math.isinf(high[0]):
        if low[1] * most <= low[0]:
            return most
        return low[0] * min(STRIDE, max(STEP, 1 / low[1])) if low[1] > 0 else low[0] * STRIDE
    if not low[0]:
        return high[0] / min(STRIDE, max(STEP, high[1]))
    if math.isinf(high[1]):
        return math.sqrt(low[0] * high[0])
    power = math.log(high[1] / low[1]) / math.log(high[0] / low[0]) if low[1] > 0 else 1.0
    guess = low[0] * (1 / low[1]) ** (1 / power) if power > 0 and low[1] > 0 else math.sqrt(low[0] * high[0])
    near = math.sqrt(CLOSE)
    return min(max(guess / near, low[0] * near), high[0] / near)
