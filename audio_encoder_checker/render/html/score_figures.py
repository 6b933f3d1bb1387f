"""Pictures of the evaluation: scores of both tracks beside known encoders, and clips as points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from audio_encoder_checker.evidence.evaluation import LOG_MEL
from audio_encoder_checker.evidence.scores import LOWER_IS_BETTER, goodness
from audio_encoder_checker.render.html.svg import Figure, Plot, Scale, linear, shown
from audio_encoder_checker.render.standing import best, known_scores, references_of, task_score

if TYPE_CHECKING:
    from collections.abc import Sequence

ROW = 24
"""Pixels for each task."""
TRACKS = (("track_a", "Track A: linear probe"), ("track_b", "Track B: KNN"))
COLOURS, SHAPES = 8, 3
LEGEND = (("own", "this submission, with its 95 % interval"), ("mel", LOG_MEL), ("known", "other known encoders"))


def score_figures(data: dict[str, Any]) -> list[Figure]:
    """One picture for each track that has scores."""
    scores = data["scores"]
    if not scores:
        return []
    return [_track(scores, key, title) for key, title in TRACKS if scores[key]["tasks"]]


def _track(scores: dict[str, Any], key: str, title: str) -> Figure:
    tasks = scores[key]["tasks"]
    own = [task_score(task) for task in tasks]
    known = known_scores(references_of(scores), key.removeprefix("track_"), own)
    plot = _Rows(tasks)
    rows: list[Sequence[str]] = []
    for place, task in enumerate(tasks):
        beside = {one.name: one.scores[task["task"]] for one in known if task["task"] in one.scores}
        y = len(tasks) - 1 - place
        for name, value in beside.items():
            plot.dot((_good(task, value), y), "mel" if name == LOG_MEL else "known", f"{name}: {value:.3f}")
        if task["value"] is not None and math.isfinite(task["value"]):
            ends = sorted(_good(task, task[end] if task[end] is not None else task["value"]) for end in ("low", "high"))
            hint = f"{task['task']}: {task['metric']} {task['value']:.3f}"
            plot.bar((ends[0], ends[1]), y, "own", hint, thickness=4)
            plot.dot((_good(task, task["value"]), y), "own", hint, radius=5)
        rows.append(_row(task, beside.get(LOG_MEL), best(own[place], known)))
    average = scores[key]["weighted_average"]
    told = "" if average is None else f", the weighted average is {average:.3f}"
    count = "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
    lower = sorted({task["metric"] for task in tasks} & LOWER_IS_BETTER)
    turned = f": {' and '.join(lower)} drawn as 1 - value" if lower else ""
    says = f"{count}{told}. Right is better{turned}."
    head = ("task", "metric", "score", "interval", LOG_MEL, "best known", "place")
    return Figure(title, says, plot.picture(title), head, rows, LEGEND)


class _Rows(Plot):
    """A plot with a task in each row."""

    def __init__(self, tasks: Sequence[dict[str, Any]]) -> None:
        scale = Scale(-0.6, len(tasks) - 0.4, ())
        ticks = (0, 0.2, 0.4, 0.6, 0.8, 1)
        super().__init__(Scale(0, 1, ticks), scale, "score", "", height=len(tasks) * ROW + 60, left=170)
        for tick in ticks:
            self.upright(tick, "grid")
        for place, task in enumerate(tasks):
            self.label(len(tasks) - 1 - place, task["task"])


def _good(task: dict[str, Any], value: float) -> float:
    return goodness(task["metric"], value)


def _row(task: dict[str, Any], floor: float | None, best_known: str) -> Sequence[str]:
    return (
        task["task"],
        task["metric"],
        _number(task["value"]),
        f"{_number(task['low'])} to {_number(task['high'])}",
        _number(floor),
        best_known,
        " of ".join(map(str, task["place"] or ())),
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def projections(data: dict[str, Any]) -> list[tuple[str, str, Markup]]:
    """A small picture for each task whose clips have a class: its name, what it shows, and the `<svg>`."""
    found = data["scores"]["projections"] if data["scores"] else []
    return [_projection(one) for one in found]


def _projection(one: dict[str, Any]) -> tuple[str, str, Markup]:
    points = one["points"]
    classes = len({label for *_, label in points})
    share = sum(one["shares"])
    says = f"{len(points)} test clips of {classes} classes; {share:.0%} of their variance lies in this plane."
    x, y = (linear([point[axis] for point in points], zero=False) for axis in (0, 1))
    marks = [_mark(100 * x.share(a), 100 - 100 * y.share(b), int(label)) for a, b, label in points]
    head = Markup('<svg class="cloud" viewBox="-6 -6 112 112" role="img" aria-label="{}">').format(
        shown(f"{one['task']}: {says}")
    )
    return shown(one["task"]), says, head + Markup("").join(marks) + Markup("</svg>")


def _mark(x: float, y: float, label: int) -> Markup:
    """Colour and shape together tell 24 classes apart."""
    style, shape = f"s{label % COLOURS + 1}", label // COLOURS % SHAPES
    path = ("M-2.4,0a2.4,2.4 0 1,0 4.8,0a2.4,2.4 0 1,0 -4.8,0", "M-2.2,-2.2h4.4v4.4h-4.4z", "M0,-2.8l2.8,5h-5.6z")[
        shape
    ]
    return Markup('<path class="dot {}" transform="translate({:.1f},{:.1f})" d="{}"/>').format(style, x, y, path)
