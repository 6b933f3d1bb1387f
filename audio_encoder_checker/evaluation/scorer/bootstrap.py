"""How far a score could be off, had the test items been others of the same kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.scorer.statistics import Statistic

BLOCK = 1 << 22
"""Weights that are drawn at a time."""


class MeasureAnswer(TypedDict):
    """A measure as JSON, named as in `evidence.scores.Measure`."""

    metric: str
    value: float
    low: float
    high: float


def measured(metric: str, folds: Sequence[Statistic], seed: int) -> MeasureAnswer:
    """A metric with its 95 % percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13).

    Args:
        metric: its name.
        folds: the metric over the test items of each fold; the value is their mean, and items are resampled within
            each fold.
        seed: of the draws.
    """
    draw = np.random.default_rng(seed)
    resampled = np.mean([_resampled(fold, draw) for fold in folds], axis=0)  # [R]
    low, high = np.percentile(resampled, [2.5, 97.5])
    value = float(np.mean([fold.value for fold in folds]))
    return MeasureAnswer(metric=metric, value=value, low=float(low), high=float(high))


def _resampled(statistic: Statistic, draw: np.random.Generator) -> NDArray[np.float64]:
    """The metric [R] over items drawn with replacement."""
    items = statistic.items
    rows = max(1, BLOCK // items)
    blocks = []
    for start in range(0, statistic.resamples, rows):
        count = min(rows, statistic.resamples - start)
        chosen = draw.integers(0, items, (count, items)) + items * np.arange(count)[:, None]
        weights = np.bincount(chosen.ravel(), minlength=count * items).reshape(count, items)
        blocks.append(statistic.weighted(weights.astype(np.float32)))
    return np.concatenate(blocks)
