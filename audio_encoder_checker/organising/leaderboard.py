"""Weighted averages of many submissions under one track, their intervals, and the places that these allow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from audio_encoder_checker.evidence.scores import goodness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NORMAL_95 = 1.959964
"""Half the width of a 95 % interval, in standard errors of a normal distribution."""


class Standing(NamedTuple):
    """One submission among the others.

    Attributes:
        sha256: of it.
        average: weighted, over the tasks that all of the leaderboard have.
        low, high: ends of the average's 95 % interval.
        place: by the average, from 1.
        best, worst: the places that are left when differences within their 95 % interval do not count.
    """

    sha256: str
    average: float
    low: float
    high: float
    place: int
    best: int
    worst: int


class Leaderboard(NamedTuple):
    """One track.

    Attributes:
        tasks: that the averages cover.
        standings: by place.
        lacking: tasks that a submission has no score for, by its SHA-256; it has no place.
    """

    tasks: tuple[str, ...]
    standings: tuple[Standing, ...]
    lacking: Mapping[str, tuple[str, ...]]


def leaderboard(records: Iterable[Mapping[str, Any]], track: str) -> Leaderboard:
    """Rank the submissions that have a score on every task that any of them has.

    A task's standard error is that of its 95 % interval, taken as normal; the average's follows from the weights with
    tasks taken as independent. Two submissions are told apart if the difference of their averages is beyond 1.96 times
    the root of the sum of both squared errors. That is careful: both were tested on the same clips.

    Args:
        records: of the submissions.
        track: `track_a` or `track_b`.
    """
    scored = {one["submission"]["sha256"]: own for one in records if (own := scores_of(one, track))}
    tasks = sorted({task for own in scored.values() for task in own})
    lacking = {name: tuple(task for task in tasks if not _is_known(own.get(task))) for name, own in scored.items()}
    averages = {name: _average(own, tasks) for name, own in scored.items() if not lacking[name]}
    order = sorted(averages, key=lambda name: (-averages[name][0], name))
    standings = tuple(_standing(name, order, averages) for name in order)
    return Leaderboard(tuple(tasks), standings, {name: some for name, some in lacking.items() if some})


def scores_of(submission: Mapping[str, Any], track: str) -> Mapping[str, Mapping[str, Any]]:
    """A submission's scores under a track, by task; none where there is no evaluation."""
    found = (submission["summary"] or {}).get(track)
    return found["tasks"] if found else {}


def _is_known(score: Mapping[str, Any] | None) -> bool:
    return score is not None and score["value"] is not None


def _average(own: Mapping[str, Mapping[str, Any]], tasks: Sequence[str]) -> tuple[float, float]:
    """Weighted average of what is better when higher, and its standard error."""
    total = sum(own[task]["weight"] for task in tasks)
    value = sum(own[task]["weight"] * goodness(own[task]["metric"], own[task]["value"]) for task in tasks) / total
    variance = sum((own[task]["weight"] / total * _error(own[task])) ** 2 for task in tasks)
    return value, math.sqrt(variance)


def _error(score: Mapping[str, Any]) -> float:
    if score["low"] is None or score["high"] is None:
        return 0.0
    return float(score["high"] - score["low"]) / 2 / NORMAL_95


def _standing(name: str, order: Sequence[str], averages: Mapping[str, tuple[float, float]]) -> Standing:
    value, error = averages[name]

    def apart(other: str) -> float:
        """Beyond 0 if the other is better for certain, below if worse for certain, 0 if they cannot be told apart."""
        difference = averages[other][0] - value
        return difference if abs(difference) > NORMAL_95 * math.hypot(error, averages[other][1]) else 0.0

    better = sum(apart(other) > 0 for other in order)
    worse = sum(apart(other) < 0 for other in order)
    return Standing(
        name,
        value,
        value - NORMAL_95 * error,
        value + NORMAL_95 * error,
        order.index(name) + 1,
        better + 1,
        len(order) - worse,
    )
