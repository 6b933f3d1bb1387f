"""Quick speech-like clips: which of sixteen made-up words is spoken.

The words come in eight pairs that hold the same two syllables in another order ("ta-sa", "sa-ta"), as words of a
language do. What was said is in the spectrum's average, in which order is only in its course: the average over
time of a plain spectrogram tells the pair, an encoder whose frames know their surroundings tells the word.

A voice is a source and a filter: glottal pulses (after the polynomial of Klatt & Klatt, JASA 87, 1990) and breath
go through five resonances that move from sound to sound, hiss of fricatives and bursts of stops has a resonance
of its own. The formants of the vowels are those of Peterson & Barney (JASA 24, 1952).

What varies: the voice (length of the vocal tract, pitch and its course, breath, tilt, speed), each sound's length and
precision, where the word begins, background noise and level. Every clip has a voice of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.evaluation.quickset.signals import (
    RATE_HZ,
    assemble,
    balanced_labels,
    cascade,
    generator,
    glide,
    noise,
    phase,
    record,
    source_of,
    splits,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from audio_encoder_checker.evaluation.clips import Clips
    from audio_encoder_checker.evaluation.quickset.signals import Signal

TASK = 1
SECONDS = 0.9
SAMPLES = round(SECONDS * RATE_HZ)
STEP = 80
"""Samples in a frame of the vocal tract: 5 ms."""
SIZES = (160, 40, 100)
VOICES = (160, 40, 100)
"""Voices of training, validation and test."""
WORDS = (
    ("ta", "sa"),
    ("sa", "ta"),
    ("ki", "xi"),
    ("xi", "ki"),
    ("mo", "no"),
    ("no", "mo"),
    ("fe", "le"),
    ("le", "fe"),
    ("pu", "ru"),
    ("ru", "pu"),
    ("ka", "ti"),
    ("ti", "ka"),
    ("su", "po"),
    ("po", "su"),
    ("ne", "mi"),
    ("mi", "ne"),
)


@dataclass(frozen=True)
class Sound:
    """A stretch of speech: a target that the mouth moves to.

    Attributes:
        ms: usual length.
        formants: the three lowest resonances in Hz.
        voice: strength of the glottal pulses.
        breath: strength of the noise at the glottis.
        hiss: strength of the noise at a narrow place in the mouth.
        hiss_hz: its resonance.
    """

    ms: float
    formants: tuple[float, float, float]
    voice: float = 0.0
    breath: float = 0.0
    hiss: float = 0.0
    hiss_hz: float = 3000.0


SOUNDS = {
    "a": (Sound(140, (730, 1090, 2440), voice=1.0),),
    "e": (Sound(130, (530, 1840, 2480), voice=1.0),),
    "i": (Sound(120, (270, 2290, 3010), voice=0.9),),
    "o": (Sound(140, (570, 840, 2410), voice=1.0),),
    "u": (Sound(130, (300, 870, 2240), voice=0.9),),
    "s": (Sound(100, (320, 1500, 2500), hiss=0.5, hiss_hz=5500),),
    "x": (Sound(100, (300, 1800, 2500), hiss=0.6, hiss_hz=2800),),  # as in "she"
    "f": (Sound(90, (340, 1100, 2080), breath=0.05, hiss=0.15, hiss_hz=7000),),
    "m": (Sound(70, (250, 1000, 2200), voice=0.35),),
    "n": (Sound(70, (250, 1600, 2600), voice=0.35),),
    "l": (Sound(70, (360, 1150, 2800), voice=0.5),),
    "r": (Sound(70, (330, 1060, 1500), voice=0.5),),
    "p": (Sound(60, (300, 800, 2100)), Sound(10, (350, 800, 2100), breath=0.1, hiss=0.3, hiss_hz=900)),
    "t": (Sound(60, (300, 1700, 2600)), Sound(15, (350, 1700, 2600), breath=0.1, hiss=0.6, hiss_hz=4200)),
    "k": (Sound(60, (300, 1900, 2300)), Sound(20, (350, 1900, 2300), breath=0.1, hiss=0.6, hiss_hz=2000)),
}
REST = Sound(0, (500, 1500, 2500))


@dataclass(frozen=True)
class Voice:
    """Who speaks: what stays the same over all clips of a voice."""

    tract: float
    """Factor on all resonances: 0.85 for a long vocal tract, 1.2 for a short one."""
    pitch_hz: float
    breath: float
    tilt_db: float
    """Fall of the spectrum per octave beside that of the glottal pulses."""
    speed: float


def make_voice(task: int, number: int) -> Voice:
    """Draw a voice of a task; short vocal tracts tend to go with a high pitch."""
    import numpy as np

    rng = generator(task, 1, number)
    short = rng.uniform(0, 1)
    return Voice(
        tract=float(0.85 + 0.35 * np.clip(short + rng.normal(0, 0.15), 0, 1)),
        pitch_hz=float(90 * 2 ** (1.5 * np.clip(short + rng.normal(0, 0.2), 0, 1))),
        breath=float(rng.uniform(0.002, 0.03)),
        tilt_db=float(rng.uniform(-3, 3)),
        speed=float(rng.uniform(0.85, 1.2)),
    )


@dataclass(frozen=True)
class Utterance:
    """What is said by whom; all else is drawn from the clip's random numbers.

    Attributes:
        rng: of the clip.
        voice: that says it.
        letters: keys of `SOUNDS`, one after the other.
        melody: course of the pitch in octaves, [points]; drawn at random if there is none.
    """

    rng: np.random.Generator
    voice: Voice
    letters: str
    melody: Signal | None = None


class Spoken(NamedTuple):
    """Clean speech [samples], and where each letter begins and ends in it, in samples."""

    signal: Signal
    places: list[tuple[str, int, int]]


def speak(utterances: Sequence[Utterance], samples: int) -> list[Spoken]:
    """Synthesise many utterances at once, each in a clip of so many samples."""
    import numpy as np

    frames = samples // STEP
    moved = [_articulate(one, frames) for one in utterances]
    sources = [_sources(one, tracks, samples) for one, (tracks, _) in zip(utterances, moved, strict=True)]
    throat, mouth = np.stack(sources).transpose(1, 2, 0)  # [samples, N] each
    tracks = np.stack([tracks for tracks, _ in moved]).transpose(1, 2, 0)  # [frames, 7, N]
    voices = [one.voice for one in utterances]
    spoken = _vocal_tract(throat, tracks[:, :3], voices) + _narrow_place(mouth, tracks[:, 6:])
    return [Spoken(clip, places) for clip, (_, places) in zip(spoken.T, moved, strict=True)]


def make_words() -> Clips:
    """Generate all clips of the task."""
    labels = balanced_labels(TASK, SIZES, len(WORDS))
    utterances = [
        Utterance(generator(TASK, 0, index), make_voice(TASK, source_of(index, SIZES, VOICES)), "".join(WORDS[label]))
        for index, label in enumerate(labels)
    ]
    spoken = speak(utterances, SAMPLES)
    audio = [record(one.rng, clip.signal, (5, 12)) for one, clip in zip(utterances, spoken, strict=True)]
    return assemble(audio, labels, splits(SIZES))


def _articulate(one: Utterance, frames: int) -> tuple[Signal, list[tuple[str, int, int]]]:
    """How the mouth moves in one clip: formants, voice, breath, hiss and its Hz, [frames, 7]; and where letters lie."""
    import numpy as np

    rng, voice = one.rng, one.voice
    sounds = [(letter, sound) for letter in one.letters for sound in SOUNDS[letter]]
    lengths = [round(s.ms / 5 * rng.uniform(0.8, 1.25) / voice.speed) for _, s in sounds]
    start = int(rng.integers(4, max(5, frames - sum(lengths) - 4)))
    edges = np.minimum(start + np.cumsum([0, *lengths]), frames)
    targets = np.tile(_target(REST), (frames, 1))
    places = []
    for (letter, sound), begin, end in zip(sounds, edges[:-1], edges[1:], strict=True):
        precision = np.concatenate((rng.normal(1, 0.07, 3), rng.normal(1, 0.1, 4)))
        targets[begin:end] = _target(sound) * precision
        places.append((letter, int(begin) * STEP, int(end) * STEP))
    targets[:, [0, 1, 2, 6]] *= voice.tract
    moved = [_smooth(track, 13 if k in (0, 1, 2) else 3) for k, track in enumerate(targets.T)]
    return np.stack(moved, axis=1), places


def _target(sound: Sound) -> Signal:
    import numpy as np

    return np.array([*sound.formants, sound.voice, sound.breath, sound.hiss, sound.hiss_hz])


def _smooth(track: Signal, frames: int) -> Signal:
    """Mean over a Hann window: the mouth takes time, so neighbouring sounds colour each other."""
    import numpy as np

    window = np.hanning(frames + 2)[1:-1]
    padded = np.pad(track, frames // 2, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")


def _sources(one: Utterance, tracks: Signal, samples: int) -> tuple[Signal, Signal]:
    """What enters the vocal tract at the glottis, and at the narrow place; [samples] each."""
    import numpy as np

    rng, voice = one.rng, one.voice
    course = np.cumsum(rng.normal(0, 0.04, 8))
    melody = course - course.mean() if one.melody is None else one.melody
    bend = glide(melody + rng.uniform(-0.1, 0.1), samples)  # octaves
    jitter = glide(rng.normal(0, 0.01, samples // 160), samples)
    cycle = phase(voice.pitch_hz * 2 ** (bend + jitter)) % 1.0
    opening = np.minimum(cycle / 0.6, 1.0)
    flow = opening * (2 - 3 * opening) * (cycle < 0.6)  # derivative of the volume velocity x^2 - x^3
    air = noise(rng, samples, 0.0)
    loudness, breath, hiss = (glide(tracks[:, k], samples) for k in (3, 4, 5))
    throat = loudness * (flow + voice.breath * air) + breath * air
    return _tilt(throat, voice.tilt_db), 0.4 * hiss * noise(rng, samples, 0.0)


def _tilt(signal: Signal, slope_db: float) -> Signal:
    import numpy as np

    hertz = np.maximum(np.fft.rfftfreq(len(signal), 1 / RATE_HZ), 100.0)
    tilted: Signal = np.fft.irfft(np.fft.rfft(signal) * (hertz / 1000) ** (-slope_db / 6.02), len(signal))
    return tilted


def _vocal_tract(source: Signal, formants: Signal, voices: list[Voice]) -> Signal:
    """Five resonances in a row, the upper two fixed by the tract's length. [samples, N]."""
    import numpy as np

    tract = np.array([voice.tract for voice in voices])
    upper = np.multiply.outer(np.array([3500.0, 4500.0]), tract)
    hertz = np.concatenate((formants, np.broadcast_to(upper, (len(formants), *upper.shape))), axis=1)
    width = 50 + 0.03 * hertz
    return cascade(source, np.minimum(hertz, 7000), width, STEP)


def _narrow_place(source: Signal, hertz: Signal) -> Signal:
    """One broad resonance, without the low frequencies. [samples, N]."""
    import numpy as np

    ringing = cascade(source, np.minimum(hertz, 7200), 0.2 * hertz, STEP)
    return np.diff(ringing, axis=0, prepend=0)
