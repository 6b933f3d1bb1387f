"""Track A: how X-ARES trains a linear probe on frozen embeddings, whatever the kind of task."""

from __future__ import annotations

import copy
import math
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.adam import adam

from audio_encoder_checker.evaluation.scorer.metrics import clip_metric
from audio_encoder_checker.evidence.scores import goodness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.tasks import Training


class Learner(Protocol):
    """A probe with what it learns from and is chosen by."""

    @property
    def probe(self) -> nn.Module:
        """Trained in place."""

    @property
    def items(self) -> int:
        """Training items."""

    def loss(self, batch: Tensor) -> Tensor:
        """The loss over some training items, given by their numbers [B]."""

    def valid_metric(self) -> float:
        """Of the probe as it is now, on the validation items; higher is better."""


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
    """LayerNorm and one linear layer, [..., D] -> [..., C], with torch's own initial weights for a seed."""
    torch.manual_seed(seed)
    return nn.Sequential(OrderedDict(ln=nn.LayerNorm(dim), fc=nn.Linear(dim, outputs)))


def learning_rate(epoch: int, epochs: int, start: float) -> float:
    """The rate of an epoch, counted from 0: a cosine from `start` to a tenth of it.

    The cycle is as long as the training and moves once an epoch, so the tenth itself is never reached
    (quirk 11): rate = start - 0.9 start (1 - cos(pi epoch / epochs)) / 2.
    """
    return start - 0.9 * start * (1 - math.cos(math.pi * epoch / epochs)) / 2


class Adam:
    """`torch.optim.Adam` with its default settings and its very figures, by the function below it.

    The class itself imports torch's compiler when it is first used, which takes longer than `import torch`.
    """

    def __init__(self, parameters: Iterator[Tensor]) -> None:
        self._parameters = list(parameters)
        self._means = [torch.zeros_like(one) for one in self._parameters]
        self._squares = [torch.zeros_like(one) for one in self._parameters]
        self._steps = [torch.zeros(()) for _ in self._parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for one in self._parameters:
            one.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move the parameters that have a gradient, in place."""
        rows = zip(self._parameters, self._means, self._squares, self._steps, strict=True)
        moved = [(one, one.grad, *state) for one, *state in rows if one.grad is not None]
        parameters, gradients, means, squares, steps = map(list, zip(*moved, strict=True))
        adam(
            *(parameters, gradients, means, squares, [], steps),
            foreach=False,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )


def train(learner: Learner, training: Training, shuffle: int | None) -> Trained:
    """Train a probe in place with Adam, no weight decay, no warm-up, no standardised features (quirk 11).

    The best epoch is the earliest with the largest validation metric (quirk 6).

    Args:
        learner: see `Learner`.
        training: of the task.
        shuffle: seed of the order of items, new in each epoch; None for the order of the file.

    Raises:
        ValueError: a loss or a metric is not finite.
    """
    optimiser = Adam(learner.probe.parameters())
    order = _orders(learner.items, shuffle)
    best, best_epoch = learner.probe, 0
    rates: list[float] = []
    metrics: list[float] = []
    losses: list[float] = []
    for epoch in range(training.epochs):
        rates.append(learning_rate(epoch, training.epochs, training.learning_rate))
        for batch in torch.split(next(order), training.batch_size):
            loss = learner.loss(batch)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step(rates[-1])
            losses.append(_finite(loss.item()))
        with torch.no_grad():
            metrics.append(_finite(learner.valid_metric()))
        if metrics[-1] > max(metrics[:-1], default=-math.inf):  # strictly: the earliest of equals, quirk 6
            best, best_epoch = copy.deepcopy(learner.probe), epoch + 1
    return Trained(best, learner.probe, best_epoch, tuple(rates), tuple(metrics), tuple(losses))


def _orders(items: int, shuffle: int | None) -> Iterator[Tensor]:
    """The order of items [N] in each epoch, without end."""
    draw = torch.Generator().manual_seed(shuffle or 0)
    while True:
        yield torch.arange(items) if shuffle is None else torch.randperm(items, generator=draw)


def _finite(value: float) -> float:
    if not math.isfinite(value):  # X-ARES would keep epoch 1 for ever, quirk 6
        raise ValueError(f"training gave {value}")
    return value


def loss_of(kind: str, pos_weight: float) -> Callable[[Tensor, Tensor], Tensor]:
    """What training minimises: outputs [..., C] and targets [...] or [..., C] in, a scalar out."""
    if kind.endswith("multilabel"):
        return partial(functional.binary_cross_entropy_with_logits, pos_weight=torch.tensor(pos_weight))
    return functional.mse_loss if kind == "clip-regression" else functional.cross_entropy


@dataclass(eq=False)
class ClipLearner:
    """A linear probe on clips.

    Attributes:
        probe: see `new_probe`.
        x: training embeddings [N, D].
        y: what to learn of them: int64 [N], or [N, C].
        valid_x: validation embeddings.
        valid_y: their labels.
        kind: of the task.
        metric: that chooses the epoch.
        pos_weight: of binary cross entropy.
    """

    probe: nn.Module
    x: NDArray[np.float32]
    y: NDArray[Any]
    valid_x: NDArray[np.float32]
    valid_y: NDArray[Any]
    kind: str
    metric: str
    pos_weight: float = 1.0

    def __post_init__(self) -> None:
        """Turn the training data into tensors.

        Raises:
            ValueError: labels do not have the shape of the outputs; [B] would broadcast to [B, B] (quirk 8).
        """
        if self.kind != "clip-class" and self.y.ndim != 2:
            raise ValueError(f"expected labels of shape [N, C], found {self.y.shape}")
        self._loss = loss_of(self.kind, self.pos_weight)
        self._x = torch.from_numpy(np.require(self.x, requirements="W"))  # copied only if it lies on disk
        self._y = torch.from_numpy(np.array(self.y))
        if self.kind != "clip-class":
            self._y = self._y.float()
        self._valid_x = torch.from_numpy(np.array(self.valid_x))

    @property
    def items(self) -> int:
        """Training clips."""
        return len(self._x)

    def loss(self, batch: Tensor) -> Tensor:
        """Over some training clips."""
        return self._loss(self.probe(self._x[batch]), self._y[batch])

    def valid_metric(self) -> float:
        """The metric that chooses the epoch."""
        value = clip_metric(self.metric, self.probe(self._valid_x).numpy(), self.valid_y).value
        return goodness(self.metric, value)


def clip_outputs(probe: nn.Module, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a probe says of embeddings: [N, D] -> [N, C]."""
    with torch.no_grad():
        said: NDArray[np.float32] = probe(torch.from_numpy(np.array(x))).numpy()
    return said
