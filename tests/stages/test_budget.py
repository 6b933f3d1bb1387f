"""The budget stage with a child in this very process: what it asks, and what it makes of the answers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from torch import Tensor, nn

from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.child import failure
from audio_encoder_checker.child.devices import Pretence
from audio_encoder_checker.child.encode import waveforms
from audio_encoder_checker.child.trial import Trial as InChild
from audio_encoder_checker.evaluation.tasks import challenge_tasks
from audio_encoder_checker.evidence.budget import Basis, Fit, GpuForecast, RamForecast, TimeForecast
from audio_encoder_checker.evidence.run import Ending, Outcome
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.sandbox.ask import Answer
from audio_encoder_checker.stages.budget import Loaded, Trial, outside_torch
from audio_encoder_checker.stages.load import Target
from tests.literals import raised

if TYPE_CHECKING:
    from collections.abc import Callable

    from audio_encoder_checker.sandbox.ask import Session

ROOT = str(Path(__file__).parent)
GIB = 1 << 30
FINE = Outcome(Ending.ANSWERED, 0.01)


class Frames(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(640, 16)

    def forward(self, audio: Tensor) -> Tensor:
        states: Tensor = self.linear(audio.unfold(-1, 640, 640))
        return states


class ByHand(Frames):
    def forward(self, audio: Tensor) -> Tensor:
        x = super().forward(audio)[:, None].expand(-1, 16, -1, -1)
        return ((x @ x.transpose(-1, -2)).softmax(-1) @ x).mean(1)


class Depends(Frames):
    def forward(self, audio: Tensor) -> Tensor:
        for _ in audio[:, :1600].abs().amax(0).gt(0.2).nonzero():
            audio = audio * 1.0
        return super().forward(audio)


class Fails(Frames):
    def forward(self, audio: Tensor) -> Tensor:
        raise ValueError(f"no {audio.shape[1]} samples")


@dataclass
class InProcess:
    """A session whose child is here.

    Args:
        make: the encoder.
        dies_at: the first clip without data that is as long ends the child, in seconds.
        garble: what becomes of a header.
    """

    make: Callable[[], nn.Module]
    dies_at: float = 1e9
    garble: Callable[[dict[str, Any]], dict[str, Any]] = lambda header: header
    ended: Outcome | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    device: str = "cpu"
    repository_path: str = ROOT
    limits: Any = field(default_factory=lambda: SimpleNamespace(answer_bytes=1 << 29))
    child: InChild | None = None

    def resident_bytes(self) -> int:
        return GIB

    def ask(self, question: dict[str, Any], payload: memoryview | bytes = b"", *, timeout_s: float) -> Answer:
        assert self.ended is None
        assert timeout_s > 0
        self.asked.append(question)
        if question.get("samples", 0) >= 16000 * self.dies_at:
            self.ended = Outcome(Ending.OUT_OF_MEMORY, 0.5)
            return Answer(self.ended)
        try:
            if question["step"] == "build":
                torch.manual_seed(0)
                self.child = InChild(lambda: self.make().eval(), Pretence(ROOT))
                return Answer(FINE, {"built": True})
            assert self.child is not None
            if question["step"] == "real":
                audio = waveforms(memoryview(payload), question["shape"], "cpu").clone()
                header, rows = self.child.real(audio, profiled=question["profiled"])
            else:
                header, rows = self.child.symbolic(question["batch"], question["samples"], grad=question["grad"])
        except Exception as error:  # noqa: BLE001 - the participant's
            failure.describe(error, ROOT)
            return Answer(raised(type(error).__name__, str(error)))
        return Answer(FINE, self.garble(header), memoryview(rows))


def tried(session: InProcess, *, outside: tuple[str, ...] = (), **changes: Any) -> tuple[GpuForecast, dict[type, Any]]:
    rules = load_rules()
    rules = replace(rules, limits=replace(rules.limits, **{"search_s": 1.0, **changes}))
    trial = Trial(
        cast("Session", session), Target("encoder.py", "encoder", "Encoder"), rules, Loaded(GIB, GIB // 2),
        rate_hz=16000, seed=0, load_s=60, call_s=60, outside=outside,
    )  # fmt: skip
    gpu, others = trial.run(challenge_tasks())
    return gpu, {type(one): one for one in others}


def test_an_encoder_that_fits() -> None:
    gpu, others = tried(InProcess(Frames))
    assert (gpu.basis, gpu.fit, gpu.not_covered, gpu.quadratic) == (Basis.FORECAST, Fit.FITS, (), None)
    assert {(point.batch, point.seconds) for point in gpu.demanded} == {(16, 10), (16, 35), (1, 600)}
    assert gpu.weights_bytes == (640 * 16 + 16) * 4
    assert abs(gpu.books_error) < 0.02
    assert gpu.gradient_factor >= 1
    assert gpu.largest_batch is not None
    assert gpu.largest_batch.value >= 16
    assert gpu.longest_s is not None
    assert gpu.longest_s.value >= 600
    assert gpu.timeline
    lengths = {point.seconds: point for point in gpu.points if point.batch == 1}
    assert {10, 60, 120, 600} <= set(lengths)
    assert lengths[10].card_s < lengths[60].card_s < lengths[600].card_s
    ram, time = others[RamForecast], others[TimeForecast]
    assert (ram.loading_bytes, ram.fit) == (GIB, Fit.FITS)
    assert time.bytes_per_s == pytest.approx(25 * 16 * 4)
    assert len(time.tasks) > 15


def test_the_scores_of_attention_by_hand_do_not_fit() -> None:
    gpu, _ = tried(InProcess(ByHand))
    assert (gpu.basis, gpu.fit) == (Basis.FORECAST, Fit.TOO_LARGE)
    assert gpu.worst is not None
    assert gpu.worst.words == "1 x 600 s"
    assert gpu.worst.lower_bytes > 2 * 16 * 15000**2 * 4
    assert gpu.quadratic is not None
    assert gpu.quadratic.shape[-2:] == (3000, 3000)
    assert gpu.quadratic.line.startswith("test_budget.py:")
    assert gpu.longest_s is not None
    assert 400 < gpu.longest_s.value < 600
    assert not gpu.longest_s.more


def test_what_depends_on_values_is_estimated_from_longer_calls() -> None:
    session = InProcess(Depends)
    gpu, others = tried(session)
    assert (gpu.basis, gpu.fit) == (Basis.EXTRAPOLATED, Fit.BORDERLINE)
    assert "it branches on values" in gpu.not_covered[0]
    assert len(gpu.demanded) == 3
    assert gpu.largest_batch is None
    lengths = [question["shape"][1] / 16000 for question in session.asked if question["step"] == "real"]
    assert max(lengths) > 9
    assert set(others) == {RamForecast, TimeForecast}
    assert others[TimeForecast].bytes_per_s == pytest.approx(25 * 16 * 4, rel=0.02)


def test_a_call_that_fails_leaves_it_open() -> None:
    gpu, others = tried(InProcess(Fails))
    assert (gpu.fit, gpu.points, others) == (Fit.UNKNOWN, (), {})
    assert "no 50000 samples" in gpu.not_covered[0]


def test_an_encoder_that_cannot_be_built_is_not_called() -> None:
    def broken() -> nn.Module:
        raise RuntimeError("no weights")

    session = InProcess(broken)
    gpu, others = tried(session)
    assert [question["step"] for question in session.asked] == ["build"]
    assert (gpu.fit, others) == (Fit.UNKNOWN, {})
    assert gpu.not_covered[0].startswith("loading on a pretended GPU: ")


def test_what_was_known_before_the_child_died_is_kept() -> None:
    gpu, _ = tried(InProcess(Frames, dies_at=590))
    assert gpu.fit is Fit.UNKNOWN
    assert {point.words for point in gpu.demanded} <= {"16 x 10 s", "16 x 35 s"}
    assert any("memory" in why for why in gpu.not_covered)


def test_books_that_cannot_be_read_are_told() -> None:
    gpu, others = tried(InProcess(Frames, garble=lambda header: {**header, "events": 7}))
    assert (gpu.fit, others) == (Fit.UNKNOWN, {})
    assert "the record of its memory cannot be read" in gpu.not_covered[0]


def test_books_that_hold_less_than_the_allocator_gave_are_not_trusted() -> None:
    def hide(header: dict[str, Any]) -> dict[str, Any]:
        truth = header.get("truth")
        return {**header, "truth": {**truth, "allocator": 2 * truth["allocator"]}} if truth else header

    gpu, _ = tried(InProcess(Frames, garble=hide))
    assert gpu.books_error == pytest.approx(-0.5, abs=0.02)
    assert gpu.not_covered == ("50% of what the CPU's allocator gave is not accounted for",)


def test_the_search_ends_with_its_time() -> None:
    gpu, _ = tried(InProcess(Frames), search_s=0.0)
    assert gpu.largest_batch is not None
    assert (gpu.largest_batch.value, gpu.largest_batch.more) == (16, True)


class Slow(Frames):
    def forward(self, audio: Tensor) -> Tensor:
        time.sleep(0.0005 * audio.numel() / 16000)
        return super().forward(audio)


def test_no_call_is_made_that_would_take_longer_than_the_search_may() -> None:
    session = InProcess(Slow)
    gpu, _ = tried(session)
    assert gpu.largest_batch is not None
    assert gpu.largest_batch.more
    assert max(question.get("batch", 0) for question in session.asked) < 512


def test_a_library_that_takes_memory_of_its_own_is_told_and_nothing_surely_fits(tmp_path: Path) -> None:
    (tmp_path / "encoder.py").write_text(
        "import numpy, torch\nfrom helper import *\nclass MyEncoder(torch.nn.Module): ...\n", encoding="utf-8"
    )
    (tmp_path / "helper.py").write_text("def late():\n    import onnxruntime as ort\n", encoding="utf-8")
    (tmp_path / "train.py").write_text("import jax\n", encoding="utf-8")
    outside = outside_torch(read_sources(tmp_path, None))
    assert outside == ("onnxruntime",)
    gpu, _ = tried(InProcess(Frames), outside=outside)
    assert gpu.fit is Fit.BORDERLINE
    assert gpu.not_covered == ("onnxruntime takes memory of its own, outside torch",)
    assert outside_torch(None) == ()
