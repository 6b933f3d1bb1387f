"""Quick sound-like clips beside single events: textures that overlap, events on a background, rooms, captions.

The materials are impacts by modal synthesis, filtered noise with a course in time, and tones; each is drawn anew for
every clip, so a test clip is another object of a kind that was heard in training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.clips import Event
from audio_encoder_checker.evaluation.quickset.signals import (
    RATE_HZ,
    assemble,
    band,
    channel,
    generator,
    log_uniform,
    noise,
    phase,
    record,
    room,
    splits,
    unit_power,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from audio_encoder_checker.evaluation.clips import Clips
    from audio_encoder_checker.evaluation.quickset.signals import Signal

TEXTURES, SCENES, ROOM, CAPTIONS = 11, 12, 13, 14
"""Numbers of the tasks."""
TEXTURE_SIZES, TEXTURE_SAMPLES = (84, 16, 60), 9600
SCENE_SIZES, SCENE_SAMPLES = (36, 8, 16), 32000
ROOM_SIZES, ROOM_SAMPLES = (80, 15, 45), 8800
CAPTION_SIZES, CAPTION_SAMPLES = (110, 20, 50), 9600


def _ring(rng: np.random.Generator, samples: int, hertz: float, decay_s: float) -> Signal:
    """A struck object: inharmonic modes that die away, high ones sooner."""
    import numpy as np

    seconds = np.arange(samples) / RATE_HZ
    modes = hertz * np.array([1.0, 2.0, 2.9, 4.2, 5.4]) * rng.uniform(0.95, 1.05, 5)
    modes = modes[modes < 7600]
    dying = np.exp(-np.outer(np.sqrt(modes / hertz) / decay_s, seconds))
    ringing: Signal = rng.uniform(0.3, 1, len(modes)) @ (dying * np.sin(2 * np.pi * np.outer(modes, seconds)))
    return ringing


def _many(rng: np.random.Generator, samples: int, rate_hz: float, grain: Callable[[], Signal]) -> Signal:
    """Grains at random times."""
    import numpy as np

    clip = np.zeros(samples)
    for _ in range(max(1, rng.poisson(rate_hz * samples / RATE_HZ))):
        piece, start = grain(), int(rng.integers(samples))
        stop = min(samples, start + len(piece))
        clip[start:stop] += rng.uniform(0.3, 1) * piece[: stop - start]
    return clip


def rain(rng: np.random.Generator, samples: int) -> Signal:
    """Very many short high clicks over hiss."""
    drops = _many(rng, samples, 250, lambda: _ring(rng, 60, log_uniform(rng, 2000, 5000), 0.001))
    return unit_power(drops) + 0.7 * band(rng, samples, 3000, 7500)


def wind(rng: np.random.Generator, samples: int) -> Signal:
    """Low noise whose strength wanders."""
    import numpy as np

    points = np.interp(np.linspace(0, 5, samples), np.arange(6), rng.uniform(0.2, 1, 6))
    return points * band(rng, samples, 80, log_uniform(rng, 350, 900))


def engine(rng: np.random.Generator, samples: int) -> Signal:
    """A low buzz of many harmonics that is not quite steady."""
    import numpy as np

    drift = 1 + 0.08 * np.cumsum(rng.standard_normal(samples)) / np.sqrt(samples)
    cycle = phase(log_uniform(rng, 35, 90) * drift) % 1.0
    return unit_power(np.exp(-6 * cycle)) + 0.3 * band(rng, samples, 100, 1500)


def fire(rng: np.random.Generator, samples: int) -> Signal:
    """Sparse crackle over a soft roar."""
    crackle = _many(rng, samples, 25, lambda: rng.standard_normal(int(rng.integers(20, 120))))
    return unit_power(crackle) + 0.4 * band(rng, samples, 100, 600)


def bubbles(rng: np.random.Generator, samples: int) -> Signal:
    """Short tones that rise, as air under water (Minnaert 1933)."""
    import numpy as np

    def bubble() -> Signal:
        length = int(rng.integers(500, 1600))
        rise = np.linspace(1, rng.uniform(1.3, 2.0), length)
        return np.sin(2 * np.pi * phase(log_uniform(rng, 400, 1600) * rise)) * np.hanning(length)

    return _many(rng, samples, 14, bubble)


def steps(rng: np.random.Generator, samples: int) -> Signal:
    """Dull thuds at a walking pace."""
    import numpy as np

    clip = np.zeros(samples)
    interval = int(RATE_HZ / rng.uniform(3.0, 5.0))
    for start in range(int(rng.integers(interval)), samples, interval):
        thud = noise(rng, 1600, 9.0) * np.exp(-np.arange(1600) / 300)
        stop = min(samples, start + 1600)
        clip[start:stop] += thud[: stop - start]
    return clip


def alarm(rng: np.random.Generator, samples: int) -> Signal:
    """A high tone that goes on and off, or up and down."""
    import numpy as np

    swing = np.sin(2 * np.pi * rng.uniform(3, 8) * np.arange(samples) / RATE_HZ + rng.uniform(0, 6))
    hertz = log_uniform(rng, 1000, 2500)
    if rng.uniform() < 0.5:
        return np.sin(2 * np.pi * phase(hertz * 2 ** (0.2 * swing)))
    return np.sin(2 * np.pi * phase(np.full(samples, hertz))) * (swing > 0)


def bell(rng: np.random.Generator, samples: int) -> Signal:
    """One or two strokes of a bell."""
    return _many(rng, samples, 2.0, lambda: _ring(rng, min(samples, 9000), log_uniform(rng, 500, 1400), 0.25))


MATERIALS = {
    "rain": rain,
    "wind": wind,
    "engine": engine,
    "fire": fire,
    "bubbles": bubbles,
    "steps": steps,
    "alarm": alarm,
    "bell": bell,
}
NAMES = tuple(MATERIALS)


def make_textures() -> Clips:
    """One to three of eight kinds of sound at once."""
    import numpy as np

    audio, labels = [], []
    for index in range(sum(TEXTURE_SIZES)):
        rng = generator(TEXTURES, 0, index)
        chosen = sorted(rng.permutation(len(NAMES))[: rng.integers(1, 4)].tolist())
        mixed = np.zeros(TEXTURE_SAMPLES)
        for number in chosen:
            mixed += unit_power(MATERIALS[NAMES[number]](rng, TEXTURE_SAMPLES)) * 10 ** (rng.uniform(-5, 5) / 20)
        audio.append(record(rng, channel(rng, mixed), (8, 20)))
        labels.append(chosen)
    return assemble(audio, labels, splits(TEXTURE_SIZES))


SCENE_NAMES = ("engine", "bubbles", "steps", "alarm", "bell", "fire")
"""Kinds of event in a scene; rain and wind are its background."""


def make_scenes() -> Clips:
    """Which of six kinds of event goes on at each moment, over rain or wind; events overlap."""
    import numpy as np

    audio, labels = [], []
    for index in range(sum(SCENE_SIZES)):
        rng = generator(SCENES, 0, index)
        background = (rain, wind)[rng.integers(2)](rng, SCENE_SAMPLES)
        clip, events = 0.5 * unit_power(background), []
        for number in rng.permutation(len(SCENE_NAMES))[: rng.integers(1, 3)]:
            length = int(rng.uniform(0.4, 1.0) * RATE_HZ)
            start = int(rng.integers(0, SCENE_SAMPLES - length))
            event = unit_power(MATERIALS[SCENE_NAMES[number]](rng, length)) * 10 ** (rng.uniform(0, 6) / 20)
            clip[start : start + length] += event * np.minimum(1.0, np.arange(length)[::-1] / 400)
            events.append(Event(start / RATE_HZ, (start + length) / RATE_HZ, int(number)))
        audio.append(record(rng, channel(rng, clip), (15, 25)))
        labels.append(events)
    return assemble(audio, labels, splits(SCENE_SIZES))


def make_rooms() -> Clips:
    """How large the room is and how far away the source: reverberation and its share of the sound, both 0 to 1."""
    import numpy as np

    audio, labels = [], []
    for index in range(sum(ROOM_SIZES)):
        rng = generator(ROOM, 0, index)
        size, distance = rng.uniform(size=2)
        dry = _many(rng, ROOM_SAMPLES, 4, lambda rng=rng: _grain(rng))  # type: ignore[misc]  # bound in the loop
        wet = room(rng, dry, 0.08 * 15**size, 0.3 * 12**distance)
        audio.append(record(rng, wet, (20, 30)))
        labels.append([round(float(size), 4), round(float(distance), 4)])
    return assemble(audio, np.array(labels), splits(ROOM_SIZES))


def _grain(rng: np.random.Generator) -> Signal:
    """Something short: a click of noise or a stroke."""
    import numpy as np

    if rng.uniform() < 0.5:
        return _ring(rng, 1500, log_uniform(rng, 400, 2500), 0.02)
    return noise(rng, 800, rng.uniform(0, 6)) * np.exp(-np.arange(800) / rng.uniform(60, 250))


WORDS = {
    "rain": ("rain falls", "it is raining", "raindrops patter"),
    "wind": ("wind blows", "it is windy", "a gust goes by"),
    "engine": ("an engine runs", "a motor idles", "a machine hums"),
    "fire": ("a fire crackles", "wood burns", "flames snap"),
    "bubbles": ("water bubbles", "bubbles rise", "something gurgles"),
    "steps": ("somebody walks", "footsteps pass", "there are footsteps"),
    "alarm": ("an alarm sounds", "a siren wails", "something beeps"),
    "bell": ("a bell rings", "a chime is struck", "a bell tolls"),
}
ORDER = ("{} and then {}", "{} before {}", "first {} , afterwards {}", "{} followed by {}", "{} , later {}")
LOUD = {0: ("softly", "quietly", "faintly"), 1: ("loudly", "strongly", "noisily")}


def make_captions() -> Clips:
    """Two of eight kinds of sound after each other, one of them loud, with five captions that tell of them."""
    import numpy as np

    audio, labels = [], []
    for index in range(sum(CAPTION_SIZES)):
        rng = generator(CAPTIONS, 0, index)
        first, second = rng.permutation(len(NAMES))[:2]
        loud = int(rng.integers(2))
        half = CAPTION_SAMPLES // 2
        parts = [unit_power(MATERIALS[NAMES[number]](rng, half)) for number in (first, second)]
        weak = 10 ** (-rng.uniform(8, 14) / 20)
        clip = np.concatenate([part * (1.0 if place == loud else weak) for place, part in enumerate(parts)])
        audio.append(record(rng, channel(rng, clip), (15, 25)))
        labels.append([_caption(rng, order, (NAMES[first], NAMES[second]), loud) for order in ORDER])
    return assemble(audio, labels, splits(CAPTION_SIZES))


def _caption(rng: np.random.Generator, order: str, kinds: tuple[str, str], loud: int) -> str:
    said = []
    for place, kind in enumerate(kinds):
        manner = LOUD[int(place == loud)][rng.integers(3)]
        said.append(f"{WORDS[kind][rng.integers(3)]} {manner}")
    return order.format(*said)
