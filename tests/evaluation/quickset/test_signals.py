from __future__ import annotations

import numpy as np
import pytest

from audio_encoder_checker.evaluation.quickset.signals import (
    RATE_HZ,
    balanced_labels,
    cascade,
    generator,
    noise,
    record,
    source_of,
)


def test_random_numbers_depend_on_the_whole_key_and_nothing_else() -> None:
    assert generator(1, 2).random() == generator(1, 2).random()
    assert len({generator(*key).random() for key in ((1, 2), (1, 3), (2, 2), (1, 2, 1), (1, 2, 2))}) == 5


@pytest.mark.parametrize("slope_db", [0.0, 3.0, 6.0])
def test_noise_falls_by_so_many_decibels_an_octave(slope_db: float) -> None:
    power = np.square(np.abs(np.fft.rfft(noise(generator(9), 2**17, slope_db))))
    hertz = np.fft.rfftfreq(2**17, 1 / RATE_HZ)
    low, high = (10 * np.log10(power[(hertz > f) & (hertz < 2 * f)].mean()) for f in (1000, 2000))
    assert low - high == pytest.approx(slope_db, abs=0.5)


def test_a_cascade_resonates_at_its_frequencies() -> None:
    impulse = np.zeros((4000, 1))
    impulse[0] = 1
    hertz, width = np.array([[[700.0], [1800.0]]]), np.full((1, 2, 1), 80.0)
    spectrum = np.abs(np.fft.rfft(cascade(impulse, hertz, width, 80)[:, 0]))
    axis = np.fft.rfftfreq(4000, 1 / RATE_HZ)
    lower, upper = axis < 1200, (axis > 1200) & (axis < 3000)
    assert axis[lower][spectrum[lower].argmax()] == pytest.approx(700, abs=20)
    assert axis[upper][spectrum[upper].argmax()] == pytest.approx(1800, abs=20)
    assert spectrum[0] == pytest.approx(1, abs=0.01)


def test_a_recording_has_the_asked_signal_to_noise_ratio() -> None:
    seconds = np.arange(16000) / RATE_HZ
    tone = np.sin(2 * np.pi * 1000 * seconds)
    heard = record(generator(9), tone, (10.0, 10.0)).astype(np.float64)
    kept = (heard @ tone) / (tone @ tone) * tone
    assert 10 * np.log10((kept @ kept) / np.square(heard - kept).sum()) == pytest.approx(10, abs=0.3)


def test_labels_are_balanced_in_every_split_but_in_no_order() -> None:
    labels = balanced_labels(9, (30, 20), 10)
    assert np.bincount(labels[:30]).tolist() == [3] * 10
    assert np.bincount(labels[30:]).tolist() == [2] * 10
    assert labels[:10].tolist() != list(range(10))


def test_a_clip_that_does_not_exist_has_no_voice() -> None:
    assert source_of(49, (30, 20), (3, 2)) == 4
    with pytest.raises(IndexError):
        source_of(50, (30, 20), (3, 2))
