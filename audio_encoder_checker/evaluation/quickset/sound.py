"""Quick sound-like clips: which of ten kinds of event is heard.

The kinds come in five pairs whose average spectra are alike while their courses differ: a struck object and the same
played backwards, a rising and a falling sweep, regular ticks and irregular crackle, slow beating and fast roughness
of coloured noise, a tone that wavers in pitch and one that is broken into bursts. An average spectrum tells the
pairs apart, only an encoder that follows events in time tells what happened.

What varies, within each kind: the object (modes of vibration, damping, register), rates, bandwidth, begin, length,
background noise and level. All numbers are drawn anew for every clip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.quickset.signals import (
    RATE_HZ,
    assemble,
    balanced_labels,
    generator,
    log_uniform,
    noise,
    phase,
    record,
    splits,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from audio_encoder_checker.evaluation.clips import Clips
    from audio_encoder_checker.evaluation.quickset.signals import Signal

TASK = 2
SECONDS = 0.9
SAMPLES = round(SECONDS * RATE_HZ)
SIZES = (160, 40, 100)


def make_events() -> Clips:
    """Generate all clips of the task."""
    labels = balanced_labels(TASK, SIZES, len(KINDS))
    audio = []
    for index, label in enumerate(labels):
        rng = generator(TASK, 0, index)
        audio.append(record(rng, KINDS[label](rng), (2, 9)))
    return assemble(audio, labels, splits(SIZES))


def struck(rng: np.random.Generator) -> Signal:
    """A few inharmonic modes that ring down, the high ones sooner, begun by a knock of noise."""
    import numpy as np

    start = rng.integers(800, 4000)
    seconds = np.arange(SAMPLES - start) / RATE_HZ
    lowest, decay = log_uniform(rng, 300, 1000), log_uniform(rng, 0.05, 0.25)
    modes = lowest * np.cumprod(np.concatenate(([1.0], rng.uniform(1.2, 2.0, 6))))
    modes = modes[modes < 7500]
    dying = np.exp(-np.outer(np.sqrt(modes / lowest) / decay, seconds))
    ringing = np.sin(2 * np.pi * np.outer(modes, seconds) + rng.uniform(0, 6.28, (len(modes), 1))) * dying
    knock = noise(rng, len(seconds), 3.0) * np.exp(-seconds / 0.004)
    hit = rng.uniform(0.3, 1, len(modes)) @ ringing + knock
    return np.concatenate((np.zeros(start), hit))


def _struck_backwards(rng: np.random.Generator) -> Signal:
    return struck(rng)[::-1]


def _rising(rng: np.random.Generator) -> Signal:
    """A tone with overtones that rises by one to three octaves."""
    import numpy as np

    length = int(rng.integers(5000, 12000))
    low = log_uniform(rng, 600, 1500)
    hertz = low * 2 ** (rng.uniform(1, 2.5) * np.linspace(0, 1, length) ** rng.uniform(0.7, 1.4))
    return _place(rng, _overtones(rng, hertz) * _fade(length))


def _falling(rng: np.random.Generator) -> Signal:
    return _rising(rng)[::-1]


def _overtones(rng: np.random.Generator, hertz: Signal) -> Signal:
    """A sum of up to four harmonics that keeps below the Nyquist frequency."""
    import numpy as np

    cycles, steepness = phase(hertz), rng.uniform(1, 3)
    harmonics = range(1, 5)
    return sum((np.sin(2 * np.pi * k * cycles) * k**-steepness * (k * hertz < 7800) for k in harmonics), np.zeros(1))


def _fade(length: int) -> Signal:
    """One, with 10 ms of rise and fall."""
    import numpy as np

    edge = np.minimum(np.arange(length), np.arange(length)[::-1]) / 160
    return np.minimum(edge, 1.0)


def _place(rng: np.random.Generator, event: Signal) -> Signal:
    """Put an event somewhere in a silent clip."""
    import numpy as np

    start = int(rng.integers(0, SAMPLES - len(event) + 1))
    clip = np.zeros(SAMPLES)
    clip[start : start + len(event)] = event
    return clip


def _clicks(rng: np.random.Generator, times: Signal) -> Signal:
    """Equal short rings of one resonance at some times [clicks] in seconds."""
    import numpy as np

    train = np.zeros(SAMPLES)
    train[(times * RATE_HZ).astype(int)] = rng.uniform(0.6, 1.0, len(times))
    seconds = np.arange(400) / RATE_HZ
    click = np.sin(2 * np.pi * log_uniform(rng, 3000, 6000) * seconds) * np.exp(-seconds / log_uniform(rng, 1e-3, 4e-3))
    return np.convolve(train, click)[:SAMPLES]


def _ticking(rng: np.random.Generator) -> Signal:
    """Clicks at equal intervals."""
    import numpy as np

    interval = 1 / log_uniform(rng, 9, 20)
    return _clicks(rng, np.arange(rng.uniform(0, interval), SECONDS, interval))


def _crackling(rng: np.random.Generator) -> Signal:
    """As many clicks at random times."""
    count = round(log_uniform(rng, 9, 20) * SECONDS)
    return _clicks(rng, rng.uniform(0, SECONDS, count))


def _modulated(rng: np.random.Generator, rate_hz: float) -> Signal:
    """Coloured noise whose strength goes up and down."""
    import numpy as np

    cycles = rate_hz * np.arange(SAMPLES) / RATE_HZ + rng.uniform()
    strength = (0.5 + 0.5 * np.sin(2 * np.pi * cycles)) ** rng.uniform(1, 2)
    return strength * noise(rng, SAMPLES, rng.uniform(5, 9))


def _beating(rng: np.random.Generator) -> Signal:
    return _modulated(rng, log_uniform(rng, 3, 8))


def _rough(rng: np.random.Generator) -> Signal:
    return _modulated(rng, log_uniform(rng, 20, 60))


def _wavering(rng: np.random.Generator) -> Signal:
    """A tone whose pitch goes up and down."""
    import numpy as np

    cycles = log_uniform(rng, 3, 9) * np.arange(SAMPLES) / RATE_HZ + rng.uniform()
    hertz = log_uniform(rng, 500, 1500) * 2 ** (rng.uniform(0.1, 0.4) * np.sin(2 * np.pi * cycles))
    return _overtones(rng, hertz)


def _broken(rng: np.random.Generator) -> Signal:
    """A tone of changing pitch, switched on and off."""
    import numpy as np

    cycles = log_uniform(rng, 3, 9) * np.arange(SAMPLES) / RATE_HZ + rng.uniform()
    drift = rng.uniform(-0.4, 0.4) * np.linspace(-1, 1, SAMPLES)
    gate = np.clip(0.5 + 4 * np.sin(2 * np.pi * cycles), 0, 1)
    return _overtones(rng, log_uniform(rng, 500, 1500) * 2**drift) * gate


KINDS: tuple[Callable[[np.random.Generator], Signal], ...] = (
    struck,
    _struck_backwards,
    _rising,
    _falling,
    _ticking,
    _crackling,
    _beating,
    _rough,
    _wavering,
    _broken,
)
"""The kind of each class."""
