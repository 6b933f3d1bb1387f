"""Runs that this machine or the user breaks off; all others are told by the specimens and `cli/test_check.py`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from audio_encoder_checker.devices import gpus
from audio_encoder_checker.evidence.behaviour import SecondStart
from audio_encoder_checker.evidence.budget import Basis, GpuForecast
from audio_encoder_checker.evidence.device import DeviceFacts
from audio_encoder_checker.evidence.run import Isolation, Usage
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.report import Verdict
from audio_encoder_checker.sandbox.choose import survey
from audio_encoder_checker.sandbox.meter import Meter
from audio_encoder_checker.sandbox.running import Running
from audio_encoder_checker.stages.order import STAGES
from tests.builders import dress, make_zip, write_tree
from tests.profiles import BRIEF, changed_profile

GOOD = Path(__file__).parent / "specimens" / "good-frames"


def test_a_finding_in_a_zip_comes_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    path.write_bytes(make_zip({"team/encoder.py": "import torch\nclass AcmeEncoder(:\n    pass\n"}))
    finding = check_submission(path, Options(stages=STAGES[:2])).findings[0]
    assert (finding.id, finding.at) == ("AEC206", "encoder.py:2")
    assert [one.text for one in finding.excerpt] == ["import torch", "class AcmeEncoder(:", "    pass"]


@pytest.mark.box
@pytest.mark.parametrize(
    ("error", "interrupted"), [(OSError(28, "No space left on device"), False), (KeyboardInterrupt(), True)]
)
@pytest.mark.parametrize("step", ["__init__", "begin"])
def test_a_start_that_breaks_off_leaves_the_verdict_open(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, step: str, *, interrupted: bool
) -> None:
    options = Options(trust=True, device="cpu")
    survey()  # starts boxes itself, once

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
    shutil.copytree(GOOD, tmp_path, dirs_exist_ok=True)
    text = (GOOD / "encoder.py").read_text(encoding="utf-8")
    (tmp_path / "encoder.py").write_text(f"{text}\n\nimport os\n\nos.kill(os.getpid(), 9)\n", encoding="utf-8")
    monkeypatch.setattr(Meter, "machine_ran_out", lambda _meter: True)
    report = check_submission(tmp_path, Options(trust=True, device="cpu"))
    assert report.verdict is Verdict.UNDECIDED
    assert report.findings == ()
    assert any("this machine ran out of memory" in skipped.reason for skipped in report.open_questions)


@pytest.mark.box
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another user")
def test_a_zip_that_root_checks_runs_under_a_user_of_its_own(tmp_path: Path) -> None:
    if survey()[0].box is None:
        pytest.skip(survey()[0].why_not)
    path = tmp_path / "submission.zip"
    path.write_bytes(make_zip({"encoder.py": (GOOD / "encoder.py").read_text(encoding="utf-8")}))
    report = check_submission(path, Options(stages=STAGES[:4], device="cpu"))
    isolation = report.evidence.get(Isolation)
    assert report.verdict is Verdict.READY
    assert isolation is not None
    assert "a user of its own" in isolation.mechanisms
    assert not any("root" in gap for gap in isolation.unprotected)


@pytest.mark.box
@pytest.mark.skipif(bool(gpus()), reason="a GPU that works is used")
@pytest.mark.parametrize(("wanted", "verdict"), [("auto", Verdict.READY), ("cuda", Verdict.UNDECIDED)])
def test_a_gpu_that_torch_cannot_use_is_left_alone_unless_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, wanted: str, verdict: Verdict
) -> None:
    monkeypatch.setattr("audio_encoder_checker.devices.gpus", lambda: ("NVIDIA T4",))
    report = check_submission(GOOD, Options(stages=STAGES[:4], trust=True, device=wanted))
    usage = report.evidence.get(Usage)
    assert report.verdict is verdict, report.open_questions
    assert usage is not None
    assert usage.device == ("cpu" if wanted == "auto" else "cuda:0")
    assert verdict is Verdict.READY or "cannot use it in the" in report.open_questions[0].reason


@pytest.mark.box
@pytest.mark.parametrize("tier", [one.tier for one in survey() if one.box])
def test_a_second_process_compares_and_the_third_plays_the_gpu(tmp_path: Path, tier: str) -> None:
    profile = changed_profile(tmp_path, **{**BRIEF, "second_process": True})
    options = Options(stages=STAGES[:5], box=tier, trust=True, device="cpu", profile=profile)
    report = check_submission(GOOD, options)
    second, device = report.evidence.get(SecondStart), report.evidence.get(DeviceFacts)
    assert second is not None
    assert second.difference is not None
    assert (second.difference.relative, second.at_root) == (0.0, None)
    assert device is not None
    assert (device.pretended, device.output_device, device.culprit) == (True, "cuda:0", None)


HELD_BY_A_MODULE = """
import torch

LAYER = torch.nn.Linear(160, 4).eval()


class HeldEncoder(torch.nn.Module):
    sampling_rate, output_dim, hop_size_in_ms = 16_000, 4, 10

    def __init__(self):
        super().__init__()
        self.layer = LAYER

    def forward(self, audio):
        audio = torch.nn.functional.pad(audio, (0, max(160 - audio.shape[-1], 0)))
        return self.layer(audio.unfold(-1, 160, 160))
"""


@pytest.mark.box
def test_the_process_that_played_the_gpu_keeps_the_books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a module has held since that first construction is counted as well."""
    started: list[Running] = []
    begin = Running.begin

    def counted(running: Running) -> None:
        started.append(running)
        begin(running)

    monkeypatch.setattr(Running, "begin", counted)
    profile = changed_profile(tmp_path, **{**BRIEF, "second_process": True, "search_s": 0.1})
    repository = dress(write_tree(tmp_path / "repository", {"encoder.py": HELD_BY_A_MODULE}))
    report = check_submission(repository, Options(stages=STAGES[:-1], trust=True, device="cpu", profile=profile))
    forecast = report.evidence.get(GpuForecast)
    assert len(started) == 3, "the encoder, a second one, and the one on the pretended GPU"
    assert forecast is not None
    assert (forecast.basis, forecast.not_covered) == (Basis.FORECAST, ())
    assert forecast.weights_bytes == 4 * (160 * 4 + 4)


@pytest.mark.box
def test_a_machine_without_room_for_a_second_process_leaves_its_checks_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1 << 20))
    profile = changed_profile(tmp_path, **{**BRIEF, "second_process": True})
    report = check_submission(GOOD, Options(stages=STAGES[:5], trust=True, device="cpu", profile=profile))
    assert report.verdict is Verdict.UNDECIDED
    reasons = {skipped.id: skipped.reason for skipped in report.open_questions}
    assert "a second process of the encoder needs" in reasons["AEC525"]
