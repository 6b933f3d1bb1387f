"""How far a score could be off, had the test clips been others of the same kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.scorer.metrics import Metric

RESAMPLES = 1000


def interval(metric: Metric, logits: NDArray[np.float32], labels: NDArray[Any], *, seed: int) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a metric over test clips (Efron and Tibshirani 1993, chapter 13).

    Args:
        metric: of logits and labels.
        logits: [M, C], one row for each test clip.
        labels: [M] or [M, C].
        seed: of the draws.

    Returns:
        The 2.5th and the 97.5th percentile.
    """
    draw = np.random.default_rng(seed)
    clips = len(labels)
    scores = []
    for _ in range(RESAMPLES):
        chosen = draw.integers(0, clips, clips)  # with replacement
        scores.append(metric(logits[chosen], labels[chosen]))
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)
