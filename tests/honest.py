"""What is said of every honest encoder that there is: `honest.toml`, held by each test that judges one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.toml import loads

if TYPE_CHECKING:
    from audio_encoder_checker.report import Report

EXPECTED = Path(__file__).parent / "honest.toml"


def known() -> dict[str, dict[str, Any]]:
    """Verdict and findings of each encoder, by its name; consequences of other findings are left out."""
    found: dict[str, dict[str, Any]] = loads(EXPECTED.read_text(encoding="utf-8"))
    return found


def outcome(report: Report) -> dict[str, Any]:
    """The same of a report."""
    roots = [finding for finding in report.findings if not finding.because_of]
    findings = [f"{finding.severity.value} {finding.id} {finding.name}" for finding in roots]
    return {"verdict": report.verdict.words, "findings": findings}


def rewrite(name: str, found: dict[str, Any]) -> None:
    """Put what was found in the place of what was expected."""
    tables = {**known(), name: found}
    texts = [
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in tables[name].items())
        for name in sorted(tables)
    ]
    EXPECTED.write_text("\n".join(texts), encoding="utf-8")
