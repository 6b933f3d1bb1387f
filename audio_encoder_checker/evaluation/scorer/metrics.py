"""Metrics of the challenge: logits and labels in, one number out, higher is better."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    Numbers = NDArray[np.float32]

Metric = Callable[[NDArray[np.float32], NDArray[Any]], float]
"""Logits [N, C] and labels [N] or [N, C] in, score out."""


def accuracy(logits: Numbers, labels: NDArray[np.int64]) -> float:
    """Share of clips whose largest logit [N, C] is that of their label [N]."""
    return float((logits.argmax(axis=1) == labels).mean())


def mean_average_precision(logits: Numbers, labels: Numbers) -> float:
    """Average precision of each class of multi-hot labels [N, C], averaged over classes (mAP).

    It is taken on logits [N, C], and a class without a positive counts 0 (quirk 22).
    """
    from sklearn.metrics import average_precision_score

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No positive class found")
        return float(average_precision_score(labels, logits, average="macro"))


def negative_mse(outputs: Numbers, targets: Numbers) -> float:
    """-mean((output - target)^2) over [N, C]."""
    return -float(np.square(outputs - targets).mean())
