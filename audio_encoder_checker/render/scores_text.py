"""The scores of both tracks for a terminal, beside those of known encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table  # noqa: TID253 - only a run that has something to show imports this module
from rich.text import Text  # noqa: TID253 - same

from audio_encoder_checker.evidence.evaluation import LOG_MEL, EncodingFacts, References
from audio_encoder_checker.evidence.scores import LOWER_IS_BETTER, TrackScores
from audio_encoder_checker.render.standing import average_of, best, known_scores, place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from audio_encoder_checker.evidence.scores import Measure, TaskScore
    from audio_encoder_checker.render.standing import Known
    from audio_encoder_checker.report import Report

SHORT = {"accuracy": "acc", "recall@1": "R@1", "segment-F1-macro": "F1 1 s", "segment-F1-micro": "F1 0.1 s"}
COLUMN = 9
"""Room for one reference encoder."""
FIXED = 52
"""Room for the columns that are always there."""


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


def _table(title: str, track: Sequence[TaskScore], average: float | None, known: Sequence[Known], width: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(title, no_wrap=True)
    table.add_column("metric", style="dim", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    shown = [one for one in known if FIXED + COLUMN * len(known) <= width or one.name == LOG_MEL]
    crowded = len(shown) < len(known)
    for one in shown:
        table.add_column(one.name, justify="right", style="dim", no_wrap=True)
    if crowded:
        table.add_column("best known", justify="right", style="dim", no_wrap=True)
    if known:
        table.add_column("place", justify="right", no_wrap=True)
    for score in track:
        cells = [score.task, SHORT.get(score.official.metric, score.official.metric), _score(score.official)]
        cells += [_number(one.scores.get(score.task)) for one in shown]
        cells += [best(score, known)] if crowded else []
        standing = place(score, known)
        cells += ["{} of {}".format(*standing) if standing else ""] if known else []
        table.add_row(*cells)
    averages = [_number(average_of(one, track)) for one in shown]
    table.add_row("weighted average", "", f"{average:.3f}" if average is not None else "", *averages, style="bold")
    return table


def _score(measure: Measure) -> str:
    return f"{measure.value:.3f} ±{(measure.high - measure.low) / 2:.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _remarks(report: Report, found: TrackScores, references: References) -> list[str]:
    """What the tables leave unsaid."""
    remarks = []
    for score in (*found.track_a, *found.track_b):
        track = "A" if score in found.track_a else "B"
        beside = [f"{one.metric} {one.value:.3f}" for one in score.beside]
        beside += (
            [f"{score.corrected.metric} without X-ARES's quirks {score.corrected.value:.3f}"] if score.corrected else []
        )
        beside += [score.note] if score.note else []
        if beside and (found.data != "builtin" or score.corrected):
            remarks.append(f"{score.task}, track {track}: {', '.join(beside)}")
    lower = sorted({score.official.metric for score in found.track_a} & LOWER_IS_BETTER)
    if lower:
        remarks.append(f"lower is better for {' and '.join(lower)}, which enter the average as 1 - value")
    remarks += [f"{task}: {note}" for task, note in references.notes.items()]
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
    kind = "generated audio: no leaderboard scores" if found.data == "builtin" else "audio"
    text = f"{found.audio_seconds / 60:.0f} min of {kind}"
    if encoding and encoding.seconds:
        text += f" · encoded {encoding.audio_seconds / encoding.seconds:.0f} times faster than real time"
    return text
