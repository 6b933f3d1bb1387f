"""Track B: the nearest neighbours of a clip vote for its class, as X-ARES counts them."""

from __future__ import annotations

import torch
from torch import Tensor

from audio_encoder_checker.evaluation.unscorable import SMALLEST_NORM

QUERIES = 1024
"""Test clips compared with the whole bank at a time."""


def knn_scores(
    train_x: Tensor, train_y: Tensor, test_x: Tensor, *, classes: int, neighbours: int, temperature: float
) -> Tensor:
    """Score every class for every test clip.

    The k training clips with the largest similarity vote with weights softmax(similarity / temperature).
    Similarity is no cosine: X-ARES divides each *feature* of the bank by its norm over the training clips,
    where a cosine would divide each clip by its own (quirk 1). The test clips are divided by their own norm.

    Args:
        train_x: [N, D].
        train_y: int64 [N], classes from 0.
        test_x: [M, D].
        classes: C.
        neighbours: k.
        temperature: of the softmax.

    Returns:
        [M, C], each row sums to 1.

    Raises:
        ValueError: fewer training clips than neighbours, or values that are not finite.
    """
    if len(train_x) < neighbours:
        raise ValueError(f"{neighbours} neighbours need as many training clips, found {len(train_x)}")
    if not (train_x.isfinite().all() and test_x.isfinite().all()):
        raise ValueError("embeddings are NaN or infinite")
    bank = _unit(train_x, dim=0).T  # [D, N], quirk 1
    queries = _unit(test_x, dim=1)  # [M, D]
    return torch.cat(
        [_vote(some @ bank, train_y, classes, neighbours, temperature) for some in torch.split(queries, QUERIES)]
    )


def _unit(x: Tensor, dim: int) -> Tensor:
    """X divided by its L2 norm along a dimension."""
    norms: Tensor = torch.linalg.vector_norm(x, dim=dim, keepdim=True)
    return x / norms.clamp_min(SMALLEST_NORM)


def _vote(similarity: Tensor, train_y: Tensor, classes: int, neighbours: int, temperature: float) -> Tensor:
    nearest = similarity.topk(neighbours, dim=1)  # values and indices [M, k]
    weights = torch.softmax(nearest.values / temperature, dim=1)  # [M, k]
    scores = torch.zeros(len(similarity), classes, dtype=weights.dtype)
    return scores.scatter_add_(1, train_y[nearest.indices], weights)  # [M, C]
