"""The encoders that everybody starts from, as their authors wrote them, on small random weights.

They hold the severities to reality: what the organisers' own baselines do may be worth a warning, it is no error.
`calibration/expected.toml` tells the verdict and the findings of each; `pytest -n 0 --update-golden` rewrites it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audio_encoder_checker.findings import Severity
from audio_encoder_checker.packing.build import build_zip
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.stages.order import STAGES
from audio_encoder_checker.toml import loads

if TYPE_CHECKING:
    from audio_encoder_checker.report import Report

pytestmark = [pytest.mark.box, pytest.mark.timeout(900)]

FOLDER = Path(__file__).parent / "calibration"
EXPECTED = FOLDER / "expected.toml"
ENCODERS = sorted(path.parent.name for path in FOLDER.glob("*/encoder.py"))
REFUSED = {"template_unedited": "AEC503", "wav2vec2_official": "AEC505"}
"""What would break in the organisers' hands, and the root cause; the others are official baselines and work."""


def check(name: str, folder: Path) -> Report:
    """Build one encoder in a process of its own, since transformers is large, and check it as a ZIP.

    The quick set is left out: it cannot rank random weights, and Whisper encodes 30 s for each of its clips.
    """
    repository = folder / "repository"
    repository.mkdir()
    subprocess.run([sys.executable, FOLDER / "build.py", name, repository], check=True)
    (repository / "README.md").write_text("Small random weights.\n", encoding="utf-8")
    build_zip(repository, folder / f"{name}.zip")
    return check_submission(folder / f"{name}.zip", Options(stages=STAGES[:-1], trust=True, device="cpu"))


def outcome(report: Report) -> dict[str, Any]:
    roots = [finding for finding in report.findings if not finding.because_of]
    findings = [f"{finding.severity.value} {finding.id} {finding.name}" for finding in roots]
    return {"verdict": report.verdict.words, "findings": findings}


def rewrite(name: str, found: dict[str, Any]) -> None:
    known = {**(loads(EXPECTED.read_text(encoding="utf-8")) if EXPECTED.exists() else {}), name: found}
    tables = [
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(known[name][key])}\n" for key in known[name])
        for name in sorted(known)
        if name in ENCODERS
    ]
    EXPECTED.write_text("\n".join(tables), encoding="utf-8")


@pytest.mark.parametrize("name", ENCODERS)
def test_a_known_encoder_is_judged_as_it_deserves(name: str, tmp_path: Path, *, update_golden: bool) -> None:
    if find_spec("transformers") is None:
        pytest.skip("transformers is not installed: `pip install -c constraints.txt -e '.[dev]'`")
    report = check(name, tmp_path)
    errors = [finding.id for finding in report.findings if finding.severity is Severity.ERROR]
    assert errors[:1] == [REFUSED[name]] if name in REFUSED else errors == [], report.findings
    if update_golden:
        rewrite(name, outcome(report))
    assert outcome(report) == loads(EXPECTED.read_text(encoding="utf-8"))[name]
