"""One figure for many tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def weighted_average(scores: Iterable[tuple[float, float]]) -> float:
    """The average of scores by weight: sum(score * weight) / sum(weight).

    A task that was skipped is simply not among the scores, so it drops out instead of counting 0 (quirk 20).

    Args:
        scores: pairs of a score and its weight, weights not negative.

    Returns:
        The average; 0 if all weights are 0, as X-ARES has it.
    """
    pairs = list(scores)
    total = sum(weight for _, weight in pairs)
    if total == 0:
        return 0.0
    return sum(score * weight for score, weight in pairs) / total
