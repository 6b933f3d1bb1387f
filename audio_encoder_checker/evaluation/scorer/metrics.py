"""Metrics of the challenge by name: what a probe says of test items against their labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from audio_encoder_checker.evaluation.scorer.statistics import (
    F1,
    EqualErrorRate,
    MeanAveragePrecision,
    Ratio,
    share,
)
from audio_encoder_checker.evaluation.unscorable import SMALLEST_NORM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.scorer.statistics import Statistic

    Numbers = NDArray[np.floating[Any]]


def clip_metric(metric: str, outputs: Numbers, labels: NDArray[Any], *, corrected: bool = False) -> Statistic:
    """A metric of clips.

    Args:
        metric: accuracy, EER, mAP or MSE.
        outputs: [N, C]; logits, or numbers for MSE.
        labels: int64 [N], or [N, C].
        corrected: without quirk 22.
    """
    if metric == "accuracy":
        return share(outputs.argmax(axis=1) == labels)
    if metric == "EER":
        return EqualErrorRate(outputs[:, 1] - outputs[:, 0], labels)
    if metric == "mAP":
        hot = labels if labels.ndim == 2 else np.eye(outputs.shape[1], dtype=np.uint8)[labels]
        return MeanAveragePrecision(outputs, hot, empty_counts=not corrected)
    if metric == "MSE":
        return share(np.square(outputs.astype(np.float64) - labels).mean(axis=1))
    raise ValueError(f"{metric} is no metric of clips")


def frame_accuracy(outputs: Sequence[Numbers], labels: Sequence[NDArray[Any]]) -> Ratio:
    """Share of labelled frames whose largest logit is that of their label.

    Args:
        outputs: of each item, [T, C].
        labels: of each item, [T], -1 where there is none.
    """
    hits = [float((said.argmax(axis=1) == own).sum()) for said, own in zip(outputs, labels, strict=True)]
    counted = [float((own >= 0).sum()) for own in labels]
    return Ratio(np.array(hits), np.array(counted))


def segment_f1(decided: Sequence[NDArray[np.bool_]], labels: Sequence[NDArray[Any]], frames: int, *, macro: bool) -> F1:
    """Segment-based F1 as X-ARES computes it: a segment holds a class if any of its frames does.

    A segment has `ceil(segment / hop)` frames, and frames behind the last whole segment are dropped (quirk 14).

    Args:
        decided: of each item, bool [T, C].
        labels: of each item, [T, C].
        frames: in a segment, see `segment_frames`.
        macro: mean over classes, or all counted together.
    """
    return _f1(decided, labels, lambda marks: _pooled(marks, frames), macro=macro)


def segment_frames(segment_s: float, hop_ms: float) -> int:
    """Frames that X-ARES takes for a segment."""
    return math.ceil(segment_s / (hop_ms / 1000.0))


def timed_segment_f1(
    decided: Sequence[NDArray[np.bool_]],
    labels: Sequence[NDArray[Any]],
    *,
    hop_ms: float,
    segment_s: float,
    macro: bool,
) -> F1:
    """The same with segments of the same length for every encoder: a frame belongs to where its centre lies."""

    def pooled(marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        segment = ((np.arange(len(marks)) + 0.5) * hop_ms / 1000 / segment_s).astype(np.int64)
        return np.logical_or.reduceat(marks, np.flatnonzero(np.diff(segment, prepend=-1)))

    return _f1(decided, labels, pooled, macro=macro)


def _f1(
    decided: Sequence[NDArray[np.bool_]],
    labels: Sequence[NDArray[Any]],
    pooled: Callable[[NDArray[np.bool_]], NDArray[np.bool_]],
    *,
    macro: bool,
) -> F1:
    hits, errors = [], []
    for said, own in zip(decided, labels, strict=True):
        found, true = pooled(said), pooled(own > 0)
        hits.append((found & true).sum(axis=0))
        errors.append((found ^ true).sum(axis=0))
    return F1(np.array(hits, dtype=np.float64), np.array(errors, dtype=np.float64), macro)


def _pooled(marks: NDArray[np.bool_], frames: int) -> NDArray[np.bool_]:
    """Whether any of so many frames in a row is marked, [T, C] -> [T // frames, C]."""
    whole = len(marks) // frames
    pooled: NDArray[np.bool_] = np.any(marks[: whole * frames].reshape(whole, frames, marks.shape[1]), axis=1)
    return pooled


def recall_at_1(audio: Numbers, text: Numbers, owner: NDArray[np.int64]) -> tuple[Ratio, Ratio]:
    """How often a clip's nearest caption is one of its own, and a caption's nearest clip its own, by cosine.

    Args:
        audio: [N, E].
        text: all captions, [M, E].
        owner: the clip of each caption, [M].

    Returns:
        Audio to text, and text to audio; both over clips.
    """
    similarity = _unit(audio) @ _unit(text).T  # [N, M]
    found = owner[similarity.argmax(axis=1)] == np.arange(len(audio))
    heard = similarity.argmax(axis=0) == owner
    captions = np.bincount(owner, minlength=len(audio)).astype(np.float64)
    return share(found), Ratio(np.bincount(owner, weights=heard, minlength=len(audio)).astype(np.float64), captions)


def _unit(x: Numbers) -> Numbers:
    unit: Numbers = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), SMALLEST_NORM)
    return unit
