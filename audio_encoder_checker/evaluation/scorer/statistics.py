"""Metrics of the challenge as sums over test items, so that they can be taken again over resampled items."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.floating[Any]]


class Statistic(Protocol):
    """A metric over some test items."""

    resamples: int
    """How many times its interval takes it again."""

    @property
    def items(self) -> int:
        """Test items, N."""

    @property
    def value(self) -> float:
        """The metric."""

    def weighted(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """The metric [R] with items counted as often as each row of weights [R, N] says."""


@dataclass(frozen=True, eq=False)
class Ratio:
    """A sum over items divided by another: accuracy, recall, mean squared error.

    Attributes:
        parts: what each item adds to the sum above, [N].
        wholes: what it adds to the sum below, [N].
    """

    parts: Numbers
    wholes: Numbers
    resamples = 1000

    @property
    def items(self) -> int:
        """Test items."""
        return len(self.parts)

    @property
    def value(self) -> float:
        """The ratio; 0 where there is nothing to divide by."""
        return float(self.parts.sum() / max(self.wholes.sum(), 1e-12))

    def weighted(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Statistic`."""
        ratios: NDArray[np.float64] = (weights @ self.parts) / np.maximum(weights @ self.wholes, 1e-12)
        return ratios


def share(hits: NDArray[Any]) -> Ratio:
    """The mean of something over items [N]."""
    return Ratio(hits.astype(np.float64), np.ones(len(hits)))


@dataclass(frozen=True, eq=False)
class F1:
    """F1 of decisions counted per item and class, `2 tp / (2 tp + fp + fn)`.

    Attributes:
        hits: true positives [N, C].
        errors: false positives and false negatives together [N, C].
        macro: mean over classes; otherwise all classes are counted together.
    """

    hits: Numbers
    errors: Numbers
    macro: bool
    resamples = 1000

    @property
    def items(self) -> int:
        """Test items."""
        return len(self.hits)

    @property
    def value(self) -> float:
        """A class without any positive, found or true, counts 0, as in scikit-learn."""
        return float(self.weighted(np.ones((1, self.items), dtype=np.float32))[0])

    def weighted(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Statistic`."""
        hits, errors = weights @ self.hits, weights @ self.errors  # [R, C]
        if not self.macro:
            hits, errors = hits.sum(axis=1, keepdims=True), errors.sum(axis=1, keepdims=True)
        scores: NDArray[np.float64] = (2 * hits / np.maximum(2 * hits + errors, 1e-12)).mean(axis=1)
        return scores


@dataclass(frozen=True, eq=False)
class MeanAveragePrecision:
    """Average precision of each class, averaged over classes (mAP).

    Attributes:
        logits: [N, C].
        labels: multi-hot [N, C].
        empty_counts: a class without a positive counts 0, as in X-ARES (quirk 22); otherwise it is left out.
    """

    logits: Numbers
    labels: NDArray[Any]
    empty_counts: bool = True
    resamples = 200

    @property
    def items(self) -> int:
        """Test items."""
        return len(self.logits)

    @cached_property
    def value(self) -> float:
        """As scikit-learn's macro average computes it."""
        import warnings

        from sklearn.metrics import average_precision_score

        there = np.flatnonzero(self.labels.any(axis=0)) if not self.empty_counts else slice(None)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No positive class found")
            return float(average_precision_score(self.labels[:, there], self.logits[:, there], average="macro"))

    def weighted(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Statistic`."""
        there = np.flatnonzero(self.labels.any(axis=0))
        counts = np.ascontiguousarray(weights.T)  # [N, R], so that an item's weights lie together
        total = sum(
            (_average_precisions(self.logits[:, column], self.labels[:, column], counts) for column in there),
            np.zeros(len(weights)),
        )
        result: NDArray[np.float64] = total / (self.labels.shape[1] if self.empty_counts else max(len(there), 1))
        return result


def _average_precisions(logits: Numbers, labels: NDArray[Any], counts: NDArray[np.float32]) -> NDArray[np.float64]:
    """Average precision [R] of one class, with items [N] counted as often as `counts` [N, R] says.

    Items with the same logit come together, as in scikit-learn: precision is taken where such a run ends, and only
    runs that hold a positive matter.
    """
    order = np.argsort(-logits, kind="stable")
    falling = logits[order]
    ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(order) - 1)
    positives = np.flatnonzero(labels[order])
    runs, first = np.unique(np.searchsorted(ends, positives), return_index=True)
    last = ends[runs]
    starts = np.append(0, last[:-1] + 1)
    below = np.cumsum(np.add.reduceat(counts[order[: last[-1] + 1]], starts, axis=0), axis=0)  # [runs, R]
    found = np.add.reduceat(counts[order[positives]], first, axis=0)
    hits = np.cumsum(found, axis=0)
    averages: NDArray[np.float64] = (found * hits / np.maximum(below, 1e-12)).sum(axis=0) / np.maximum(hits[-1], 1e-12)
    return averages


@dataclass(frozen=True, eq=False)
class EqualErrorRate:
    """The rate at which as many of one class are taken for the other as the other way round.

    As X-ARES means it: the mean of both rates at the threshold of the ROC curve where they are nearest (quirk 9).

    Attributes:
        scores: of class 1, [N].
        labels: 0 or 1, [N].
    """

    scores: Numbers
    labels: NDArray[Any]
    resamples = 200

    @property
    def items(self) -> int:
        """Test items."""
        return len(self.scores)

    @cached_property
    def value(self) -> float:
        """The rate; lower is better."""
        return self._rate(None)

    def weighted(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Statistic`."""
        return np.array([self._rate(row) for row in weights])

    def _rate(self, weights: NDArray[np.float32] | None) -> float:
        from sklearn.metrics import roc_curve

        if weights is not None and min(weights @ (self.labels == 1), weights @ (self.labels == 0)) <= 0:
            return self.value  # one class was not drawn at all
        false_alarms, hits, _ = roc_curve(self.labels, self.scores, pos_label=1, sample_weight=weights)
        misses = 1 - hits
        nearest = np.nanargmin(np.abs(false_alarms - misses))
        return float((false_alarms[nearest] + misses[nearest]) / 2)


@dataclass(frozen=True, eq=False)
class InvertedWordErrorRate:
    """`max(0, 1 - WER)`, of word errors and words of each item, [N]."""

    errors: Numbers
    words: Numbers
    resamples = 1000

    @property
    def items(self) -> int:
        """Test items."""
        return len(self.errors)

    @property
    def value(self) -> float:
        """Higher is better."""
        return max(0.0, 1 - Ratio(self.errors, self.words).value)

    def weighted(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Statistic`."""
        return np.maximum(0.0, 1 - Ratio(self.errors, self.words).weighted(weights))
