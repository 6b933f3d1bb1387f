"""The labelled audio of one task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRAIN, VALID, TEST = 0, 1, 2
"""What `Clips.split` says of a clip."""


@dataclass(frozen=True, eq=False)
class Clips:
    """All clips of one task, in file order.

    Attributes:
        audio: float32 [N, samples] in [-1, 1].
        sampling_rate: of the audio, in Hz.
        labels: int64 [N], class of each clip.
        split: uint8 [N], 0 train, 1 valid, 2 test.
    """

    audio: NDArray[np.float32]
    sampling_rate: int
    labels: NDArray[np.int64]
    split: NDArray[np.uint8]
