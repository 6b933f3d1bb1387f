from __future__ import annotations

import numpy as np
import pytest

from audio_encoder_checker.evaluation.quickset import sound
from audio_encoder_checker.evaluation.quickset.signals import RATE_HZ, generator


def pitch_course(event: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Correlation of time with the strongest frequency of 40 ms windows that hold something."""
    windows = event[: len(event) // 640 * 640].reshape(-1, 640)
    windows = windows[np.square(windows).mean(axis=1) > 0.3 * np.square(windows).mean(axis=1).max()]
    strongest = np.abs(np.fft.rfft(windows * np.hanning(640))).argmax(axis=1)
    return float(np.corrcoef(np.arange(len(windows)), strongest)[0, 1])


@pytest.mark.parametrize("seed", range(10))
def test_rising_rises_and_falling_falls(seed: int) -> None:
    assert pitch_course(sound._rising(generator(9, seed))) > 0.8
    assert pitch_course(sound._falling(generator(9, seed))) < -0.8


@pytest.mark.parametrize("seed", range(10))
def test_a_struck_object_dies_away_and_backwards_swells(seed: int) -> None:
    seconds = np.arange(sound.SAMPLES) / RATE_HZ
    for kind, sign in ((sound.struck, 1), (sound._struck_backwards, -1)):
        power = np.square(kind(generator(9, seed)))
        peak = seconds[power.argmax()]
        centre = (seconds * power).sum() / power.sum()
        assert sign * (centre - peak) > 0


@pytest.mark.parametrize("kind", range(len(sound.KINDS)))
def test_no_two_clips_of_a_kind_are_alike(kind: int) -> None:
    one, other = (sound.KINDS[kind](generator(9, seed)) for seed in (1, 2))
    assert one.shape == other.shape == (sound.SAMPLES,)
    assert not np.allclose(one, other)
