from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation.clips import Clips
from audio_encoder_checker.evaluation.encode import embed, zero_padded

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOP = 40


def clips_of(audio: NDArray[np.float32], sampling_rate: int = 16_000) -> Clips:
    count = len(audio)
    return Clips(audio, sampling_rate, np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.uint8))


def noise(count: int, samples: int = 400) -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-1, 1, (count, samples)).astype(np.float32)


def frames_of(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """The plainest encoder: its frames are the audio itself, [B, samples] -> [B, samples / HOP, HOP]."""
    return audio.reshape(len(audio), -1, HOP)


def ignore(_done: int, _total: int) -> None:
    """Progress nobody looks at."""


@pytest.mark.parametrize(("count", "batches"), [(1, [1]), (16, [16]), (37, [16, 16, 5])])
def test_clips_go_in_batches_in_the_order_of_the_file_and_vectors_come_back_in_it(
    count: int, batches: list[int]
) -> None:
    audio, seen = noise(count), []

    def encode(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        seen.append(batch)
        return frames_of(batch)

    embeddings = embed(clips_of(audio), encode, 16_000, 16, ignore)
    assert [len(batch) for batch in seen] == batches
    np.testing.assert_array_equal(np.concatenate(seen), audio)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, frames_of(audio).mean(axis=1), atol=1e-7)


def test_progress_ends_at_the_number_of_clips() -> None:
    told: list[tuple[int, int]] = []
    embed(clips_of(noise(37)), frames_of, 16_000, 16, lambda done, total: told.append((done, total)))
    assert told == [(16, 37), (32, 37), (37, 37)]


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_a_tone_keeps_its_pitch_and_loudness_at_the_rate_of_the_encoder(rate: int) -> None:
    seconds, pitch = 0.5, 1000.0
    tone = np.sin(2 * np.pi * pitch * np.arange(int(16_000 * seconds)) / 16_000).astype(np.float32)[None]
    heard: list[NDArray[np.float32]] = []

    def encode(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        heard.append(batch)
        return np.ones((len(batch), 1, 1), dtype=np.float32)

    embed(clips_of(tone), encode, rate, 16, ignore)
    wave = heard[0][0]
    assert heard[0].dtype == np.float32
    assert abs(len(wave) - rate * seconds) <= 1
    spectrum = np.abs(np.fft.rfft(wave))
    assert spectrum.argmax() * rate / len(wave) == pytest.approx(pitch, abs=rate / len(wave))
    assert np.sqrt(np.mean(wave**2)) == pytest.approx(np.sqrt(0.5), rel=0.01)


def test_shorter_clips_are_padded_with_zeros_behind() -> None:
    padded = zero_padded([np.ones(2, np.float32), np.full(4, 2.0, np.float32), np.ones(0, np.float32)])
    assert padded.dtype == np.float32
    assert padded.tolist() == [[1, 1, 0, 0], [2, 2, 2, 2], [0, 0, 0, 0]]


def test_no_clips_are_refused() -> None:
    with pytest.raises(ValueError, match="no clips"):
        embed(clips_of(noise(0)), frames_of, 16_000, 16, ignore)


def test_a_batch_that_lost_a_clip_is_refused_because_labels_would_shift() -> None:
    with pytest.raises(ValueError, match="expected 3 clips of dimension 40"):
        embed(clips_of(noise(3)), lambda audio: frames_of(audio[1:]), 16_000, 16, ignore)


def test_a_dimension_that_changes_between_batches_is_refused() -> None:
    def encode(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return batch.reshape(len(batch), -1, HOP if len(batch) == 2 else HOP * 2)

    with pytest.raises(ValueError, match="expected 1 clips of dimension 40"):
        embed(clips_of(noise(3)), encode, 16_000, 2, ignore)


def test_an_encoder_that_returns_no_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="T > 0"):
        embed(clips_of(noise(2)), lambda audio: np.zeros((len(audio), 0, 8), np.float32), 16_000, 16, ignore)


def test_what_goes_wrong_in_a_call_reaches_the_caller() -> None:
    def encode(_: NDArray[np.float32]) -> NDArray[np.float32]:
        raise TimeoutError("the child is gone")

    with pytest.raises(TimeoutError, match="the child is gone"):
        embed(clips_of(noise(2)), encode, 16_000, 16, ignore)
