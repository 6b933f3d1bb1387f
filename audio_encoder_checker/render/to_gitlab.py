"""The report as GitLab's code quality: findings beside the lines of a merge request.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from audio_encoder_checker.findings import Severity
from audio_encoder_checker.render.places import fingerprints, place_of

if TYPE_CHECKING:
    from audio_encoder_checker.report import Report

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}


def render(report: Report) -> str:
    """All findings as a JSON array."""
    rows = [
        {
            "description": f"{finding.id} {finding.name}: {finding.message}. Fix: {finding.hint}",
            "check_name": finding.id,
            "fingerprint": fingerprint,
            "severity": SEVERITIES[finding.severity],
            "location": {"path": place.path, "lines": {"begin": max(1, place.line)}},
        }
        for finding, fingerprint in zip(report.findings, fingerprints(report), strict=True)
        for place in [place_of(finding, report)]
    ]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
