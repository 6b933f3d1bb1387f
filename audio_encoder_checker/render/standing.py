"""A score among those of known encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audio_encoder_checker.evidence.evaluation import Reference, References
from audio_encoder_checker.evidence.scores import Measure, TaskScore, goodness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Known(NamedTuple):
    """One known encoder's scores in a track, by task."""

    name: str
    scores: Mapping[str, float]


def references_of(scores: Mapping[str, Any]) -> References:
    """Known encoders' scores, from the scores of a report as JSON data."""
    return References(tuple(Reference(**one) for one in scores["reference"]))


def task_score(one: Mapping[str, Any]) -> TaskScore:
    """A task's score, from a report as JSON data."""
    numbers = (float("nan") if one[key] is None else one[key] for key in ("value", "low", "high"))
    return TaskScore(one["task"], Measure(one["metric"], *numbers), one["n_test"], one["weight"], 0.0)


def known_scores(references: References, track: str, scores: Sequence[TaskScore]) -> list[Known]:
    """The known encoders with a score on one of some tasks.

    Args:
        references: of both tracks.
        track: `a` or `b`.
        scores: of the submission under that track; only what was measured by the same metric is comparable.
    """
    metrics = {score.task: score.official.metric for score in scores}
    found: dict[str, dict[str, float]] = {}
    for one in references.scores:
        value = one.track_a if track == "a" else one.track_b
        if value is not None and (track == "b" or metrics.get(one.task) == one.metric) and one.task in metrics:
            found.setdefault(one.name, {})[one.task] = value
    return [Known(name, values) for name, values in found.items()]


def place(score: TaskScore, known: Sequence[Known]) -> tuple[int, ...]:
    """Where a score would rank among the known ones: its place and how many there are; empty without others."""
    metric = score.official.metric
    others = [goodness(metric, one.scores[score.task]) for one in known if score.task in one.scores]
    better = sum(other > goodness(metric, score.official.value) for other in others)
    return (better + 1, len(others) + 1) if others else ()


def best(score: TaskScore, known: Sequence[Known]) -> str:
    """The best known score of a task and whose it is."""
    metric = score.official.metric
    here = [one for one in known if score.task in one.scores]
    if not here:
        return ""
    first = max(here, key=lambda one: goodness(metric, one.scores[score.task]))
    return f"{first.scores[score.task]:.3f} {first.name}"


def average_of(known: Known, scores: Sequence[TaskScore]) -> float | None:
    """A known encoder's weighted average over the tasks of the submission; None if it lacks one of them."""
    if any(score.task not in known.scores for score in scores):
        return None
    total = sum(score.weight for score in scores)
    points = (goodness(score.official.metric, known.scores[score.task]) * score.weight for score in scores)
    return sum(points) / total if total else None
