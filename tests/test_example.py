"""The example submission keeps what the contract asks for; people will copy it."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parent.parent / "example_submission"


def load_module() -> ModuleType:
    spec = spec_from_file_location("example_submission_encoder", FOLDER / "encoder.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def encoder() -> Any:
    return load_module().TinyMelEncoder()


def noise(clips: int, samples: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(clips, samples, generator=torch.Generator().manual_seed(seed))


def test_the_module_has_one_name_that_ends_in_encoder() -> None:
    assert [name for name in dir(load_module()) if name.endswith("Encoder")] == ["TinyMelEncoder"]


def test_the_attributes_are_plain_numbers(encoder: Any) -> None:
    attributes = [encoder.sampling_rate, encoder.output_dim, encoder.hop_size_in_ms]
    assert attributes == [16000, 288, 20]
    assert all(type(value) is int for value in attributes)
    assert not encoder.training


@pytest.mark.parametrize("batch", [1, 2, 3, 17])
@pytest.mark.parametrize("samples", [400, 401, 1600, 16001, 50000])
def test_any_length_and_batch_gives_frames(encoder: Any, samples: int, batch: int) -> None:
    frames = encoder(noise(batch, samples))
    assert frames.shape == (batch, max(1, samples // 320), 288)
    assert frames.dtype == torch.float32
    assert torch.isfinite(frames).all()
    assert not frames.requires_grad


def test_ten_minutes_are_encoded_piece_by_piece(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    front_end = encoder.mel_spectrum

    def watched(audio: Tensor) -> Tensor:
        sizes.append(audio.numel())
        spectrum: Tensor = front_end(audio)
        return spectrum

    monkeypatch.setattr(encoder, "mel_spectrum", watched)
    assert encoder(noise(1, 600 * 16000)).shape == (1, 30000, 288)
    assert sizes == [20 * 16000] * 30


def test_silence_and_full_scale_are_finite(encoder: Any) -> None:
    for audio in (torch.zeros(2, 16000), torch.ones(2, 16000), torch.sign(noise(2, 16000))):
        assert torch.isfinite(encoder(audio)).all()


def test_frames_depend_neither_on_batch_mates_nor_on_the_call(encoder: Any) -> None:
    audio = noise(19, 24000)
    together = encoder(audio)
    assert torch.equal(together, encoder(audio))
    for row in (0, 7, 8, 18):
        assert torch.allclose(encoder(audio[row : row + 1])[0], together[row], atol=1e-4)


def test_frames_depend_on_the_audio(encoder: Any) -> None:
    one, other = encoder(noise(1, 16000)), encoder(noise(1, 16000, seed=1))
    assert (one - other).abs().mean() > 0.01
    assert one.std(dim=1).mean() > 0.01


def test_a_waveform_without_a_batch_is_a_batch_of_one(encoder: Any) -> None:
    audio = noise(1, 16000)
    assert torch.equal(encoder(audio[0]), encoder(audio))


def test_the_input_is_left_as_it_is(encoder: Any) -> None:
    audio = noise(2, 16000)
    before = audio.clone()
    encoder(audio)
    assert torch.equal(audio, before)


def test_the_declared_hop_is_the_real_one(encoder: Any) -> None:
    short, long = (encoder(noise(1, seconds * 16000)).shape[1] for seconds in (2, 12))
    assert 10_000 / (long - short) == pytest.approx(encoder.hop_size_in_ms, rel=0.01)


def test_a_click_moves_the_frames_around_it_and_no_others(encoder: Any) -> None:
    audio = noise(1, 64000)
    clicked = audio.clone()
    clicked[0, 32000] += 0.9
    moved = (encoder(audio) - encoder(clicked)).abs().amax(-1)[0] > 1e-4
    where = torch.nonzero(moved)[:, 0] * 0.02
    assert where.min() > 1.2
    assert where.max() < 2.8
    assert moved[100]


def test_the_weights_are_small_and_really_loaded(encoder: Any) -> None:
    assert (FOLDER / "weights.safetensors").stat().st_size < 2_000_000
    assert encoder.mean.abs().sum() > 0
