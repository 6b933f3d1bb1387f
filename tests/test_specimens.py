"""Tiny submissions, one per defect, through the whole line in a real box.

A folder `AECnnn-what-is-wrong` must be found wrong by exactly that check; `good-...` must not be found wrong at
all, `undecided-...` neither, but it must not pass. `pytest --update-golden` rewrites the `expected.txt` beside each.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.report import Report, Verdict
from audio_encoder_checker.sandbox.choose import survey
from audio_encoder_checker.stages.order import STAGES
from tests.builders import dress
from tests.profiles import BRIEF, changed_machine, changed_profile

pytestmark = pytest.mark.box

FOLDER = Path(__file__).parent / "specimens"
HOSTILE = Path(__file__).parent / "hostile"
SPECIMENS = sorted(p for p in FOLDER.iterdir() if p.is_dir() and not p.name.startswith("."))
UNSTEADY = re.compile(
    r"\d[\d.]* [MG]iB|(?<=differ by )\S+|(?<=full after )\S+|(?<=over )\d+(?= calls)|(?<=audio of )\S+"
    r"|\d+\.\d+e?-?\d*|(?<=cosine )-?[\d.]+|(?<=\()\d+ samples"
    r"|\d+ frames for \S+ s, \d+ for \S+ s(?=$|\))"
    r"|\d+(?= to \d+ h,)|(?<= to )\d+(?= h,)|(?<=the CPU takes )\d+"
)
"""Figures that are not the same on every run and machine."""
JUDGED_LATE = {"7": ("budget",), "8": ("evaluate",)}
"""The stages of these families; they take longer than all others."""
SMALLER: dict[str, dict[str, float]] = {
    "AEC704": {"ram_total_bytes": 2_500_000_000},
    "AEC705": {"session_hours": 0.25},
}
"""What a smaller machine shows as well, and sooner."""
IMPATIENT = {"AEC405", "AEC508"}
TWICE = {"AEC409", "AEC410", "AEC411", "AEC525", "AEC530", "AEC531", "AEC532"}
"""Found by starting the encoder a second time."""


def options(specimen: Path, folder: Path) -> Options:
    """The default rules for good ones, else shorter calls, and a second process where it is what finds the defect."""
    name = specimen.name[:6]
    changes: dict[str, Any] = {} if specimen.name.startswith("good-") else {**BRIEF, "second_process": name in TWICE}
    if name == "AEC002":
        changes["ram_bytes"] = 1_000_000_000
    return Options(
        profile=changed_profile(folder, **changes),
        machine=changed_machine(folder, **SMALLER[name]) if name in SMALLER else "",
        stages=(*STAGES[:5], *JUDGED_LATE.get(name[3], ())),
        trust=True,
        device="cpu",
        timeout_s=2.0 if name in IMPATIENT else 60.0,
    )


def summary(report: Report) -> str:
    """Verdict and findings as text that is the same on every run and machine."""
    lines = [report.verdict.words]
    for finding in report.findings:
        if finding.because_of == "AEC520":
            continue  # what follows from chance is left to it
        message = UNSTEADY.sub("#", finding.message)
        lines += [f"{finding.severity.value} {finding.id} {finding.name} {finding.at}".rstrip(), f"  {message}"]
        lines += [f"  because of {finding.because_of}"] if finding.because_of else [f"  fix: {finding.hint}"]
    lines += sorted({f"not judged: {skipped.reason}" for skipped in report.open_questions})
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda p: p.name)
def test_a_specimen_is_found_wrong_for_what_it_is(specimen: Path, tmp_path: Path, *, update_golden: bool) -> None:
    if specimen.name.startswith("undecided-") and not any(one.box and one.box.observes for one in survey()):
        pytest.skip("no box here can observe a network")
    repository = dress(Path(shutil.copytree(specimen, tmp_path / "repository")))
    report = check_submission(repository, options(specimen, tmp_path))
    ids = [finding.id for finding in report.findings]
    if specimen.name.startswith("good-"):
        assert ids == []
        assert report.verdict is Verdict.READY
    elif specimen.name.startswith("undecided-"):
        assert Severity.ERROR not in {finding.severity for finding in report.findings}
        assert report.verdict is Verdict.UNDECIDED
    else:
        assert ids[:1] == [specimen.name[:6]], "the first finding is the root cause"
    golden = specimen / "expected.txt"
    if update_golden:
        golden.write_text(summary(report), encoding="utf-8")
    assert summary(report) == golden.read_text(encoding="utf-8")


def test_every_check_that_runs_an_encoder_has_a_specimen() -> None:
    shown: set[str] = set()
    for expected in (*FOLDER.glob("*/expected.txt"), *HOSTILE.glob("*/expected.toml")):  # each is held to it
        shown.update(re.findall(r"AEC\d{3}", expected.read_text(encoding="utf-8")))
    of_data = {"AEC804", "AEC805"}  # shown by `stages/test_evaluate.py`: it is the data that is wrong
    assert {c.id for c in all_checks() if c.id[3] in "04578"} - shown == of_data
