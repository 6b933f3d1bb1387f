"""What is seen of an encoder at work."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from audio_encoder_checker.child import observe


def in_chunks(audio: torch.Tensor) -> torch.Tensor:
    return torch.cat([audio[:, i : i + 4000] for i in range(0, audio.shape[1], 4000)], dim=1)


@pytest.mark.parametrize(
    ("encoder", "chunks"),
    [
        (in_chunks, [4000, 2000]),
        (lambda audio: torch.cat(audio.split(4000, dim=1), dim=1), [4000, 2000]),
        (lambda audio: audio.narrow(1, 0, 8000), [8000]),
        (lambda audio: functional.pad(audio[:, :3000], (0, 1000)), [3000, 4000]),
        (lambda audio: audio[:, 1:] - audio[:, :-1], []),
        (lambda audio: audio.unfold(1, 80, 80).mean(-1), []),
        (lambda audio: audio * 2, []),
    ],
)
def test_pieces_that_the_audio_is_cut_into_are_counted(encoder: object, chunks: list[int]) -> None:
    _, seen = observe.watched(encoder, torch.zeros(1, 22_000), "chunks")
    assert seen["chunks"] == chunks


def test_layers_are_named_with_what_they_return_and_the_hooks_are_gone() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(10, 4), torch.nn.GRU(4, 3, batch_first=True))
    _, seen = observe.watched(network, torch.zeros(2, 5, 10), "layers")
    assert seen["layers"] == [["0", [2, 5, 4]], ["1", [2, 5, 3]]]
    assert not any(module._forward_hooks for module in network.modules())


def test_nothing_is_noted_unless_asked_for() -> None:
    assert observe.watched(lambda audio: audio, torch.zeros(1, 10), "")[1] == {}
