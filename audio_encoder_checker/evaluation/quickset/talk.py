"""Quick speech-like clips beside words: who speaks, in which language, which sounds, how many at once, real or fake.

All are spoken by the synthesiser of `speech`. What is said is drawn at random where it is not the question, and every
recording has a room, a channel and noise of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.clips import Event
from audio_encoder_checker.evaluation.quickset.signals import (
    RATE_HZ,
    assemble,
    balanced_labels,
    channel,
    generator,
    record,
    room,
    source_of,
    splits,
)
from audio_encoder_checker.evaluation.quickset.speech import Utterance, make_voice, speak

if TYPE_CHECKING:
    import numpy as np

    from audio_encoder_checker.evaluation.clips import Clips
    from audio_encoder_checker.evaluation.quickset.signals import Signal

SPEAKER, LANGUAGE, PHONES, SPOOF, COUNT = 4, 5, 6, 7, 8
"""Numbers of the tasks."""
CONSONANTS, VOWELS = "ptksxfmnlr", "aeiou"
SPEAKERS = 12
SPEAKER_SIZES, SPEAKER_SAMPLES = (96, 24, 60), 9600
LANGUAGE_SIZES, LANGUAGE_SAMPLES = (80, 20, 50), 16000
LANGUAGE_VOICES = (40, 10, 25)
PHONE_SIZES, PHONE_SAMPLES = (64, 16, 40), 12800
PHONE_VOICES = (16, 4, 10)
SPOOF_SIZES, SPOOF_SAMPLES = (90, 20, 60), 8000
SPOOF_VOICES = (30, 10, 20)
COUNT_SIZES, COUNT_SAMPLES = (88, 20, 60), 8800
MOST_SPEAKERS = 4
LANGUAGES = (
    ("ptk", "aiu", 1.25, (0.0, -0.25)),
    ("mnl", "aeo", 0.85, (-0.15, 0.2)),
    ("sxf", "eiu", 1.05, (0.15, -0.15, 0.15)),
    ("ptksxm", "aou", 0.95, (-0.15, 0.15, -0.15)),
)
"""Of each language: consonants and vowels, speed, and the melody of a phrase in octaves."""


def _syllables(rng: np.random.Generator, count: int, consonants: str = CONSONANTS, vowels: str = VOWELS) -> str:
    """Random syllables of a consonant and a vowel."""
    pick = [(consonants[rng.integers(len(consonants))], vowels[rng.integers(len(vowels))]) for _ in range(count)]
    return "".join(letter for pair in pick for letter in pair)


def make_speaker() -> Clips:
    """Twelve voices: each says other syllables in every clip, through other channels, at other pitches."""
    labels = balanced_labels(SPEAKER, SPEAKER_SIZES, SPEAKERS)
    utterances = []
    for index, label in enumerate(labels):
        rng = generator(SPEAKER, 0, index)
        voice = make_voice(SPEAKER, int(label))
        today = replace(voice, pitch_hz=voice.pitch_hz * 2 ** rng.uniform(-0.12, 0.12), speed=rng.uniform(0.9, 1.2))
        utterances.append(Utterance(rng, today, _syllables(rng, 3)))
    audio = [
        record(one.rng, channel(one.rng, clip.signal, 2.0), (15, 25))
        for one, clip in zip(utterances, speak(utterances, SPEAKER_SAMPLES), strict=True)
    ]
    return assemble(audio, labels, splits(SPEAKER_SIZES))


def make_language() -> Clips:
    """Four made-up languages, told by sounds, speed and melody, spoken by voices that training has not heard."""
    import numpy as np

    labels = balanced_labels(LANGUAGE, LANGUAGE_SIZES, len(LANGUAGES))
    utterances = []
    for index, label in enumerate(labels):
        rng = generator(LANGUAGE, 0, index)
        consonants, vowels, speed, melody = LANGUAGES[label]
        voice = make_voice(LANGUAGE, source_of(index, LANGUAGE_SIZES, LANGUAGE_VOICES))
        mixed = [
            _syllables(rng, 1) if rng.uniform() < 0.45 else _syllables(rng, 1, consonants, vowels) for _ in range(4)
        ]
        paced = replace(voice, speed=speed * rng.uniform(0.85, 1.15))
        tune = np.array(melody) * rng.uniform(0.6, 1.4) + rng.normal(0, 0.08, len(melody))
        utterances.append(Utterance(rng, paced, "".join(mixed), tune))
    audio = [
        record(one.rng, channel(one.rng, clip.signal), (5, 15))
        for one, clip in zip(utterances, speak(utterances, LANGUAGE_SAMPLES), strict=True)
    ]
    return assemble(audio, labels, splits(LANGUAGE_SIZES))


def make_phones() -> Clips:
    """Which of fifteen sounds is heard at each moment; silence has no label."""
    utterances, labels = [], []
    for index in range(sum(PHONE_SIZES)):
        rng = generator(PHONES, 0, index)
        voice = make_voice(PHONES, source_of(index, PHONE_SIZES, PHONE_VOICES))
        utterances.append(Utterance(rng, voice, _syllables(rng, 3)))
    audio = []
    for one, clip in zip(utterances, speak(utterances, PHONE_SAMPLES), strict=True):
        audio.append(record(one.rng, channel(one.rng, clip.signal), (8, 18)))
        labels.append(_events(clip.places))
    return assemble(audio, labels, splits(PHONE_SIZES))


def _events(places: list[tuple[str, int, int]]) -> list[Event]:
    """One event for each letter; a stop's closure and burst are one."""
    numbers = {letter: number for number, letter in enumerate(CONSONANTS + VOWELS)}
    events: list[Event] = []
    for letter, start, end in places:
        here = Event(start / RATE_HZ, end / RATE_HZ, numbers[letter])
        if events and events[-1].label == here.label and events[-1].end_s == here.start_s:
            here = Event(events.pop().start_s, here.end_s, here.label)
        events.append(here)
    return events


def make_spoof() -> Clips:
    """Speech as it is, and speech that went through one of three vocoders; their noise and voices are alike."""
    labels = balanced_labels(SPOOF, SPOOF_SIZES, 2)
    utterances = []
    for index in range(len(labels)):
        rng = generator(SPOOF, 0, index)
        voice = make_voice(SPOOF, source_of(index, SPOOF_SIZES, SPOOF_VOICES))
        utterances.append(Utterance(rng, voice, _syllables(rng, 3)))
    audio = []
    for one, clip, label in zip(utterances, speak(utterances, SPOOF_SAMPLES), labels, strict=True):
        said = _vocoded(one.rng, clip.signal) if label else clip.signal
        audio.append(record(one.rng, channel(one.rng, said), (15, 25)))
    return assemble(audio, labels, splits(SPOOF_SIZES))


def _vocoded(rng: np.random.Generator, signal: Signal) -> Signal:
    """Speech rebuilt from a short-time spectrum whose details are lost: phases, harmonics, or changes in time."""
    import numpy as np

    window, step = 400, 100
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(signal, window), window)[::step] * np.hanning(window)
    spectra = np.fft.rfft(frames, axis=1)
    size, angle = np.abs(spectra), np.angle(spectra)
    kind = rng.integers(3)
    if kind == 0:
        angle = rng.uniform(-np.pi, np.pi, angle.shape)
    elif kind == 1:
        kernel = np.hanning(19)[1:-1] / np.hanning(19)[1:-1].sum()
        size = np.apply_along_axis(np.convolve, 1, size, kernel, mode="same")
    else:
        kernel = np.hanning(11)[1:-1] / np.hanning(11)[1:-1].sum()
        size = np.apply_along_axis(np.convolve, 0, size, kernel, mode="same")
    pieces = np.fft.irfft(size * np.exp(1j * angle), window, axis=1)
    rebuilt = np.zeros(len(signal) + 3 * window)
    for number, piece in enumerate(pieces):
        rebuilt[number * step : number * step + window] += piece
    return rebuilt[window : window + len(signal)]


def make_count() -> Clips:
    """How many speak at once, from none to four, over a background that is there in any case."""
    import numpy as np

    labels = balanced_labels(COUNT, COUNT_SIZES, MOST_SPEAKERS + 1)
    utterances, owners = [], []
    for index, label in enumerate(labels):
        for speaker in range(label):
            rng = generator(COUNT, 0, index, speaker)
            voice = make_voice(COUNT, 1000 * index + speaker)
            utterances.append(Utterance(rng, voice, _syllables(rng, 3)))
            owners.append((index, speaker))
    mixtures = [np.zeros(COUNT_SAMPLES) for _ in labels]
    for (owner, speaker), clip in zip(owners, speak(utterances, COUNT_SAMPLES), strict=True):
        strength = 10 ** (generator(COUNT, 3, owner, speaker).uniform(-3, 3) / 20)
        mixtures[owner] += strength * clip.signal / (clip.signal.std() + 1e-12)
    audio = []
    for index, mixture in enumerate(mixtures):
        rng = generator(COUNT, 4, index)
        floor = 0.2 * rng.standard_normal(COUNT_SAMPLES)
        audio.append(record(rng, room(rng, mixture + floor), (10, 20)))
    return assemble(audio, labels, splits(COUNT_SIZES))
