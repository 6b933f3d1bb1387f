"""Quick music-like clips: which of the twelve pitch classes is played, whatever the instrument and the octave.

The notes lie in three octaves; each instrument has its own overtones (their strength, decay, inharmonicity), attack,
vibrato and noise. The same note of two instruments has unlike spectra, and two neighbouring notes of one instrument
have nearly the same: the average over a few broad bands says little, an encoder that knows pitch says nearly all.

What varies: instrument, octave, tuning by up to 0.3 semitones, strength, begin, vibrato, background noise and
level. The instruments of validation and test are not heard in training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.quickset.signals import (
    RATE_HZ,
    assemble,
    balanced_labels,
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
SIZES = (480, 120, 300)
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


def make_instrument(number: int) -> Instrument:
    """Draw an instrument."""
    import numpy as np

    rng = generator(TASK, 1, number)
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


def make_music() -> Clips:
    """Generate all clips of the task."""
    labels = balanced_labels(TASK, SIZES, CLASSES)
    instruments = [make_instrument(number) for number in range(sum(INSTRUMENTS))]
    audio = []
    for index, label in enumerate(labels):
        rng = generator(TASK, 0, index)
        semitone = label + 12 * rng.integers(OCTAVES) + rng.uniform(-0.3, 0.3)
        note = _note(rng, instruments[source_of(index, SIZES, INSTRUMENTS)], LOWEST_HZ * 2 ** (semitone / 12))
        audio.append(record(rng, note, (-10, 5)))
    return assemble(audio, labels, splits(SIZES))


def _note(rng: np.random.Generator, instrument: Instrument, hertz: float) -> Signal:
    import numpy as np

    start = int(rng.integers(0, SAMPLES // 6))
    seconds = np.arange(SAMPLES - start) / RATE_HZ
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
