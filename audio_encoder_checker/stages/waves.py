"""Test signals, float32 `[samples]` or `[clips, samples]`, between -1 and 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Wave = NDArray[np.float32]

TONES = 8
LOWEST_TONE_HZ = 60.0
HIGHEST_TONE = 0.45
"""Of the sampling rate: below half of it, above which there is no sound."""
QUIET = 0.1
"""20 dB below full scale."""


def quiet_noise(seed: int, clips: int, samples: int) -> Wave:
    """Gaussian noise `[clips, samples]` with a deviation of `QUIET`, the same for the same seed."""
    import numpy as np

    return (QUIET * np.random.default_rng(seed).standard_normal((clips, samples))).astype("float32")


def tones(rate_hz: float, samples: int) -> Wave:
    """A sweep of pure tones `[TONES, samples]`, evenly spaced in pitch, of one loudness."""
    import numpy as np

    hertz = np.geomspace(LOWEST_TONE_HZ, HIGHEST_TONE * rate_hz, TONES)
    phases = 2 * np.pi * hertz[:, None] * np.arange(samples) / rate_hz
    return (QUIET * np.sin(phases)).astype("float32")


def varied(rate_hz: float, samples: int, random: np.random.Generator) -> Wave:
    """Eight clips that have little in common: noises of three colours, chirps, pulses, beats, a fade, a chord."""
    import numpy as np

    time = np.arange(samples) / rate_hz
    length = samples / rate_hz
    white = random.standard_normal((4, samples))
    pulses = np.zeros(samples)
    pulses[:: max(int(rate_hz / 90), 1)] = 1.0
    clips = [
        white[0],
        np.cumsum(white[1]) - np.linspace(0, white[1].sum(), samples),
        np.diff(white[2], prepend=0.0),
        np.sin(2 * np.pi * (80 * time + (0.4 * rate_hz - 80) * time**2 / (2 * length))),
        pulses,
        np.sin(2 * np.pi * 220 * time) * (np.sin(2 * np.pi * 4 * time) > 0),
        white[3] * np.exp(-8 * time / length),
        sum(np.sin(2 * np.pi * hertz * time) for hertz in (131, 165, 196, 262)),
    ]
    return np.stack([QUIET * clip / np.abs(clip).max() for clip in clips]).astype("float32")


def extremes(rate_hz: float, samples: int, random: np.random.Generator) -> dict[str, Wave]:
    """Clips `[1, samples]` as recordings hold them and authors forget: silence, full scale, DC, clicks."""
    import numpy as np

    clicks = np.zeros((1, samples), dtype="float32")
    clicks[:, :: max(int(rate_hz / 5), 1)] = 1.0
    return {
        "silence": np.zeros((1, samples), dtype="float32"),
        "full scale": np.sign(random.standard_normal((1, samples))).astype("float32"),
        "constant level": np.full((1, samples), 0.5, dtype="float32"),
        "clicks": clicks,
    }
