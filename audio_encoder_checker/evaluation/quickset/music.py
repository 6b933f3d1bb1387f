"""Quick music-like clips: pitches, instruments, notes.

The pitch task asks which of the twelve pitch classes is played, whatever the instrument and the octave.

The notes lie in three octaves; each instrument has its own overtones (their strength, decay, inharmonicity), attack,
vibrato and noise. The same note of two instruments has unlike spectra, and two neighbouring notes of one instrument
have nearly the same: the average over a few broad bands says little, an encoder that knows pitch says nearly all.

What varies: instrument, octave, tuning by up to 0.3 semitones, strength, begin, vibrato, background noise and
level. The instruments of validation and test are not heard in training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.clips import Event
from audio_encoder_checker.evaluation.quickset.signals import (
    RATE_HZ,
    assemble,
    balanced_labels,
    channel,
    generator,
    noise,
    phase,
    record,
    source_of,
    splits,
)

if TYPE_CHECKING:
    import numpy as np

    from audio_encoder_checker.evaluation.clips import Clips
    from audio_encoder_checker.evaluation.quickset.signals import Signal

TASK = 3
SECONDS = 0.6
SAMPLES = round(SECONDS * RATE_HZ)
SIZES = (200, 50, 120)
INSTRUMENTS = (40, 10, 25)
"""Instruments of training, validation and test."""
LOWEST_HZ = 98
"""C2."""
OCTAVES = 3
CLASSES = 12


@dataclass(frozen=True)
class Instrument:
    """What all notes of an instrument share.

    Attributes:
        strengths: of its harmonics, [harmonics].
        stiffness: harmonic k lies at `k sqrt(1 + stiffness k^2)` times the pitch, as in a stiff string.
        attack_s: time to full strength.
        decay_s: time in which the fundamental falls by 1/e; overtones fall faster.
        vibrato: half its width, in semitones.
        air: strength of the blowing or bowing noise.
    """

    strengths: Signal
    stiffness: float
    attack_s: float
    decay_s: float
    vibrato: float
    air: float


def make_instrument(task: int, number: int) -> Instrument:
    """Draw an instrument of a task."""
    import numpy as np

    rng = generator(task, 1, number)
    harmonics = np.arange(1, 31)
    strengths = np.float64(harmonics) ** -rng.uniform(0.3, 1.6) * np.exp(rng.normal(0, 0.8, 30))
    if rng.uniform() < 0.25:
        strengths[1::2] *= 0.1  # a closed pipe
    return Instrument(
        strengths=strengths,
        stiffness=float(rng.uniform(0, 4e-4)),
        attack_s=float(rng.uniform(0.005, 0.08)),
        decay_s=float(0.1 * 20 ** rng.uniform()),
        vibrato=float(max(0.0, rng.uniform(-0.2, 0.25))),
        air=float(rng.uniform(0, 0.15)),
    )


INSTRUMENT_TASK, INSTRUMENT_SIZES, INSTRUMENT_SAMPLES = 9, (80, 20, 50), 6400
FAMILIES = 8
NOTES_TASK, NOTES_SIZES, NOTES_SAMPLES = 10, (40, 10, 30), 19200
NOTES = 12
"""A chromatic octave from `NOTES_LOWEST_HZ`."""
NOTES_LOWEST_HZ = 196.0
NOTES_INSTRUMENTS = (10, 3, 6)


def make_instruments() -> Clips:
    """Eight instruments: each plays other notes, loudly and softly, in training as in the test."""
    labels = balanced_labels(INSTRUMENT_TASK, INSTRUMENT_SIZES, FAMILIES)
    instruments = [make_instrument(INSTRUMENT_TASK, number) for number in range(FAMILIES)]
    audio = []
    for index, label in enumerate(labels):
        rng = generator(INSTRUMENT_TASK, 0, index)
        hertz = 2 * LOWEST_HZ * 2 ** rng.uniform(0, 1.2)
        note = play(rng, instruments[label], hertz, INSTRUMENT_SAMPLES)
        audio.append(record(rng, channel(rng, note, 2.0), (10, 25)))
    return assemble(audio, labels, splits(INSTRUMENT_SIZES))


def make_notes() -> Clips:
    """Which notes of an octave sound at each moment: chords and runs of instruments that training has not heard."""
    import numpy as np

    audio, labels = [], []
    for index in range(sum(NOTES_SIZES)):
        rng = generator(NOTES_TASK, 0, index)
        instrument = make_instrument(NOTES_TASK, source_of(index, NOTES_SIZES, NOTES_INSTRUMENTS))
        clip, events = np.zeros(NOTES_SAMPLES), []
        for number in rng.permutation(NOTES)[: rng.integers(3, 6)]:
            length = int(rng.uniform(0.35, 0.7) * RATE_HZ)
            start = int(rng.integers(0, NOTES_SAMPLES - length))
            tone = play(rng, replace(instrument, decay_s=1.0), NOTES_LOWEST_HZ * 2 ** (number / 12), length)
            sounding = np.flatnonzero(tone)
            tone *= np.minimum(1.0, np.arange(length)[::-1] / 400) / (tone.std() + 1e-12)
            clip[start : start + length] += tone * 10 ** (rng.uniform(-3, 3) / 20)
            events.append(Event((start + int(sounding[0])) / RATE_HZ, (start + length) / RATE_HZ, int(number)))
        audio.append(record(rng, channel(rng, clip), (12, 25)))
        labels.append(events)
    return assemble(audio, labels, splits(NOTES_SIZES))


def make_pitch() -> Clips:
    """Generate all clips of the task."""
    labels = balanced_labels(TASK, SIZES, CLASSES)
    instruments = [make_instrument(TASK, number) for number in range(sum(INSTRUMENTS))]
    audio = []
    for index, label in enumerate(labels):
        rng = generator(TASK, 0, index)
        semitone = label + 12 * rng.integers(OCTAVES) + rng.uniform(-0.3, 0.3)
        note = play(rng, instruments[source_of(index, SIZES, INSTRUMENTS)], LOWEST_HZ * 2 ** (semitone / 12), SAMPLES)
        audio.append(record(rng, note, (-10, 5)))
    return assemble(audio, labels, splits(SIZES))


def play(rng: np.random.Generator, instrument: Instrument, hertz: float, samples: int) -> Signal:
    """One note of an instrument [samples], which begins in the first sixth."""
    import numpy as np

    start = int(rng.integers(0, samples // 6))
    seconds = np.arange(samples - start) / RATE_HZ
    wobble = instrument.vibrato * np.sin(2 * np.pi * (rng.uniform(4.5, 6.5) * seconds + rng.uniform()))
    cycles = phase(hertz * 2 ** (wobble / 12))
    order = np.arange(1, 31)
    stretch = order * np.sqrt(1 + instrument.stiffness * order**2)
    kept = stretch * hertz * 1.03 < RATE_HZ / 2
    stretch, strengths = stretch[kept], (instrument.strengths * np.exp(rng.normal(0, 0.3, 30)))[kept]
    tone = np.zeros(len(seconds), dtype=np.float32)  # half the time of float64
    for k, strength in zip(stretch, strengths, strict=True):
        angle = 2 * np.pi * ((k * cycles + rng.uniform()) % 1.0)
        fading = -seconds / instrument.decay_s * k**0.5
        tone += np.float32(strength) * np.exp(fading.astype(np.float32)) * np.sin(angle.astype(np.float32))
    tone += instrument.air * np.abs(tone).max() * noise(rng, len(seconds), 3.0) * np.exp(-seconds / instrument.decay_s)
    return np.concatenate((np.zeros(start), tone * np.minimum(seconds / instrument.attack_s, 1.0)))
