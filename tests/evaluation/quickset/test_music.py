from __future__ import annotations

import numpy as np
import pytest

from audio_encoder_checker.evaluation.quickset import music
from audio_encoder_checker.evaluation.quickset.signals import RATE_HZ, generator, source_of, splits


def test_instruments_of_the_test_are_not_heard_in_training() -> None:
    split = splits(music.SIZES)
    played = np.array([source_of(index, music.SIZES, music.INSTRUMENTS) for index in range(len(split))])
    heard = [set(played[split == which].tolist()) for which in range(3)]
    assert [len(one) for one in heard] == list(music.INSTRUMENTS)
    assert not heard[0] & (heard[1] | heard[2])
    assert not heard[1] & heard[2]


def test_a_note_repeats_at_its_pitch() -> None:
    instrument = music.Instrument(np.ones(30), 0.0, 0.01, 10.0, 0.0, 0.0)
    note = music.play(generator(9, 9), instrument, 200.0, 9600)[-8000:]
    period = RATE_HZ // 200
    assert np.corrcoef(note[:-period], note[period:])[0, 1] > 0.99
    assert np.corrcoef(note[: -period // 2], note[period // 2 :])[0, 1] < 0.5


@pytest.mark.parametrize("number", range(5))
def test_an_instrument_always_sounds_the_same(number: int) -> None:
    assert np.array_equal(music.make_instrument(3, number).strengths, music.make_instrument(3, number).strengths)
    assert not np.array_equal(
        music.make_instrument(3, number).strengths, music.make_instrument(3, number + 1).strengths
    )
