"""Runs that this machine or the user breaks off; all others are told by the specimens and `cli/test_check.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.report import Verdict
from audio_encoder_checker.sandbox.meter import Meter
from audio_encoder_checker.sandbox.running import Running

GOOD = Path(__file__).parent / "specimens" / "good-frames"


@pytest.mark.box
@pytest.mark.parametrize(
    ("error", "interrupted"), [(OSError(28, "No space left on device"), False), (KeyboardInterrupt(), True)]
)
@pytest.mark.parametrize("step", ["__init__", "begin"])
def test_a_start_that_breaks_off_leaves_the_verdict_open(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, step: str, *, interrupted: bool
) -> None:
    options = Options(trust=True, device="cpu")
    check_submission(GOOD, Options(stages=("archive", "source", "load"), trust=True, device="cpu"))  # box surveyed

    def breaking(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(Running, step, breaking)
    report = check_submission(GOOD, options)
    assert report.verdict is Verdict.UNDECIDED
    assert report.interrupted is interrupted
    assert report.findings == ()


@pytest.mark.box
def test_a_machine_that_runs_out_of_memory_is_not_the_encoders_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (GOOD / "encoder.py").read_text(encoding="utf-8")
    (tmp_path / "encoder.py").write_text(f"{text}\n\nimport os\n\nos.kill(os.getpid(), 9)\n", encoding="utf-8")
    monkeypatch.setattr(Meter, "machine_ran_out", lambda _meter: True)
    report = check_submission(tmp_path, Options(trust=True, device="cpu"))
    assert report.verdict is Verdict.UNDECIDED
    assert report.findings == ()
    assert any("this machine ran out of memory" in skipped.reason for skipped in report.open_questions)
