"""The terminal report at 80 and 120 columns, without colour, and with hostile text."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from audio_encoder_checker.evidence.contract import Cell, CellState, SurvivalMap
from audio_encoder_checker.findings import Severity, SourceLine
from audio_encoder_checker.render import to_text
from audio_encoder_checker.report import Report, Verdict
from tests.render.reports import finding, full_report, poor_report

GOLDEN = Path(__file__).parent / "golden"


def text(report: Report, width: int = 100) -> str:
    out = io.StringIO()
    to_text.render(report, Console(file=out, width=width, highlight=False))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 120])
def test_the_full_report_reads_as_agreed(width: int, *, update_golden: bool) -> None:
    golden = GOLDEN / f"full-{width}.txt"
    if update_golden:
        golden.write_text(text(full_report(), width), encoding="utf-8")
    assert text(full_report(), width) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in text(full_report(), width).splitlines()) <= width


def test_the_verdict_comes_first() -> None:
    assert text(full_report()).startswith("NOT READY  team.zip  1 error · 1 warning · 0 notes")
    assert text(poor_report()).startswith("UNDECIDED")


def test_open_questions_are_grouped_by_reason_and_others_not_shown() -> None:
    shown = text(poor_report())
    assert "AEC503, AEC505: no box to run foreign code in" in shown
    assert "AEC801" not in shown


def test_text_of_a_submission_is_not_taken_for_markup() -> None:
    assert "[bold red]boo[/]" in text(full_report((finding(message="[bold red]boo[/] :smile:"),)))


def test_what_follows_from_a_finding_stands_beneath_it_and_is_not_counted() -> None:
    many = [finding(check_id=f"AEC1{n:02}") for n in range(to_text.IN_FULL + 1)]
    shown = text(full_report((*many, finding(check_id="AEC523", message="late", because_of=many[-1].id))))
    assert shown.startswith("NOT READY  team.zip  6 errors")
    assert "  so   AEC523 batch-size-failure  late\n\n" in shown
    assert "error AEC523" not in shown


def test_the_line_itself_is_marked_and_shared_indentation_is_left_out() -> None:
    lines = (SourceLine(9, "    if x:"), SourceLine(10, "        return [bold]x[/]"))
    shown = text(full_report((finding(at="a.py:10", excerpt=lines),)))
    assert "  what a batch of 1 raised x\n          9  if x:\n       > 10      return [bold]x[/]\n  why" in shown


def test_a_forecast_of_hours_is_told_in_minutes() -> None:
    report = full_report(())
    report.evidence.put(SurvivalMap((Cell(600, 16, CellState.FORECAST, 9860.0, "too long"),)))
    assert "~164 min" in text(report)


def test_a_reason_is_given_once_and_a_remedy_again_only_where_it_differs() -> None:
    shown = text(full_report((finding(), finding(), replace(finding(), hint="another way"))))
    assert [shown.count(f"\n  {label}  ") for label in ("what", "why", "fix")] == [0, 1, 2]
    assert shown.count("\n  what ") == 3


def test_the_last_words_are_the_verdict_and_what_to_mend_first() -> None:
    out = io.StringIO()
    report = full_report((finding(at="encoder.py:3"), finding(severity=Severity.WARNING, check_id="AEC523")))
    to_text.close(report, Console(file=out, width=100, no_color=True))
    head, root = out.getvalue().splitlines()
    assert head.startswith("NOT READY  team.zip  1 error · 1 warning")
    assert root.startswith("  error AEC505")
    assert root.endswith("encoder.py:3")


def test_only_the_first_findings_are_explained() -> None:
    shown = text(full_report(tuple(finding() for _ in range(7))))
    assert shown.count("what ") == to_text.IN_FULL
    assert shown.count("error AEC505") == 7


@pytest.mark.parametrize(
    ("severities", "strict", "verdict"),
    [
        ((), False, Verdict.READY),
        ((Severity.NOTE,), True, Verdict.READY),
        ((Severity.WARNING,), False, Verdict.READY),
        ((Severity.WARNING,), True, Verdict.NOT_READY),
        ((Severity.ERROR,), False, Verdict.NOT_READY),
    ],
)
def test_the_verdict_follows_from_the_severities(
    severities: tuple[Severity, ...], strict: bool, verdict: Verdict
) -> None:
    report = full_report(tuple(finding(s) for s in severities))
    assert Report(report.path, "p", report.judgement, report.evidence, ("load",), strict=strict).verdict is verdict
