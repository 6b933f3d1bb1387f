"""The report as JUnit XML, which every CI system reads: a suite for each stage, a case for each check."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audio_encoder_checker.catalogue import all_checks

if TYPE_CHECKING:
    from junitparser import TestCase

    from audio_encoder_checker.findings import Finding
    from audio_encoder_checker.report import Report

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is written."""


def render(report: Report) -> str:
    """All checks that were asked; a warning fails its case only where warnings count as errors."""
    from junitparser import JUnitXml, TestSuite

    xml = JUnitXml("aecc-check")
    for stage, cases in _cases(report).items():
        suite = TestSuite(stage)
        suite.add_property("submission", _text(report.path))
        suite.add_property("verdict", report.verdict.value)
        suite.add_testcases(cases)
        suite.time = round(report.timings.get(stage, 0.0), 3)
        xml.add_testsuite(suite)
    text: bytes = xml.tostring()  # type: ignore[no-untyped-call]  # the library forgot this one
    return text.decode("utf-8") + "\n"


def _cases(report: Report) -> dict[str, list[TestCase]]:
    """The cases of every stage that has some, in the order of stages."""
    from junitparser import Skipped, TestCase

    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.id, []).append(finding)
    skipped = {one.id: one for one in report.judgement.skipped}
    judged = {*report.judgement.judged, *found}
    stages: dict[str, list[TestCase]] = {stage: [] for stage in report.stages}
    for check in all_checks():
        if check.id not in judged and check.id not in skipped:
            continue
        case = TestCase(f"{check.id} {check.name}", classname=f"aecc.{check.stage}")
        if check.id in skipped:
            case.result = [Skipped(_text(skipped[check.id].reason))]
        else:
            _tell(case, found.get(check.id, []), report)
        stages.setdefault(check.stage, []).append(case)
    return {stage: cases for stage, cases in stages.items() if cases}


def _tell(case: TestCase, findings: list[Finding], report: Report) -> None:
    from junitparser import Failure

    results = []
    for finding in findings:
        if finding.severity in report.grave:
            results.append(Failure(_headline(finding), finding.severity.value))
            results[-1].text = _words(finding)
    case.result = [*results]
    if findings:
        case.system_out = "\n\n".join(f"{one.severity.value}: {_headline(one)}\n{_words(one)}" for one in findings)


def _headline(finding: Finding) -> str:
    return _text(f"{finding.at}: {finding.message}" if finding.at else finding.message)


def _words(finding: Finding) -> str:
    cause = f"\nfollows from {finding.because_of}" if finding.because_of else ""
    return _text(f"why: {finding.why}\nfix: {finding.hint}{cause}")


def _text(words: str) -> str:
    return NOT_XML.sub("\ufffd", words)
