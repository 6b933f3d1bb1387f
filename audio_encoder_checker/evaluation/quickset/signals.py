"""Building blocks of the quick set's synthesis: noise, resonators, levels and the split of clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evaluation.clips import TEST, TRAIN, VALID, Clips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Signal = NDArray[np.float64]

RATE_HZ = 16000
LEVEL_DB = (-25.0, -13.0)
"""Range of a recording's level, below full scale."""
STEPS = 32768
"""Of a 16-bit recording: so the cache is exact, and the last bits of a machine's sine do not matter."""
SEED = 20250630
"""With a task's own number and a clip's index it fixes everything random about that clip."""


def generator(*key: int) -> np.random.Generator:
    """The random numbers of one clip, speaker or instrument, independent of all others."""
    import numpy as np

    return np.random.default_rng((SEED, *key))


def splits(sizes: Sequence[int]) -> NDArray[np.uint8]:
    """The split of each clip, uint8 [N], for so many training, validation and test clips."""
    import numpy as np

    return np.repeat(np.array([TRAIN, VALID, TEST], dtype=np.uint8), sizes)


def balanced_labels(task: int, sizes: Sequence[int], classes: int) -> NDArray[np.int64]:
    """The class of each clip, int64 [N]: as many of each as can be in every split, in random order."""
    import numpy as np

    rng = generator(task, 2)
    return np.concatenate([rng.permutation(np.arange(size) % classes) for size in sizes]).astype(np.int64)


def source_of(index: int, sizes: Sequence[int], sources: Sequence[int]) -> int:
    """The number of the voice or instrument of clip `index`: each split has sources of its own.

    Args:
        index: of the clip.
        sizes: clips in each split.
        sources: voices or instruments in each split.

    Raises:
        IndexError: there is no such clip.
    """
    first_clip, first_source = 0, 0
    for clips, here in zip(sizes, sources, strict=True):
        if index < first_clip + clips:
            return first_source + (index - first_clip) * here // clips
        first_clip, first_source = first_clip + clips, first_source + here
    raise IndexError(index)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between two, as likely in each octave."""
    return float(low * (high / low) ** rng.uniform())


def noise(rng: np.random.Generator, samples: int, slope_db: float) -> Signal:
    """Gaussian noise [samples] of unit power whose spectrum falls by `slope_db` per octave."""
    return _shaped_noise(rng, samples, lambda hertz: (hertz.clip(50.0) / 1000) ** (-slope_db / 6.02))


def band(rng: np.random.Generator, samples: int, low_hz: float, high_hz: float) -> Signal:
    """Gaussian noise [samples] of unit power between two frequencies."""
    return _shaped_noise(
        rng, samples, lambda hertz: 1 / (1 + (low_hz / hertz.clip(1)) ** 6) / (1 + (hertz / high_hz) ** 6)
    )


def _shaped_noise(rng: np.random.Generator, samples: int, gain: Callable[[NDArray[Any]], Signal]) -> Signal:
    """Gaussian noise [samples] of unit power through a filter, whose gain depends on the frequency in Hz."""
    import numpy as np

    length = 2 ** (samples - 1).bit_length()  # lengths with large prime factors take ten times as long
    spectrum = np.fft.rfft(rng.standard_normal(length))
    return unit_power(np.fft.irfft(spectrum * gain(np.fft.rfftfreq(length, 1 / RATE_HZ)), length)[:samples])


def unit_power(signal: Signal) -> Signal:
    """The signal [..., samples] at a mean square of 1."""
    import numpy as np

    power: Signal = np.mean(signal**2, axis=-1, keepdims=True)
    return signal / np.sqrt(power + 1e-12)


def glide(values: Signal, samples: int) -> Signal:
    """Stretch a track [frames] to one value a sample, by linear interpolation."""
    import numpy as np

    return np.interp(np.linspace(0, len(values) - 1, samples), np.arange(len(values)), values)


def phase(hertz: Signal) -> Signal:
    """Phase in cycles [..., samples] of an oscillator of changing frequency."""
    import numpy as np

    return np.cumsum(hertz, axis=-1) / RATE_HZ


def cascade(source: Signal, hertz: Signal, width_hz: Signal, step: int) -> Signal:
    """Send many signals at once through resonators in a row, as in Klatt's formant synthesiser (JASA 67, 1980).

    Each resonator is `y[t] = a x[t] + b y[t-1] + c y[t-2]` with unit gain at 0 Hz. Its input is the output of the
    one before at the time before, which delays the whole by a sample each and lets all be computed together.

    Args:
        source: [samples, N].
        hertz: centre frequencies [frames, resonators, N].
        width_hz: bandwidths, same shape.
        step: samples in a frame.

    Returns:
        [samples, N].
    """
    import numpy as np

    c = -np.exp(-2 * np.pi * width_hz / RATE_HZ)
    b = 2 * np.sqrt(-c) * np.cos(2 * np.pi * hertz / RATE_HZ)
    a = 1 - b - c
    now, before = np.zeros(a.shape[1:]), np.zeros(a.shape[1:])
    result = np.empty_like(source)
    for t, sample in enumerate(source):
        frame = min(t // step, len(a) - 1)
        entering = np.concatenate((sample[None], now[:-1]))
        now, before = a[frame] * entering + b[frame] * now + c[frame] * before, now
        result[t] = now[-1]
    return result


def channel(rng: np.random.Generator, signal: Signal, bends_db: float = 4.0) -> Signal:
    """The signal [samples] through a microphone and a line: a smooth random frequency response, then a room."""
    import numpy as np

    hertz = np.fft.rfftfreq(len(signal), 1 / RATE_HZ)
    bends = np.interp(np.log2(hertz + 50), np.linspace(5.6, 13, 6), rng.normal(0, bends_db, 6))
    shaped = np.fft.irfft(np.fft.rfft(signal) * 10 ** (bends / 20), len(signal))
    return room(rng, shaped)


def room(rng: np.random.Generator, signal: Signal, seconds: float | None = None, wet: float | None = None) -> Signal:
    """The signal [samples] in a room: itself, and decaying noise as its late reflections (Moorer 1979).

    Args:
        rng: of the clip.
        signal: [samples].
        seconds: reverberation time, to -60 dB; drawn between 0.1 and 0.4 if not given.
        wet: amplitude of the reflections beside the direct sound; drawn between 0 and 0.3 if not given.
    """
    import numpy as np

    seconds = float(rng.uniform(0.1, 0.4)) if seconds is None else seconds
    wet = float(rng.uniform(0, 0.3)) if wet is None else wet
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    tail /= np.sqrt((tail**2).sum())
    length = 2 ** (len(signal) + len(tail)).bit_length()
    reflected = np.fft.irfft(np.fft.rfft(signal, length) * np.fft.rfft(tail, length), length)[: len(signal)]
    heard: Signal = signal + wet * reflected * (signal.std() / (reflected.std() + 1e-12))
    return heard


def record(rng: np.random.Generator, signal: Signal, snr_db: tuple[float, float]) -> NDArray[np.float32]:
    """Make a recording of a clean signal: a background of coloured noise, then a random level.

    Args:
        rng: of the clip.
        signal: [samples], of any level.
        snr_db: range of the ratio of signal power to noise power over the whole clip.

    Returns:
        float32 [samples] within [-0.99, 0.99], in steps of 16 bits.
    """
    import numpy as np

    ratio = 10 ** (-rng.uniform(*snr_db) / 20)
    mixed = unit_power(signal) + ratio * noise(rng, len(signal), rng.uniform(2, 5))
    level = 10 ** (rng.uniform(*LEVEL_DB) / 20)
    levelled = level * unit_power(mixed)
    levelled /= max(1.0, np.abs(levelled).max() / 0.99)
    recorded: NDArray[np.float32] = (np.round(levelled * STEPS) / STEPS).astype(np.float32)
    return recorded


def assemble(
    audio: Sequence[NDArray[np.float32]], labels: Sequence[Any] | NDArray[Any], split: NDArray[np.uint8]
) -> Clips:
    """Put clips of equal length together."""
    import numpy as np

    plain = labels.tolist() if isinstance(labels, np.ndarray) else labels
    return Clips(np.stack(audio), RATE_HZ, tuple(plain), split)
