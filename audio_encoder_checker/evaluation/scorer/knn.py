"""Track B: the nearest neighbours of an item vote for its classes, as X-ARES counts them.

Memory beyond the embeddings holds one block of the bank and its similarities to some queries, whatever the sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from audio_encoder_checker.evaluation.unscorable import SMALLEST_NORM

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUERIES = 2048
BANK = 16384
"""Queries and items of the bank that are compared at a time: 128 MiB of similarities."""


class Votes(NamedTuple):
    """Scores [M, C] of every class for every query.

    Attributes:
        official: with X-ARES's similarity.
        cosine: with the cosine.
    """

    official: NDArray[np.float32]
    cosine: NDArray[np.float32]


class Nearest:
    """The largest similarities to each query so far, and whose they are; [M, k] each."""

    def __init__(self, queries: int, neighbours: int) -> None:
        self.values = torch.full((queries, neighbours), -torch.inf)
        self.places = torch.zeros((queries, neighbours), dtype=torch.int64)

    def add(self, rows: slice, similarity: Tensor, first: int) -> None:
        """Consider [m, n] more similarities of some queries, to items of the bank from `first` on."""
        best = similarity.topk(min(self.values.shape[1], similarity.shape[1]), dim=1)
        values = torch.cat((self.values[rows], best.values), dim=1)
        places = torch.cat((self.places[rows], best.indices + first), dim=1)
        kept = values.topk(self.values.shape[1], dim=1)
        self.values[rows] = kept.values
        self.places[rows] = places.gather(1, kept.indices)


def knn_scores(
    bank: NDArray[np.float32], labels: NDArray[Any], queries: NDArray[np.float32],
    *, classes: int, neighbours: int, temperature: float,
) -> Votes:  # fmt: skip
    """Score every class for every query.

    The k items of the bank with the largest similarity vote with weights softmax(similarity / temperature).
    The official similarity is no cosine: X-ARES divides each *feature* of the bank by its norm over all items,
    where a cosine would divide each item by its own (quirk 1). Queries are divided by their own norm. Here the
    features' norms are moved into the queries, so that the bank needs no second copy.

    Args:
        bank: [N, D], may lie on disk.
        labels: of the bank, int64 [N] or multi-hot [N, C].
        queries: [M, D], may lie on disk.
        classes: C.
        neighbours: k.
        temperature: of the softmax.

    Raises:
        ValueError: a bank smaller than k, or values that are not finite.
    """
    if len(bank) < neighbours:
        raise ValueError(f"{neighbours} neighbours need as many training clips, found {len(bank)}")
    features, items = _norms(bank)
    official, cosine = Nearest(len(queries), neighbours), Nearest(len(queries), neighbours)
    for first in range(0, len(bank), BANK):
        block = torch.from_numpy(np.array(bank[first : first + BANK])).T  # [D, n]
        for start in range(0, len(queries), QUERIES):
            rows = slice(start, start + QUERIES)
            some = _unit(torch.from_numpy(np.array(queries[rows])))  # [m, D]
            official.add(rows, (some / features) @ block, first)
            cosine.add(rows, (some @ block).div_(items[first : first + BANK]), first)
    targets = torch.from_numpy(np.asarray(labels).astype(np.int64))
    return Votes(
        _vote(official, targets, classes, temperature).numpy(), _vote(cosine, targets, classes, temperature).numpy()
    )


def _norms(bank: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """L2 norms of each feature over the items [D], and of each item [N]."""
    squares, items = np.zeros(bank.shape[1]), np.empty(len(bank), dtype=np.float32)
    for first in range(0, len(bank), BANK):
        block = np.square(bank[first : first + BANK], dtype=np.float32)
        squares += block.sum(axis=0, dtype=np.float64)
        items[first : first + BANK] = np.sqrt(block.sum(axis=1))
    if not np.isfinite(squares).all():
        raise ValueError("embeddings are NaN or infinite")
    features = torch.from_numpy(np.sqrt(squares).astype(np.float32))
    return features.clamp_min(SMALLEST_NORM), torch.from_numpy(items).clamp_min(SMALLEST_NORM)


def _unit(x: Tensor) -> Tensor:
    """Rows [m, D] divided by their L2 norm."""
    if not x.isfinite().all():
        raise ValueError("embeddings are NaN or infinite")
    return functional.normalize(x, dim=1, eps=SMALLEST_NORM)


def _vote(nearest: Nearest, labels: Tensor, classes: int, temperature: float) -> Tensor:
    weights = torch.softmax(nearest.values / temperature, dim=1)  # [M, k]
    if labels.ndim == 1:
        scores = torch.zeros(len(weights), classes)
        return scores.scatter_add_(1, labels[nearest.places], weights)  # [M, C]
    return torch.cat(
        [
            torch.einsum("mk,mkc->mc", some, labels[places].float())
            for some, places in zip(torch.split(weights, QUERIES), torch.split(nearest.places, QUERIES), strict=True)
        ]
    )
