"""The report as Markdown, for summaries of CI systems and comments: verdict first, then what to mend first.

GitHub takes 1 MiB for the summary of a step and shows nothing of a longer one, so it is cut well before.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.evidence.scores import TrackScores
from audio_encoder_checker.evidence.submission import Submission
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.printable import size_words
from audio_encoder_checker.render.places import counts_in_words, families_of, ids_in_words, open_by_reason
from audio_encoder_checker.report import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.findings import Finding
    from audio_encoder_checker.report import Report

IN_FULL = 5
MOST_BYTES = 900_000
ACTIVE = re.compile(r"([\\`*_\[\]#|~@$]|:(?=/)|(?<=www)\.)")
"""What Markdown, or GitHub's kind of it, takes for more than itself, in the middle of a line."""
MARKS = {Verdict.READY: "✅", Verdict.NOT_READY: "❌", Verdict.UNDECIDED: "❔"}


def render(report: Report) -> str:
    """The whole report; what does not fit is counted."""
    parts, used, left = [], 0, 0
    for part in _parts(report):
        size = len(part.encode("utf-8", "replace"))
        if used + size > MOST_BYTES:
            left += 1
            continue
        parts.append(part)
        used += size
    if left:
        parts.append(f"\n{left} more parts do not fit here: see the other reports.\n")
    return "".join(parts)


def _parts(report: Report) -> Iterator[str]:
    counts = ", ".join(counts_in_words(report))
    yield f"## {MARKS[report.verdict]} {report.verdict.words}: {_name(report)}\n\n{counts}\n\n"
    yield f"{' · '.join(_facts(report))}\n\n"
    yield from _stages(report)
    families = families_of(report.findings)
    if families:
        yield "### Mend first\n\n"
    for finding, consequences in families[:IN_FULL]:
        yield _in_full(finding, consequences)
    if families[IN_FULL:]:
        yield f"<details><summary>{len(families) - IN_FULL} more</summary>\n\n"
        for finding, consequences in families[IN_FULL:]:
            yield _in_full(finding, consequences)
        yield "</details>\n\n"
    yield from _open(report)
    yield from _scores(report)


def _name(report: Report) -> str:
    """What was checked; a full stop, as in `aecc-check .`, would be taken for the end of a sentence."""
    return "this repository" if report.path == "." else _plain(report.path)


def _facts(report: Report) -> Iterator[str]:
    submission, encoder = report.evidence.get(Submission), report.evidence.get(EncoderFacts)
    if submission and submission.sha256:
        yield f"`sha256 {submission.sha256}`"
    if submission:
        yield size_words(submission.size_bytes)
    if encoder:
        yield f"{_plain(encoder.class_name)} in {_plain(encoder.file)}"
    yield f"profile {_plain(report.profile)}"


def _stages(report: Report) -> Iterator[str]:
    """A row for each stage."""
    found = Counter((one.stage, one.severity) for one in report.findings if not one.because_of)
    yield "| stage | errors | warnings | notes | seconds |\n|---|--:|--:|--:|--:|\n"
    stages = [*report.stages, *sorted({one.stage for one in report.findings} - set(report.stages))]
    for stage in stages:
        counts = " | ".join(str(found[stage, severity] or "") for severity in Severity)
        seconds = f"{report.timings[stage]:.1f}" if stage in report.timings else ""
        yield f"| {stage} | {counts} | {seconds} |\n"
    yield "\n"


def _in_full(finding: Finding, consequences: list[Finding]) -> str:
    at = f" {_plain(finding.at)}" if finding.at else ""
    lines = [f"**{finding.severity.value} {finding.id} {finding.name}**{at}\\", f"what: {_plain(finding.message)}\n"]
    lines += [f"    {one.text}" for one in finding.excerpt]
    lines += [""] * bool(finding.excerpt)
    lines += [f"why: {_plain(finding.why)}\\", f"fix: {_plain(finding.hint)}\n"]
    lines += [f"- so: {one.id} {one.name}: {_plain(one.message)}" for one in consequences]
    return "\n".join(lines) + "\n" * (1 + bool(consequences))


def _open(report: Report) -> Iterator[str]:
    reasons = open_by_reason(report)
    if reasons:
        yield "### Not judged\n\n"
        yield from (f"- {ids_in_words(ids)}: {_plain(reason)}\n" for reason, ids in reasons.items())
        yield "\n"


def _scores(report: Report) -> Iterator[str]:
    scores = report.evidence.get(TrackScores)
    if not scores:
        return
    yield "<details><summary>Scores</summary>\n\n| task | metric | track A | track B |\n|---|---|--:|--:|\n"
    knn = {one.task: one.official for one in scores.track_b}
    linear = {one.task: one.official for one in scores.track_a}
    for task in dict.fromkeys((*linear, *knn)):
        a, b = linear.get(task), knn.get(task)
        metric = (a or b).metric if a or b else ""  # type: ignore[union-attr]  # one of them has the task
        cells = " | ".join(f"{one.value:.3f}" if one else "" for one in (a, b))
        yield f"| {_plain(task)} | {_plain(metric)} | {cells} |\n"
    yield "\n</details>\n"


def _plain(text: str) -> str:
    """Text of a submission as text, whatever is in it."""
    return ACTIVE.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))
