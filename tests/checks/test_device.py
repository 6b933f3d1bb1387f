"""AEC53x on literals."""

from __future__ import annotations

import pytest

from audio_encoder_checker.checks import device as checks
from audio_encoder_checker.evidence.device import Culprit, DeviceFacts, Mistake
from audio_encoder_checker.evidence.run import CodeFrame
from tests.literals import ANSWERED, raised

MADE = CodeFrame("mel.py", 5, "forward", "mask = torch.zeros(4)")
CHECKS = (checks.tensor_left_on_cpu, checks.numpy_on_gpu_tensor, checks.device_that_is_not_there)


@pytest.mark.parametrize("mistake", Mistake)
def test_every_mistake_is_named_by_one_check(mistake: Mistake) -> None:
    found = [check for check in CHECKS if list(check(DeviceFacts(True, raised(), Culprit(mistake))))]
    assert len(found) == 1


def test_an_encoder_that_runs_is_not_accused_nor_one_that_raises_for_another_reason() -> None:
    for facts in (DeviceFacts(True, ANSWERED, None, "cuda:0"), DeviceFacts(True, raised())):
        assert [problem for check in CHECKS for problem in check(facts)] == []


def test_AEC530_names_the_attribute_and_the_line_that_registers_it() -> None:
    culprit = Culprit(Mistake.ATTRIBUTE, "self.frontend.window", "aten.mul")
    (problem,) = checks.tensor_left_on_cpu(DeviceFacts(True, raised(), culprit))
    assert (
        problem.message
        == "on a pretended GPU (imitated on the CPU), `aten.mul` meets self.frontend.window, which is on the CPU"
    )
    assert "self.register_buffer('window'" in problem.hint
    assert problem.at == "encoder.py:12"


def test_AEC530_knows_models_in_a_plain_list() -> None:
    culprit = Culprit(Mistake.ATTRIBUTE, "self.nets[0].weight", "aten.convolution")
    (problem,) = checks.tensor_left_on_cpu(DeviceFacts(True, raised(), culprit))
    assert "`self.nets = torch.nn.ModuleList([...])`" in problem.hint


def test_AEC530_points_at_the_line_that_makes_the_tensor() -> None:
    facts = DeviceFacts(True, raised(), Culprit(Mistake.FACTORY, "zeros", made=MADE))
    (problem,) = checks.tensor_left_on_cpu(facts)
    assert "a tensor that `zeros` at mel.py:5 made on the CPU" in problem.message
    assert problem.at == "mel.py:5"
    assert "device=audio.device" in problem.hint


@pytest.mark.parametrize(
    ("culprit", "met", "hint", "at"),
    [
        (Culprit(Mistake.ATTRIBUTE), "an operation meets a tensor that is on the CPU", "", "encoder.py:12"),
        (Culprit(Mistake.FACTORY, "x[0]"), "an operation meets a tensor that is on the CPU", "add ", "encoder.py:12"),
        (Culprit(Mistake.FACTORY, made=MADE), "a tensor that the line at mel.py:5 made on the CPU", "add ", "mel.py:5"),
        (Culprit(Mistake.OTHER, "x[0]", "mul", MADE), "`mul` meets a tensor that is on the CPU", "", "mel.py:5"),
    ],
)
def test_AEC530_says_no_more_than_is_known(culprit: Culprit, met: str, hint: str, at: str) -> None:
    (problem,) = checks.tensor_left_on_cpu(DeviceFacts(True, raised(), culprit))
    assert problem.message.endswith(met)
    assert problem.hint.startswith(hint)
    assert bool(problem.hint) == bool(hint)
    assert problem.at == at


def test_a_real_gpu_is_not_called_pretended() -> None:
    real, played = (DeviceFacts(kind, raised(), Culprit(Mistake.NUMPY)) for kind in (False, True))
    assert "pretended" not in next(checks.numpy_on_gpu_tensor(real)).message
    assert "pretended" in next(checks.numpy_on_gpu_tensor(played)).message
