"""The report as annotations of GitHub Actions: lines that its runner shows beside a pull request's code.

GitHub shows 10 errors and 10 warnings of a step and drops the rest in silence, so the gravest come first, and the last
line says what is left out. https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.findings import Severity
from audio_encoder_checker.render.places import families_of, place_of

if TYPE_CHECKING:
    from audio_encoder_checker.findings import Finding
    from audio_encoder_checker.report import Report

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
SHOWN = 9
"""Of each severity; the tenth says what is left out."""


def render(report: Report) -> str:
    """One line for each finding in its own right, and one that says what is left out."""
    lines, counts = [], dict.fromkeys(Severity, 0)
    for finding, _ in families_of(report.findings):
        counts[finding.severity] += 1
        if counts[finding.severity] <= SHOWN:
            lines.append(_line(finding, report))
    for severity, count in counts.items():
        if count > SHOWN:
            text = f"{count - SHOWN} more of severity {severity.value}: see the report"
            lines.append(f"::{COMMANDS[severity]} title=aecc-check::{_data(text)}")
    if not lines and report.open_questions:
        text = f"{len(report.open_questions)} checks could not be judged: {report.open_questions[0].reason}"
        lines.append(f"::warning title={_property('aecc-check: undecided')}::{_data(text)}")
    return "".join(f"{line}\n" for line in lines)


def _line(finding: Finding, report: Report) -> str:
    place = place_of(finding, report)
    where = f"file={_property(place.path)}," + (f"line={place.line}," if place.line else "")
    title = _property(f"{finding.id} {finding.name}")
    text = _data(f"{finding.message}\n{finding.why}\nfix: {finding.hint}")
    return f"::{COMMANDS[finding.severity]} {where}title={title}::{text}"


def _data(text: str) -> str:
    """A message in which nothing ends the command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
