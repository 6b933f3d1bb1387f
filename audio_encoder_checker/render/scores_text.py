"""The scores of both tracks for a terminal, beside those of known encoders."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table  # noqa: TID253 - only a run that has something to show imports this module
from rich.text import Text  # noqa: TID253 - same

from audio_encoder_checker.evidence.evaluation import LOG_MEL, EncodingFacts, References
from audio_encoder_checker.evidence.scores import COSINE, LOWER_IS_BETTER, TaskScore, TrackScores
from audio_encoder_checker.render.standing import average_of, best, known_scores, place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from audio_encoder_checker.evidence.scores import Measure
    from audio_encoder_checker.render.standing import Known
    from audio_encoder_checker.report import Report

SHORT = {"accuracy": "acc", "recall@1": "R@1", "segment-F1-macro": "F1 macro", "segment-F1-micro": "F1 micro"}
FIXED = 9 + 2 + 11 + 2 + 8
"""Columns beside the task's that are always there: metric, score and place."""
EXTRA_WIDTH = 11
NUMBER, GAP = 5, 2
BEST = 18
"""Room for a number and an encoder's name."""


def scores(report: Report, console: Console) -> None:
    """One table for each track, and what they cover."""
    found = report.evidence.get(TrackScores)
    if found is None:
        return
    references = report.evidence.get(References) or References(())
    tracks = (("Track A: linear", found.track_a, found.average_a), ("Track B: KNN", found.track_b, found.average_b))
    for title, track, average in tracks:
        if track:
            known = known_scores(references, "a" if track is found.track_a else "b", track)
            console.print(_table(title, track, average, known, console.width))
            console.print()
    for line in _remarks(report, found, references):
        console.print(Text(line, style="dim"))
    console.print()


class Column(NamedTuple):
    """A column of numbers: what it says of a task, and of all together."""

    title: str
    value: Callable[[TaskScore], str]
    average: str = ""
    style: str = "dim"


def _table(title: str, track: Sequence[TaskScore], average: float | None, known: Sequence[Known], width: int) -> Table:
    columns = _columns(track, average, known, width)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(title, no_wrap=True)
    table.add_column("metric", style="dim", no_wrap=True)
    for column in columns:
        table.add_column(column.title, justify="right", style=column.style, no_wrap=True)
    for score in track:
        metric = score.official.metric
        table.add_row(score.task, SHORT.get(metric, metric), *(column.value(score) for column in columns))
    table.add_row("weighted average", "", *(column.average for column in columns), style="bold")
    return table


def _columns(track: Sequence[TaskScore], average: float | None, known: Sequence[Known], width: int) -> list[Column]:
    """What has room beside the score: corrected figures and diagnostics, known encoders, and the place among them."""
    extra = [column for column in EXTRA if any(map(column.value, track))]
    room = width - max(len(score.task) for score in track) - FIXED - EXTRA_WIDTH * len(extra)
    shown, with_best = _fitting(known, room)
    columns = [Column("score", lambda score: _score(score.official), _number(average), ""), *extra]
    columns += [Column(one.name, partial(_of, one), _number(average_of(one, track))) for one in shown]
    columns += [Column("best known", lambda score: best(score, known))] if with_best else []
    columns += [Column("place", lambda score: " of ".join(map(str, place(score, known))), "", "")] if known else []
    return columns


def _of(known: Known, score: TaskScore) -> str:
    return _number(known.scores.get(score.task))


def _fitting(known: Sequence[Known], room: int) -> tuple[Sequence[Known], bool]:
    """The known encoders that have room for a column each, and whether the best one of each task is told instead."""
    if sum(max(len(one.name), NUMBER) + GAP for one in known) <= room:
        return known, False
    floor = [one for one in known if one.name == LOG_MEL]
    if (NUMBER + GAP + GAP) * len(floor) + BEST + GAP <= room:
        return floor, True
    return floor if room >= NUMBER + 2 * GAP else [], False


def _corrected(score: TaskScore) -> str:
    return f"{score.corrected.value:.3f}" if score.corrected else ""


def _cosine(score: TaskScore) -> str:
    return next((f"{one.value:.3f}" for one in score.beside if one.metric == COSINE), "")


EXTRA = (Column("corrected", _corrected), Column("cosine", _cosine))
"""Shown where a task has something in them."""


def _score(measure: Measure) -> str:
    return f"{measure.value:.3f} ±{(measure.high - measure.low) / 2:.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _remarks(report: Report, found: TrackScores, references: References) -> list[str]:
    """What the tables leave unsaid."""
    remarks = []
    for title, track in (("A", found.track_a), ("B", found.track_b)):
        for score in track:
            beside = [f"{one.metric} {one.value:.3f}" for one in score.beside if one.metric != COSINE]
            beside += [score.note] if score.note else []
            remarks += [f"{score.task}, track {title}: {', '.join(beside)}"] if beside else []
    lower = sorted({score.official.metric for score in found.track_a} & LOWER_IS_BETTER)
    if lower:
        remarks.append(f"{' and '.join(lower)}: lower is better, 1 - value enters the average")
    if any(score.corrected for score in found.track_a):
        remarks.append("corrected: without X-ARES's quirks, see docs/evaluation.md")
    if found.track_b:
        remarks.append("cosine: KNN with embeddings of unit length, where X-ARES divides each feature by its norm")
    notes: dict[str, list[str]] = {}
    for task, note in references.notes.items():
        notes.setdefault(note, []).append(task)
    remarks += [f"{', '.join(tasks)}: {note}" for note, tasks in notes.items()]
    return [*remarks, *_coverage(report), _speed(report, found)]


def _coverage(report: Report) -> list[str]:
    """Tasks without a score by reason; what failed is told by a finding."""
    encoding = report.evidence.get(EncodingFacts)
    reasons: dict[str, list[str]] = {}
    for run in encoding.tasks if encoding else ():
        if not run.scored:
            reasons.setdefault(run.skipped or "see the findings", []).append(run.task)
    count = sum(run.scored for run in encoding.tasks) if encoding else 0
    total = len(encoding.tasks) if encoding else 0
    covered = [f"the averages cover {count} of {total} tasks; without a score:"] if reasons else []
    return covered + [f"  {', '.join(tasks)}: {reason}" for reason, tasks in reasons.items()]


def _speed(report: Report, found: TrackScores) -> str:
    encoding = report.evidence.get(EncodingFacts)
    if not found.audio_seconds:
        return "all embeddings come from an earlier run of the same submission"
    kind = "generated audio: no leaderboard scores" if found.data == "builtin" else "audio"
    text = f"{found.audio_seconds / 60:.0f} min of {kind}"
    if encoding and encoding.seconds:
        text += f" · encoded {encoding.audio_seconds / encoding.seconds:.0f} times faster than real time"
    return text
