from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from audio_encoder_checker.evaluation.quick import quick_clips
from audio_encoder_checker.evaluation.quickset import talk
from audio_encoder_checker.evaluation.quickset.signals import RATE_HZ, generator


def test_a_stops_closure_and_burst_are_one_event() -> None:
    found = talk._events([("p", 0, 160), ("p", 160, 320), ("a", 320, 1600)])
    letters = talk.CONSONANTS + talk.VOWELS
    assert [(letters[one.label], one.start_s, one.end_s) for one in found] == [("p", 0.0, 0.02), ("a", 0.02, 0.1)]


def test_vowels_are_where_the_labels_say() -> None:
    clips = quick_clips("quick-phones")
    loud, still = [], []
    for wave, label in zip(clips.audio, clips.labels, strict=True):
        marked = np.zeros(len(wave), dtype=bool)
        for start_s, end_s, number in label:
            if number >= len(talk.CONSONANTS):
                loud.append(np.square(wave[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)]).mean())
            marked[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)] = True
        still.append(np.square(wave[~marked]).mean())
    assert np.median(loud) > 3 * np.median(still)


def test_more_speakers_are_heard_as_a_denser_course() -> None:
    clips = quick_clips("quick-count")
    labels = np.array(clips.labels)
    pauses = [np.quantile(np.abs(wave).reshape(-1, 160).max(axis=1), 0.1) / np.abs(wave).max() for wave in clips.audio]
    course = [float(np.mean(np.array(pauses)[labels == number])) for number in (1, 4)]
    assert course[0] < course[1]


def test_both_classes_of_spoof_are_in_every_split() -> None:
    clips = quick_clips("quick-spoof")
    counts = Counter(zip(clips.split.tolist(), clips.labels, strict=True))
    assert len(counts) == 6


@pytest.mark.parametrize("seed", range(6))
def test_a_vocoder_keeps_the_length_and_changes_the_wave(seed: int) -> None:
    tone = np.sin(2 * np.pi * 200 * np.arange(8000) / RATE_HZ)
    said = talk._vocoded(generator(99, seed), tone)
    assert said.shape == tone.shape
    assert not np.allclose(said / said.std(), tone / tone.std(), atol=0.1)
