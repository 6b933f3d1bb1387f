"""Track A: a linear probe on frozen embeddings, trained as X-ARES trains it."""

from __future__ import annotations

import copy
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from audio_encoder_checker.evaluation.scorer.metrics import Metric, accuracy, mean_average_precision, negative_mse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray


class Items(NamedTuple):
    """Embeddings x [N, D] and what to learn of them: y int64 [N], or float32 [N, C] for mAP and MSE."""

    x: Tensor
    y: Tensor


class Objective(NamedTuple):
    """What training minimises, and what chooses the epoch and is reported."""

    loss: Callable[[Tensor, Tensor], Tensor]
    metric: Metric


OBJECTIVES = {
    "accuracy": Objective(functional.cross_entropy, accuracy),
    "mAP": Objective(functional.binary_cross_entropy_with_logits, mean_average_precision),
    "-MSE": Objective(functional.mse_loss, negative_mse),
}


@dataclass(frozen=True)
class Recipe:
    """How long, how fast and towards what a probe is trained."""

    metric: str
    epochs: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Trained:
    """A trained probe and how it came about.

    Attributes:
        best: the probe after the epoch with the best validation metric.
        last: the probe after the last epoch.
        best_epoch: from 1.
        learning_rates: one for each epoch.
        valid_metrics: one for each epoch, higher is better.
        step_losses: one for each batch.
    """

    best: nn.Module
    last: nn.Module
    best_epoch: int
    learning_rates: tuple[float, ...]
    valid_metrics: tuple[float, ...]
    step_losses: tuple[float, ...]


def new_probe(dim: int, outputs: int, seed: int) -> nn.Module:
    """LayerNorm and one linear layer, [B, D] -> [B, C], with torch's own initial weights for a seed."""
    torch.manual_seed(seed)
    return nn.Sequential(OrderedDict(ln=nn.LayerNorm(dim), fc=nn.Linear(dim, outputs)))


def learning_rate(epoch: int, epochs: int, start: float) -> float:
    """The rate of an epoch, counted from 0: a cosine from `start` to a tenth of it.

    The cycle is as long as the training and moves once an epoch, so the tenth itself is never reached
    (quirk 11): rate = start - 0.9 start (1 - cos(pi epoch / epochs)) / 2.
    """
    return start - 0.9 * start * (1 - math.cos(math.pi * epoch / epochs)) / 2


def train(probe: nn.Module, train_on: Items, validate_on: Items, recipe: Recipe, shuffle: int | None) -> Trained:
    """Train a probe in place with Adam, no weight decay, no warm-up, no standardised features (quirk 11).

    The best epoch is the earliest with the largest validation metric (quirk 6).

    Args:
        probe: see `new_probe`.
        train_on: what to learn.
        validate_on: what to choose the epoch by.
        recipe: of the task.
        shuffle: seed of the order of items, new in each epoch; None for the order of the file.

    Raises:
        ValueError: a loss or a metric is not finite, or labels do not have the shape of the outputs.
    """
    objective = OBJECTIVES[recipe.metric]
    optimiser = torch.optim.Adam(probe.parameters(), lr=recipe.learning_rate)
    order = _orders(len(train_on.x), shuffle)
    best, best_epoch = probe, 0
    rates: list[float] = []
    metrics: list[float] = []
    losses: list[float] = []
    for epoch in range(recipe.epochs):
        rates.append(learning_rate(epoch, recipe.epochs, recipe.learning_rate))
        optimiser.param_groups[0]["lr"] = rates[-1]
        losses += _train_epoch(probe, optimiser, objective.loss, train_on, torch.split(next(order), recipe.batch_size))
        metrics.append(_finite(objective.metric(logits(probe, validate_on.x), validate_on.y.numpy())))
        if metrics[-1] > max(metrics[:-1], default=-math.inf):  # strictly: the earliest of equals, quirk 6
            best, best_epoch = copy.deepcopy(probe), epoch + 1
    return Trained(best, probe, best_epoch, tuple(rates), tuple(metrics), tuple(losses))


def logits(probe: nn.Module, x: Tensor) -> NDArray[np.float32]:
    """What a probe says of embeddings: [N, D] -> [N, C]."""
    with torch.no_grad():
        said: NDArray[np.float32] = probe(x).numpy()
    return said


def _orders(items: int, shuffle: int | None) -> Iterator[Tensor]:
    """The order of items [N] in each epoch, without end."""
    draw = torch.Generator().manual_seed(shuffle or 0)
    while True:
        yield torch.arange(items) if shuffle is None else torch.randperm(items, generator=draw)


def _train_epoch(
    probe: nn.Module,
    optimiser: torch.optim.Optimizer,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    items: Items,
    batches: tuple[Tensor, ...],
) -> list[float]:
    """One pass over batches of indices [B], the last of which may be short; the loss of each."""
    losses = []
    for batch in batches:
        outputs, targets = probe(items.x[batch]), items.y[batch]  # [B, C]; [B] or [B, C]
        if targets.is_floating_point() and targets.shape != outputs.shape:  # [B] would broadcast to [B, B], quirk 8
            raise ValueError(f"expected labels of shape {tuple(outputs.shape)}, found {tuple(targets.shape)}")
        loss = loss_of(outputs, targets)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(_finite(loss.item()))
    return losses


def _finite(value: float) -> float:
    if not math.isfinite(value):  # X-ARES would keep epoch 1 for ever, quirk 6
        raise ValueError(f"training gave {value}")
    return value
