"""Code that asks tensors for their values is answered where there are none, and seen to do the same as with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

from audio_encoder_checker.child.devices import Pretence
from audio_encoder_checker.child.recorder import Recorder
from audio_encoder_checker.child.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPE = (2, 3200)


def as_it_was(audio: Tensor) -> list[float]:
    return [1.0 if torch.isnan(audio).any() else 0.0]


CURIOUS: dict[str, Callable[[Tensor], Any]] = {
    "item": lambda a: a.sum().item(),
    "float": lambda a: float(a.max()),
    "int": lambda a: int(torch.tensor(a.shape[1])),
    "bool": lambda a: bool(a.abs().max() > 10),
    "if": as_it_was,
    "format": lambda a: f"{a.mean():.3f}",
    "contains": lambda a: 3.0 in a,
    "index": lambda _: [1, 2, 3][torch.tensor(1)],
    "list": lambda a: torch.full((a.shape[0],), a.shape[1], device=a.device).tolist(),
    "known list": lambda _: torch.tensor([3, 4]).tolist(),
    "numpy": lambda a: a.detach().cpu().numpy().mean(),
    "numpy of clips": lambda a: [clip.numpy() for clip in a.cpu()],
    "array": lambda a: np.asarray(a.cpu()),
    "equal": lambda a: torch.equal(a, a),
    "allclose": lambda a: torch.allclose(a, a + 1),
    "unique": lambda _: torch.unique(torch.tensor([1, 2, 2])),
    "nonzero": lambda a: a.nonzero(),
    "masked": lambda a: a.masked_select(a > 0),
}


def curious(ask: Callable[[Tensor], Any]) -> nn.Module:
    class Curious(nn.Module):
        def forward(self, audio: Tensor) -> Tensor:
            self.answer = ask(audio)
            return audio.unfold(-1, 160, 160) * 2

    return Curious()


def operations(ask: Callable[[Tensor], Any], monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """What is done with real audio, and without data."""
    seen: list[list[str]] = []
    begin = Recorder.begin_call

    def noted(recorder: Recorder) -> None:
        begin(recorder)
        recorder.ledger.operations = _Named()
        seen.append(recorder.ledger.operations.names)

    monkeypatch.setattr(Recorder, "begin_call", noted)
    trial = Trial(lambda: curious(ask), Pretence(str(Path(__file__).parent)))
    trial.real(torch.zeros(SHAPE), profiled=False)
    trial.symbolic(*SHAPE, grad=False)
    return seen[0], seen[1]


class _Named(list[Any]):
    """Keeps the names of what is appended."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def append(self, operation: Any) -> None:
        super().append(operation)
        self.names.append(operation.name)


@pytest.mark.parametrize("name", CURIOUS)
def test_the_same_is_done_without_data(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_data, without = operations(CURIOUS[name], monkeypatch)
    assert with_data
    assert without == with_data


def test_torch_is_as_it_was_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    before = (FakeTensor.device, FakeTensor.tolist)
    operations(CURIOUS["list"], monkeypatch)
    assert (FakeTensor.device, FakeTensor.tolist) == before


def test_what_wanted_values_is_told() -> None:
    trial = Trial(lambda: curious(CURIOUS["item"]), Pretence(str(Path(__file__).parent)))
    trial.real(torch.zeros(SHAPE), profiled=False)
    header, _ = trial.symbolic(*SHAPE, grad=False)
    assert header["stand_ins"] == ["item"]
