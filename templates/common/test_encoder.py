"""What your encoder has to keep; run it with `python -m pytest`. `aecc-check .` asks more, in an isolated box."""

# ruff: noqa: S101 (pytest tests are made of asserts)
from __future__ import annotations

import pytest
import torch
from encoder import TemplateEncoder


@pytest.fixture(scope="module")
def encoder() -> TemplateEncoder:
    """One encoder for all tests."""
    return TemplateEncoder()


@pytest.mark.parametrize("seconds", [0.025, 0.1, 1, 3.14159, 30])
@pytest.mark.parametrize("batch", [1, 2])
def test_gives_one_frame_per_hop(encoder: TemplateEncoder, batch: int, seconds: float) -> None:
    """The shape is `[B, T', D]`, and `hop_size_in_ms` is true."""
    features = encoder(torch.randn(batch, round(seconds * encoder.sampling_rate)))
    frames = max(1, int(seconds * 1000 / encoder.hop_size_in_ms))
    assert features.shape == (batch, frames, encoder.output_dim)
    assert features.dtype == torch.float32


def test_silence_gives_finite_features(encoder: TemplateEncoder) -> None:
    """NaN would turn every score of a task into that of guessing."""
    assert encoder(torch.zeros(1, encoder.sampling_rate)).isfinite().all()


def test_same_audio_gives_same_features(encoder: TemplateEncoder) -> None:
    """No dropout and no random numbers in `forward`."""
    audio = torch.randn(2, encoder.sampling_rate)
    torch.testing.assert_close(encoder(audio), encoder(audio))


def test_company_in_the_batch_changes_nothing(encoder: TemplateEncoder) -> None:
    """X-ARES encodes clips in batches; a clip must not depend on the others in its batch."""
    audio = torch.randn(3, encoder.sampling_rate) * torch.tensor([[0.1], [1.0], [10.0]])
    torch.testing.assert_close(encoder(audio[:1]), encoder(audio)[:1], rtol=1e-3, atol=1e-4)


def test_different_audio_gives_different_features(encoder: TemplateEncoder) -> None:
    """Constant features carry nothing."""
    one, other = encoder(torch.randn(2, encoder.sampling_rate))
    assert not torch.allclose(one, other)


def test_the_audio_is_left_as_it_was(encoder: TemplateEncoder) -> None:
    """In-place operations on the argument would change what the caller uses next."""
    audio = torch.randn(1, encoder.sampling_rate)
    before = audio.clone()
    encoder(audio)
    assert torch.equal(audio, before)
