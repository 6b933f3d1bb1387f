"""The items of a job, chosen and joined for one round of training and test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audio_encoder_checker.evaluation.labels import NO_LABEL
from audio_encoder_checker.evaluation.scorer.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.job import Part, ScoringJob


class Items:
    """Some parts of a job together, as X-ARES sees them or corrected.

    Args:
        job: of one task.
        names: of the parts.
        corrected: all crops, and embeddings without the frames of padding (quirks 2 and 3).
    """

    def __init__(self, job: ScoringJob, names: Sequence[str], *, corrected: bool = False) -> None:
        self.parts = [job.parts[name] for name in names]
        self.corrected = corrected

    def x(self) -> NDArray[np.float32]:
        """Embeddings of clips, [N, D]; those of one whole part stay on disk, others are copied once."""
        rows = [self._rows(part) for part in self.parts]
        chosen = [self._chosen(part) for part in self.parts]
        if len(rows) == 1 and chosen[0].all():
            return rows[0]
        counts = [int(marks.sum()) for marks in chosen]
        joined = np.empty((sum(counts), rows[0].shape[1]), dtype=rows[0].dtype)
        for some, marks, end, count in zip(rows, chosen, np.cumsum(counts), counts, strict=True):
            # the mode that needs no buffer of the same size; no place lies outside
            np.take(some, np.flatnonzero(marks), axis=0, out=joined[end - count : end], mode="clip")
        return joined

    def y(self) -> NDArray[Any]:
        """Labels of clips, [N] or [N, C]."""
        return np.concatenate([_of(part.y)[self._chosen(part)] for part in self.parts])

    def texts(self) -> list[Any]:
        """Captions or transcripts of clips."""
        return [
            text for part in self.parts for text, kept in zip(part.texts or (), self._chosen(part), strict=True) if kept
        ]

    def clips(self) -> NDArray[np.int64]:
        """The clip that each item was cut from, numbered over all parts."""
        numbers, first = [], 0
        for part in self.parts:
            own = np.arange(part.items) if part.clip is None else np.asarray(part.clip)
            numbers.append(own[self._chosen(part)] + first)
            first += int(own.max(initial=-1)) + 1
        return np.concatenate(numbers)

    def frames(self) -> Frames:
        """Embeddings and labels of frames, item by item."""
        x: list[NDArray[np.float32]] = []
        y: list[NDArray[Any]] = []
        for part in self.parts:
            chosen = np.flatnonzero(self._chosen(part))
            for item in chosen:
                start, end = _of(part.offsets)[item : item + 2]
                first, last = _of(part.offsets if part.label_offsets is None else part.label_offsets)[item : item + 2]
                if self.corrected:
                    end = start + (end - start if part.true_frames is None else part.true_frames[item])
                    last = first + end - start
                x.append(_of(part.x)[start:end])
                y.append(_of(part.y)[first:last])
        return Frames(x, y)

    def item_frames(self) -> list[NDArray[np.float32]]:
        """Embeddings of frames, item by item, without labels."""
        return [
            _of(part.x)[slice(*_of(part.offsets)[item : item + 2])]
            for part in self.parts
            for item in np.flatnonzero(self._chosen(part))
        ]

    def _rows(self, part: Part) -> NDArray[np.float32]:
        return _of(part.true_x if self.corrected and part.true_x is not None else part.x)

    def _chosen(self, part: Part) -> NDArray[np.bool_]:
        if part.kept is None or self.corrected:
            return np.ones(part.items, dtype=bool)
        return np.asarray(part.kept)


def labelled(frames: Frames, most: int, seed: int) -> tuple[NDArray[np.float32], NDArray[Any], bool]:
    """Frames that have a label, [F, D] and [F] or [F, C], at most so many of them, chosen at random.

    Only what is chosen is read.

    Returns:
        Embeddings, labels, and whether some were left out.
    """
    ends = np.cumsum([len(one) for one in frames.x])
    usable = np.arange(ends[-1])
    if frames.y[0].ndim == 1:
        marks = [own[: len(one)] != NO_LABEL for own, one in zip(frames.y, frames.x, strict=True)]
        usable = usable[np.concatenate(marks)]
    left_out = len(usable) > most
    if left_out:
        usable = np.sort(np.random.default_rng(seed).choice(usable, most, replace=False))
    cuts = np.searchsorted(usable, ends)
    x, y = [], []
    for one, own, end, rows in zip(frames.x, frames.y, ends, np.split(usable, cuts[:-1]), strict=True):
        places = rows - (end - len(one))
        x.append(one[places])
        y.append(own[places])
    return np.concatenate(x), np.concatenate(y), left_out


def some_items(frames: Frames, most: int, seed: int) -> tuple[Frames, bool]:
    """Whole items with at most so many frames together, chosen at random, and whether some were left out."""
    order = np.random.default_rng(seed).permutation(len(frames.x))
    total = np.cumsum([len(frames.x[item]) for item in order])
    count = max(1, int((total <= most).sum()))
    chosen = sorted(order[:count].tolist())
    return Frames([frames.x[i] for i in chosen], [frames.y[i] for i in chosen]), count < len(order)


def per_clip(values: NDArray[np.float32], clips: NDArray[np.int64]) -> NDArray[np.float32]:
    """The mean over all crops of a clip, [N, C] -> [clips, C]."""
    numbers, places = np.unique(clips, return_inverse=True)
    sums = np.zeros((len(numbers), values.shape[1]))
    np.add.at(sums, places, values)
    means: NDArray[np.float32] = (sums / np.bincount(places)[:, None]).astype(np.float32)
    return means


def first_of_clip(labels: NDArray[Any], clips: NDArray[np.int64]) -> NDArray[Any]:
    """The label of each clip, [N] -> [clips]."""
    chosen: NDArray[Any] = labels[np.unique(clips, return_index=True)[1]]
    return chosen


def _of(array: Any) -> NDArray[Any]:
    """An array that has to be there."""
    if array is None:
        raise ValueError("an array of the job is missing")
    return np.asanyarray(array)
