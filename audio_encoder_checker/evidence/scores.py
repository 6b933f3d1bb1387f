"""What the two tracks of the evaluation measured."""

from __future__ import annotations

from dataclasses import dataclass

LOWER_IS_BETTER = frozenset({"EER", "MSE"})
"""Metrics m in [0, 1] that enter an average as 1 - m."""

COSINE = "cosine KNN"
"""The diagnostic beside track B: KNN with a properly normalised bank."""


def goodness(metric: str, value: float) -> float:
    """A metric's value turned so that higher is better."""
    return 1 - value if metric in LOWER_IS_BETTER else value


@dataclass(frozen=True)
class Measure:
    """A metric's value with its 95 % interval (bootstrap over test items)."""

    metric: str
    value: float
    low: float
    high: float

    @property
    def best_end(self) -> float:
        """The better end of the interval, higher is better."""
        return max(goodness(self.metric, self.low), goodness(self.metric, self.high))


@dataclass(frozen=True)
class TaskScore:
    """One task under one track.

    Attributes:
        task: the task's id.
        official: as X-ARES computes it; what is averaged.
        beside: other metrics of the same predictions, the rule book's first where it names another than X-ARES.
        corrected: the official metric without X-ARES's quirks; None if that was not asked for.
        n_test: number of test items.
        weight: of the task in the track's weighted average.
        seconds: training and scoring took.
        folds: the official metric of each fold, empty where there are none.
        note: what the figure does not cover, empty if nothing.
    """

    task: str
    official: Measure
    n_test: int
    weight: float
    seconds: float
    beside: tuple[Measure, ...] = ()
    corrected: Measure | None = None
    folds: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Projection:
    """Embeddings of a task's test clips in the plane in which they differ most.

    Attributes:
        task: its id.
        shares: of the variance, along the two axes.
        points: place on each axis, and the number of the clip's class.
    """

    task: str
    shares: tuple[float, float]
    points: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True)
class TrackScores:
    """All scores of one submission.

    Attributes:
        data: `builtin` for the generated quick set, `xares` for real shards.
        track_a: linear probe, one per task that ran.
        track_b: KNN, one per task that ran and counts for it.
        average_a: weighted average of track A, None if no task ran.
        average_b: weighted average of track B.
        audio_seconds: duration of all clips.
        projections: of the tasks that have one class for each clip, and few of them.
    """

    data: str
    track_a: tuple[TaskScore, ...]
    track_b: tuple[TaskScore, ...]
    average_a: float | None
    average_b: float | None
    audio_seconds: float
    projections: tuple[Projection, ...] = ()
