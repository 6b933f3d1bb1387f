from __future__ import annotations

import numpy as np

from audio_encoder_checker.evaluation.quickset import speech
from audio_encoder_checker.evaluation.quickset.signals import source_of, splits


def test_voices_of_the_test_are_not_heard_in_training() -> None:
    split = splits(speech.SIZES)
    voices = np.array([source_of(index, speech.SIZES, speech.VOICES) for index in range(len(split))])
    heard = [set(voices[split == which].tolist()) for which in range(3)]
    assert [len(one) for one in heard] == list(speech.VOICES)
    assert not heard[0] & heard[1]
    assert not heard[0] & heard[2]
    assert not heard[1] & heard[2]


def test_every_voice_is_its_own_and_always_the_same() -> None:
    voices = [speech.make_voice(1, number) for number in range(sum(speech.VOICES))]
    assert len(set(voices)) == len(voices)
    assert voices == [speech.make_voice(1, number) for number in range(sum(speech.VOICES))]
    assert all(0.85 <= voice.tract <= 1.2 and 80 < voice.pitch_hz < 300 for voice in voices)


def test_words_come_in_pairs_of_the_same_syllables() -> None:
    assert len(set(speech.WORDS)) == len(speech.WORDS)
    assert all(word[::-1] in speech.WORDS for word in speech.WORDS)
    assert {letter for word in speech.WORDS for letter in "".join(word)} <= set(speech.SOUNDS)
