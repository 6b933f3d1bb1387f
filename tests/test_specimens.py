"""Tiny submissions, one per defect, through the whole line in a real box.

A folder `AECnnn-what-is-wrong` must be found wrong by exactly that check; `good-...` must not be found wrong at
all, `undecided-...` neither, but it must not pass. `pytest --update-golden` rewrites the `expected.txt` beside each.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.pipeline import STAGES, Options, check_submission
from audio_encoder_checker.report import Report, Verdict
from audio_encoder_checker.sandbox.bubblewrap import find_bubblewrap

pytestmark = pytest.mark.box

FOLDER = Path(__file__).parent / "specimens"
SPECIMENS = sorted(p for p in FOLDER.iterdir() if p.is_dir() and not p.name.startswith("."))
OPTIONS = Options(stages=STAGES[:-1], trust=True, device="cpu")
IMPATIENT = {"AEC405", "AEC508"}


def options(specimen: Path) -> Options:
    name = specimen.name[:6]
    return Options(
        stages=STAGES if name.startswith("AEC8") else STAGES[:-1],
        trust=True,
        device="cpu",
        timeout_s=3.0 if name in IMPATIENT else 60.0,
    )


def summary(report: Report) -> str:
    """Verdict and findings as text that is the same on every run and machine."""
    lines = [report.verdict.words]
    for finding in report.findings:
        message = re.sub(r"(?<=differ by )\S+|\d+\.\d+e?-?\d*|\d+ MiB|(?<=cosine )-?\d+", "#", finding.message)
        lines += [f"{finding.severity.value} {finding.id} {finding.name} {finding.at}".rstrip(), f"  {message}"]
        lines += [f"  fix: {finding.hint}"]
    lines += sorted({f"not judged: {skipped.reason}" for skipped in report.open_questions})
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda p: p.name)
def test_a_specimen_is_found_wrong_for_what_it_is(specimen: Path, *, update_golden: bool) -> None:
    if specimen.name.startswith("undecided-") and find_bubblewrap()[0] is None:
        pytest.skip("only the strong box has no network")
    report = check_submission(specimen, options(specimen))
    ids = [finding.id for finding in report.findings]
    if specimen.name.startswith("good-"):
        assert ids == []
        assert report.verdict is Verdict.READY
    elif specimen.name.startswith("undecided-"):
        assert ids == []
        assert report.verdict is Verdict.UNDECIDED
    else:
        assert ids[:1] == [specimen.name[:6]], "the first finding is the root cause"
    golden = specimen / "expected.txt"
    if update_golden:
        golden.write_text(summary(report), encoding="utf-8")
    assert summary(report) == golden.read_text(encoding="utf-8")


def test_every_check_that_runs_an_encoder_has_a_specimen() -> None:
    shown = {p.name[:6] for p in SPECIMENS}
    needs_more = {"AEC002", "AEC803"}  # 12 GiB of memory, a trained encoder: tested on literals and in test_boxes
    running = {c.id for c in all_checks() if c.id[3] in "0458"}
    assert running - shown - needs_more == set()
