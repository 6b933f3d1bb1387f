"""Clips in, one vector for each out: the encoder is asked batch by batch, as X-ARES would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.pooling import mean_over_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.clips import Clips

    Encode = Callable[[NDArray[np.float32]], NDArray[np.float32]]
    """Audio [B, samples] in, frames [B, T, D] out."""


def embed(
    clips: Clips, encode: Encode, sampling_rate: int, batch: int, on_progress: Callable[[int, int], None]
) -> NDArray[np.float32]:
    """Encode all clips and average the frames of each at once, so that memory holds one batch of frames.

    Clips share a batch with their neighbours in the file and are zero-padded to the longest of them (quirk 3:
    the padding is kept). Whatever `encode` raises passes through.

    Args:
        clips: of one task.
        encode: asks the encoder.
        sampling_rate: the encoder's, in Hz; clips of another rate are resampled.
        batch: clips in a batch; the last one may be smaller.
        on_progress: told clips done and clips in all, after each batch.

    Returns:
        float32 [N, D], in file order.

    Raises:
        ValueError: there are no clips, or a batch came back as something else than its clips' frames, or with
            another D than the first.
    """
    import numpy as np

    total = len(clips.audio)
    if total == 0:
        raise ValueError("there are no clips to encode")
    pooled: list[NDArray[np.float32]] = []
    for start in range(0, total, batch):
        waves = [_resampled(wave, clips.sampling_rate, sampling_rate) for wave in clips.audio[start : start + batch]]
        vectors = mean_over_frames(encode(zero_padded(waves)))  # [B, D]
        expected = (len(waves), pooled[0].shape[1] if pooled else vectors.shape[1])
        if vectors.shape != expected:
            raise ValueError(f"expected {expected[0]} clips of dimension {expected[1]}, found {vectors.shape}")
        pooled.append(vectors)
        on_progress(start + len(waves), total)
    return np.concatenate(pooled)


def zero_padded(waves: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Stack waveforms [samples] of any length to float32 [B, longest], zeros behind the shorter ones."""
    import numpy as np

    batch = np.zeros((len(waves), max(len(wave) for wave in waves)), dtype=np.float32)
    for row, wave in zip(batch, waves, strict=True):
        row[: len(wave)] = wave
    return batch


def _resampled(wave: NDArray[np.float32], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """One waveform [samples] at another rate; X-ARES resamples with torchaudio's sinc kernel, we with soxr."""
    if from_hz == to_hz:
        return wave
    import soxr

    resampled: NDArray[np.float32] = soxr.resample(wave, from_hz, to_hz)
    return resampled
