"""The report as SARIF 2.1.0, which code scanning and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.render.places import fingerprints, place_of

if TYPE_CHECKING:
    from audio_encoder_checker.catalogue import Check
    from audio_encoder_checker.findings import Finding
    from audio_encoder_checker.report import Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render(report: Report) -> str:
    """One run: the checks that found something or could not be judged as rules, and every finding as a result."""
    named = {finding.id for finding in report.findings} | {skipped.id for skipped in report.open_questions}
    checks = [check for check in all_checks() if check.id in named]
    numbers = {check.id: number for number, check in enumerate(checks)}
    marks = fingerprints(report)
    run = {
        "tool": {
            "driver": {
                "name": "audio-encoder-checker",
                "version": version("audio-encoder-checker"),
                "rules": [_rule(check) for check in checks],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, numbers)],
        "results": [
            _result(finding, mark, report, numbers) for finding, mark in zip(report.findings, marks, strict=True)
        ],
        "properties": {"verdict": report.verdict.value, "profile": report.profile, "submission": report.path},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "name": "".join(word.capitalize() for word in check.name.split("-")),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why or check.title},
        "help": {"text": f"Fix: {check.fix}", "markdown": f"**Fix:** {check.fix}"},
        "defaultConfiguration": {"level": LEVELS[check.severity]},
        "properties": {"tags": [check.stage]},
    }


def _invocation(report: Report, numbers: dict[str, int]) -> dict[str, Any]:
    """How the run went; what could not be judged is a notification, not a result."""
    return {
        "executionSuccessful": not report.interrupted,
        "exitCode": report.verdict.exit_code,
        "toolExecutionNotifications": [
            {
                "level": "warning",
                "message": {"text": f"{skipped.id} {skipped.name} could not be judged: {skipped.reason}"},
                "associatedRule": {
                    "id": skipped.id,
                    **({"index": n} if (n := numbers.get(skipped.id)) is not None else {}),
                },
            }
            for skipped in report.open_questions
        ],
    }


def _result(finding: Finding, mark: str, report: Report, numbers: dict[str, int]) -> dict[str, Any]:
    place = place_of(finding, report)
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.path.replace("\\", "/"))}}
    if place.line:
        lines = [one.text for one in finding.excerpt if one.line == place.line]
        physical["region"] = {"startLine": place.line, **({"snippet": {"text": lines[0]}} if lines else {})}
    index = {"ruleIndex": numbers[finding.id]} if finding.id in numbers else {}
    return {
        "ruleId": finding.id,
        **index,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. Fix: {finding.hint}"},
        "locations": [{"physicalLocation": physical}],
        "partialFingerprints": {"aeccFinding/v1": mark},
        "properties": {"stage": finding.stage, **({"becauseOf": finding.because_of} if finding.because_of else {})},
    }
