"""The formats that other programs read, all of one report, and what hostile text does to each."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from junitparser import Failure, JUnitXml, Skipped
from sarif_pydantic import Sarif

from audio_encoder_checker.cli.output import MACHINE
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.findings import Severity, SourceLine
from audio_encoder_checker.judging import Judgement
from audio_encoder_checker.judging import Skipped as Unjudged
from audio_encoder_checker.render import to_github, to_gitlab, to_junit, to_markdown, to_sarif
from audio_encoder_checker.render.places import fingerprints, place_of
from tests.render.reports import finding, full_report, poor_report

if TYPE_CHECKING:
    from audio_encoder_checker.findings import Finding
    from audio_encoder_checker.report import Report

OURS = re.compile(r"<(style|script)>.*?</\1>", re.DOTALL)
"""What stands in every page."""
GOLDEN = Path(__file__).parent / "golden"
HOSTILE = "</failure><script>alert(1)</script>\x00\x1b[31m %0A::error::x `<b>` [a](http://x) | @you #1 \u202e ]]>"


@pytest.mark.parametrize("format_name", sorted(set(MACHINE) - {"json"}))
def test_the_full_report_reads_as_agreed(format_name: str, *, update_golden: bool) -> None:
    golden = GOLDEN / f"full.{format_name}"
    made = OURS.sub(r"<\1>...</\1>", MACHINE[format_name](full_report()))
    if update_golden:
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8")


def hostile() -> Report:
    return full_report((finding(message=HOSTILE, at=f"a{HOSTILE}.py:3", excerpt=(SourceLine(3, HOSTILE),)),))


def of(*findings: Finding, kind: SubmissionKind = SubmissionKind.ARCHIVE, path: str = "team.zip") -> Report:
    report = full_report(findings)
    report.evidence.put(Submission(path, kind, "0" * 64, 10))
    return type(report)(path, "p", report.judgement, report.evidence, report.stages)


@pytest.mark.parametrize(
    ("kind", "path", "at", "expected"),
    [
        (SubmissionKind.ARCHIVE, "in/team.zip", "a/b.py:3", ("a/b.py", 3)),
        (SubmissionKind.ARCHIVE, "in/team.zip", "a/b.py", ("a/b.py", 0)),
        (SubmissionKind.FOLDER, "team", "a/b.py:3", ("team/a/b.py", 3)),
        (SubmissionKind.FOLDER, ".", "a/b.py:3", ("a/b.py", 3)),
        (SubmissionKind.FILE, "team/enc.py", "enc.py:3", ("team/enc.py", 3)),
        (SubmissionKind.FOLDER, "team", "", ("team/encoder.py", 0)),
    ],
)
def test_a_place_is_told_from_where_the_command_ran(
    kind: SubmissionKind, path: str, at: str, expected: tuple[str, int]
) -> None:
    one = finding(at=at)
    assert place_of(one, of(one, kind=kind, path=path)) == expected


def test_a_fingerprint_outlasts_lines_and_figures_and_tells_two_of_a_kind_apart() -> None:
    before = of(finding(at="a.py:3", message="12 of 40 calls"), finding(at="a.py:9", message="3 of 40 calls"))
    after = of(finding(at="a.py:7", message="13 of 41 calls"), finding(at="a.py:8", message="1 of 41 calls"))
    assert fingerprints(before) == fingerprints(after)
    assert len(set(fingerprints(before))) == 2
    assert fingerprints(of(finding(at="b.py:3", message="12 of 40 calls"))) != fingerprints(before)[:1]


def junit(report: Report) -> JUnitXml:
    return JUnitXml.fromstring(to_junit.render(report).encode())


def test_junit_has_a_case_for_each_check_that_was_asked() -> None:
    report = full_report()
    judged = type(report.judgement)(
        report.findings, poor_report().judgement.skipped[:1], ("AEC101", "AEC505", "AEC523")
    )
    suites = {suite.name: {case.name[:6]: case.result for case in suite} for suite in junit(with_judgement(judged))}
    assert suites["archive"] == {"AEC101": []}
    assert isinstance(suites["contract"]["AEC505"][0], Failure)
    assert isinstance(suites["contract"]["AEC503"][0], Skipped)
    assert suites["contract"]["AEC523"] == [], "a warning fails no case"


def with_judgement(judgement: Any, *, strict: bool = False) -> Report:
    report = full_report()
    return type(report)("team.zip", "p", judgement, report.evidence, report.stages, strict=strict)


def test_warnings_fail_their_case_where_they_count_as_errors() -> None:
    judgement = type(full_report().judgement)((finding(Severity.WARNING, "AEC523"),), ())
    (case,) = next(iter(junit(with_judgement(judgement, strict=True))))
    assert isinstance(case.result[0], Failure)


def test_junit_holds_hostile_text_as_text() -> None:
    (suite,) = junit(hostile())
    (case,) = suite
    assert "<script>alert(1)</script>\ufffd\ufffd[31m" in str(case.result[0].message)


def test_github_shows_nine_of_a_severity_and_counts_the_rest() -> None:
    many = [finding(check_id=f"AEC1{n:02}") for n in range(12)] + [finding(Severity.NOTE, "AEC201")]
    lines = to_github.render(of(*many)).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 9 + ["::notice", "::error"]
    assert lines[-1] == "::error title=aecc-check::3 more of severity error: see the report"


def test_github_commands_end_where_they_should() -> None:
    (line,) = to_github.render(hostile()).splitlines()
    assert line.startswith("::error file=a</failure><script>alert(1)</script>\x00\x1b[31m %250A%3A%3Aerror%3A%3Ax")
    assert line.count("::error") == 2, "the second one is within the message, where it commands nothing"
    assert "\n" not in line


def test_github_says_that_a_verdict_is_open() -> None:
    assert to_github.render(poor_report()).startswith("::warning title=aecc-check%3A undecided::2 checks")
    assert to_github.render(of()) == ""


def test_gitlab_rows_have_what_gitlab_asks_for() -> None:
    rows = json.loads(to_gitlab.render(of(finding(at=""), finding(Severity.WARNING), finding(Severity.NOTE))))
    assert [row["severity"] for row in rows] == ["critical", "major", "info"]
    assert rows[0]["location"] == {"path": "encoder.py", "lines": {"begin": 1}}
    assert len({row["fingerprint"] for row in rows}) == 3
    assert json.loads(to_gitlab.render(of())) == []


def test_sarif_rules_and_results_fit_together() -> None:
    run = json.loads(to_sarif.render(full_report()))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one["ruleId"] for one in run["results"]]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 12
    assert run["results"][1]["properties"]["becauseOf"] == "AEC505"
    (open_run,) = json.loads(to_sarif.render(poor_report()))["runs"]
    notes = open_run["invocations"][0]["toolExecutionNotifications"]
    assert [one["associatedRule"]["id"] for one in notes] == ["AEC503", "AEC505"]
    assert open_run["results"] == []


@pytest.mark.parametrize("report", [full_report(), poor_report(), hostile()], ids=["full", "poor", "hostile"])
def test_sarif_is_as_the_standard_has_it(report: Report) -> None:
    (run,) = Sarif.model_validate_json(to_sarif.render(report)).runs
    assert len(run.results or ()) == len(report.findings)


def test_sarif_addresses_are_encoded() -> None:
    run = json.loads(to_sarif.render(of(finding(at="a b\u202e#/c?.py:3"))))["runs"][0]
    assert (
        run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b%E2%80%AE%23/c%3F.py"
    )


def test_markdown_takes_text_as_text() -> None:
    shown = to_markdown.render(hostile())
    assert "<script>" not in shown.replace("\n    ", "\n").partition("Mend first")[0]
    assert "what: &lt;/failure&gt;&lt;script&gt;" in shown
    assert "\\`&lt;b&gt;\\` \\[a\\](http\\://x) \\| \\@you \\#1" in shown
    assert f"\n\n    {HOSTILE}\n\n" in shown, "source stands in a block that nothing in a line can end"


def test_a_full_stop_is_no_name() -> None:
    report = of(kind=SubmissionKind.FOLDER, path=".")
    assert to_markdown.render(report).startswith("## ✅ READY: this repository\n")
    assert "READY <bdi>this repository</bdi></h1>" in MACHINE["html"](report)


def test_markdown_counts_the_checks_that_wait_for_the_same() -> None:
    report = poor_report()
    open_ones = tuple(Unjudged(f"AEC{n}", "x", "waits until AEC201 is mended", open=True) for n in range(500, 600))
    shown = to_markdown.render(replace(report, judgement=Judgement((), open_ones)))
    assert "- AEC500 and 99 more: waits until" in shown


def test_markdown_fits_into_a_summary() -> None:
    long = [finding(check_id=f"AEC1{n:02}", message="x" * 20_000) for n in range(90)]
    shown = to_markdown.render(of(*long))
    assert len(shown.encode()) < 1 << 20
    assert "more parts do not fit here" in shown
    assert shown.startswith("## ❌ NOT READY")
