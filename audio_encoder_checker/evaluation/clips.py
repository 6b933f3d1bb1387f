"""Labelled audio, as the sources of clips give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRAIN, VALID, TEST = 0, 1, 2
"""What `Clips.split` says of a clip."""
SPLITS = ("train", "valid", "test")


class Event(NamedTuple):
    """Something heard for a time."""

    start_s: float
    end_s: float
    label: Any


class Position(NamedTuple):
    """Where a clip lies in its part: the number of its shard, and its own number in that shard, from 0."""

    shard: int = 0
    sample: int = 0


class Clip(NamedTuple):
    """One recording with its label.

    Attributes:
        key: its name within the task, unique in a split.
        audio: float32 [samples], mono.
        sampling_rate: of the audio, in Hz.
        label: by the task's kind: a class (text or number) for `clip-class`; a tuple of them for
            `clip-multilabel`; a tuple of numbers for `clip-regression`; a tuple of `Event` for the frame kinds;
            a tuple of captions for `retrieval`; a text for `asr`. It can be written as JSON.
        shard: the file it comes from, for messages.
        next: where reading would go on after it.
    """

    key: str
    audio: NDArray[np.float32]
    sampling_rate: int
    label: Any
    shard: str = ""
    next: Position = Position()


@dataclass(frozen=True, eq=False)
class Clips:
    """All clips of one generated task, in order.

    Attributes:
        audio: float32 [N, samples] in [-1, 1].
        sampling_rate: of the audio, in Hz.
        labels: N labels, see `Clip.label`.
        split: uint8 [N], 0 train, 1 valid, 2 test.
    """

    audio: NDArray[np.float32]
    sampling_rate: int
    labels: tuple[Any, ...]
    split: NDArray[np.uint8]
