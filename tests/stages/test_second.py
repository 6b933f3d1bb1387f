"""What a real GPU's exceptions are taken for, and what a child says of a pretended one."""

from __future__ import annotations

import pytest

from audio_encoder_checker.evidence.device import Mistake
from audio_encoder_checker.stages.second import on_real_device, read_culprit
from tests.literals import ANSWERED, raised


@pytest.mark.parametrize(
    ("message", "mistake"),
    [
        ("Expected all tensors to be on the same device, but found at least two devices", Mistake.OTHER),
        ("stft input and window must be on the same device but got self on cuda:0", Mistake.OTHER),
        ("Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) should be the same", Mistake.OTHER),
        ("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu()", Mistake.NUMPY),
        ("CUDA error: invalid device ordinal", Mistake.ORDINAL),
        ("shape '[2, -1]' is invalid", None),
    ],
)
def test_a_real_gpus_exception_names_the_mistake(message: str, mistake: Mistake | None) -> None:
    facts = on_real_device("cuda:0", raised("RuntimeError", message))
    assert not facts.pretended
    assert (facts.culprit.mistake if facts.culprit else None) is mistake


def test_an_encoder_that_runs_on_a_real_gpu_left_its_output_there() -> None:
    facts = on_real_device("cuda:0", ANSWERED)
    assert (facts.culprit, facts.output_device) == (None, "cuda:0")


def test_a_culprit_is_read_field_by_field() -> None:
    told = {"kind": "factory", "name": "zeros", "op": "aten.add", "file": "a.py", "line": 3, "text": "x"}
    found = read_culprit(told)
    assert found is not None
    assert (found.mistake, found.name, found.operation) == (Mistake.FACTORY, "zeros", "aten.add")
    assert found.made is not None
    assert (found.made.file, found.made.line) == ("a.py", 3)


@pytest.mark.parametrize("told", [None, [], "factory", 3])
def test_what_is_no_culprit_is_none(told: object) -> None:
    assert read_culprit(told) is None


def test_a_culprit_of_an_unknown_kind_is_some_other_mistake() -> None:
    found = read_culprit({"kind": ["x"], "line": "y"})
    assert found is not None
    assert (found.mistake, found.made) == (Mistake.OTHER, None)
