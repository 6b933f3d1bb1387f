"""What the two tracks of the evaluation measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskScore:
    """One task under one track.

    Attributes:
        task: the task's id.
        metric: its name, higher is better.
        value: the score, in [0, 1].
        low: lower end of the 95 % interval (bootstrap over test clips).
        high: upper end.
        n_test: number of test clips.
        weight: of the task in the track's weighted average.
        seconds: training and scoring took.
    """

    task: str
    metric: str
    value: float
    low: float
    high: float
    n_test: int
    weight: float
    seconds: float


@dataclass(frozen=True)
class TrackScores:
    """All scores of one submission.

    Attributes:
        data: `builtin` for the generated quick set, `xares` for real shards.
        track_a: linear probe, one per task.
        track_b: KNN, one per task.
        average_a: weighted average of track A.
        average_b: weighted average of track B.
        encode_seconds: the encoder needed for all clips.
        audio_seconds: duration of all clips.
    """

    data: str
    track_a: tuple[TaskScore, ...]
    track_b: tuple[TaskScore, ...]
    average_a: float
    average_b: float
    encode_seconds: float
    audio_seconds: float
