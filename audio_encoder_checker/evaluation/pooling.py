"""From frames to one vector for a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RUN = 64
"""Frames that are added in float32 before float64 takes over: as fast as memory, and no digits are lost."""


def mean_over_frames(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average the frames of each clip, as X-ARES does.

    X-ARES masks only what it pads after encoding. The zeros that it pads a batch of audio with went through
    the encoder, which makes frames of them, and those count like any other (quirk 3).

    Args:
        frames: [B, T, D].

    Returns:
        float32 [B, D].

    Raises:
        ValueError: no three dimensions, or no frames to average.
    """
    import numpy as np

    if frames.ndim != 3 or frames.shape[1] == 0:
        raise ValueError(f"expected embeddings of shape [B, T, D] with T > 0, found {frames.shape}")
    count = frames.shape[1]
    total = np.zeros((frames.shape[0], frames.shape[2]))
    for start in range(0, count, RUN):
        total += np.add.reduce(frames[:, start : start + RUN], axis=1)
    pooled: NDArray[np.float32] = (total / count).astype(np.float32)
    return pooled
