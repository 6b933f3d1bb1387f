"""A linear probe on frames: events, notes, phones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from audio_encoder_checker.evaluation.labels import NO_LABEL
from audio_encoder_checker.evaluation.scorer.linear import loss_of
from audio_encoder_checker.evaluation.scorer.metrics import frame_accuracy, segment_f1, segment_frames, timed_segment_f1

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.scorer.statistics import Statistic
    from audio_encoder_checker.evaluation.tasks import Task


class Frames(NamedTuple):
    """The frames of some items.

    Attributes:
        x: of each item, [T, D]; may lie on disk.
        y: of each item, [T] or [T, C]; may go on behind its frames.
    """

    x: Sequence[NDArray[np.float32]]
    y: Sequence[NDArray[Any]]

    def in_a_row(self, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The own frames of some items one after the other, without padding: [F, D], and [F] or [F, C]."""
        x = np.concatenate([self.x[item] for item in items])
        y = np.concatenate([self.y[item][: len(self.x[item])] for item in items])
        return torch.from_numpy(x), torch.from_numpy(y)

    def joined(self, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Some items padded to the longest: [B, T, D], and [B, T] or [B, T, C].

        The padding is zeros, and no one is told of it (quirk 14): it enters loss and metric, with the labels that go
        on there. Where frames have classes, it has none.
        """
        longest = max(len(self.x[item]) for item in items)
        first = self.y[items[0]]
        x = np.zeros((len(items), longest, self.x[items[0]].shape[1]), dtype=np.float32)
        y = np.full((len(items), longest, *first.shape[1:]), 0 if first.ndim == 2 else NO_LABEL, dtype=first.dtype)
        for row, item in enumerate(items):
            x[row, : len(self.x[item])] = self.x[item]
            y[row, : len(self.y[item])] = self.y[item][:longest]
        return torch.from_numpy(x), torch.from_numpy(y)


@dataclass(eq=False)
class FrameLearner:
    """A linear probe on frames.

    Attributes:
        probe: see `linear.new_probe`.
        train: what to learn.
        valid: what to choose the epoch by.
        task: its kind, metric and batch size.
        hop_ms: from frame to frame.
        by_time: segments of exact length instead of X-ARES's, and no padding in the loss.
    """

    probe: nn.Module
    train: Frames
    valid: Frames
    task: Task
    hop_ms: float
    by_time: bool = False

    def __post_init__(self) -> None:
        self._loss = loss_of(self.task.kind, self.task.training.pos_weight)

    @property
    def items(self) -> int:
        """Training items."""
        return len(self.train.x)

    def loss(self, batch: Tensor) -> Tensor:
        """Over some training items."""
        x, y = self.train.in_a_row(batch.tolist()) if self.by_time else self.train.joined(batch.tolist())
        outputs = self.probe(x)  # [B, T, C] or [F, C]
        if self.task.kind == "frame-class":
            total = functional.cross_entropy(
                outputs.flatten(0, -2), y.flatten(), ignore_index=NO_LABEL, reduction="sum"
            )
            return total / (y != NO_LABEL).sum().clamp_min(1)  # a batch without any label teaches nothing
        return self._loss(outputs, y.float())

    def valid_metric(self) -> float:
        """The metric that chooses the epoch; all metrics of frames are better when higher."""
        return self.measure(self.probe, self.valid).value

    def measure(self, probe: nn.Module, frames: Frames) -> Statistic:
        """A probe's metric on items, in batches as X-ARES makes them."""
        said, own = [], []
        size = self.task.training.batch_size if not self.by_time else 1
        for start in range(0, len(frames.x), size):
            x, y = frames.joined(range(start, min(start + size, len(frames.x))))
            with torch.no_grad():
                said += list(probe(x).numpy())
            own += list(y.numpy())
        decided = [logits > 0 for logits in said] if own[0].ndim == 2 else said  # sigmoid(0) = 0.5 rounds to 0
        return frame_metric(self.task, decided, own, self.hop_ms, by_time=self.by_time)


def frame_metric(
    task: Task, said: Sequence[NDArray[Any]], own: Sequence[NDArray[Any]], hop_ms: float, *, by_time: bool
) -> Statistic:
    """The metric of a frame task.

    Args:
        task: names the metric.
        said: of each item, logits [T, C] for classes, decisions [T, C] for multi-label.
        own: labels of each item.
        hop_ms: from frame to frame.
        by_time: segments of exact length instead of X-ARES's.
    """
    if task.metric == "accuracy":
        return frame_accuracy(said, own)
    macro = task.metric == "segment-F1-macro"
    if by_time:
        return timed_segment_f1(said, own, hop_ms=hop_ms, segment_s=task.segment_s, macro=macro)
    return segment_f1(said, own, segment_frames(task.segment_s, hop_ms), macro=macro)
