"""The clips of a task in the plane in which their embeddings differ most, for people to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audio_encoder_checker.evaluation.scorer.rounds import Items
from audio_encoder_checker.evaluation.unscorable import SMALLEST_NORM

if TYPE_CHECKING:
    from audio_encoder_checker.evaluation.job import ScoringJob

MOST_CLASSES = 24
MOST_POINTS = 150
"""More of either cannot be told apart in a small picture."""
EQUAL = 1e-12
"""A smaller mean square distance from the mean, of units, is rounding."""


def projection(job: ScoringJob) -> dict[str, Any] | None:
    """The first two principal components of the test clips' embeddings, each of unit length as for a cosine.

    Clips are taken evenly from the first round's test data.

    Returns:
        `shares` of the variance and `points` [x, y, class]; None where clips have no single class, or one of many.
    """
    if job.task.kind != "clip-class" or job.task.classes > MOST_CLASSES:
        return None
    items = Items(job, job.rounds[0].test)
    x, y = items.x(), items.y()
    chosen = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).astype(np.int64))
    units = np.array(x[chosen], dtype=np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True).clip(SMALLEST_NORM)
    units -= units.mean(axis=0)
    directions, sizes, _ = np.linalg.svd(units, full_matrices=False)
    total = float(np.square(sizes).sum())
    if len(sizes) < 2 or total < EQUAL * len(units):
        return None
    signs = np.where(directions[np.abs(directions).argmax(axis=0), np.arange(len(sizes))] < 0, -1.0, 1.0)
    places = (directions * sizes * signs)[:, :2]  # a direction's sign is arbitrary: its largest entry is positive
    return {
        "shares": [float(share) for share in np.square(sizes[:2]) / total],
        "points": [[float(a), float(b), int(c)] for (a, b), c in zip(places, y[chosen], strict=True)],
    }
