"""One task under each of the two tracks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypedDict

import torch

from audio_encoder_checker.evaluation.clips import TEST, TRAIN, VALID
from audio_encoder_checker.evaluation.scorer.bootstrap import interval
from audio_encoder_checker.evaluation.scorer.knn import knn_scores
from audio_encoder_checker.evaluation.scorer.linear import OBJECTIVES, Items, Recipe, logits, new_probe, train

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.job import EmbeddedTask, ScoringJob
    from audio_encoder_checker.evaluation.scorer.metrics import Metric


class Answer(TypedDict):
    """One score as JSON, named as in `evidence.scores.TaskScore`."""

    metric: str
    value: float
    low: float
    high: float
    n_test: int
    seconds: float


def track_a(one: EmbeddedTask, job: ScoringJob) -> Answer:
    """Train a linear probe and report the task's metric on its test clips."""
    start = time.perf_counter()
    task = one.task
    probe = new_probe(one.embeddings.shape[1], task.classes, job.seed)
    recipe = Recipe(task.metric, task.epochs, task.batch_size, task.learning_rate)
    trained = train(probe, _items(one, TRAIN), _items(one, VALID), recipe, shuffle=job.seed)
    test = _items(one, TEST)
    return _answer(task.metric, logits(trained.best, test.x), test, job.seed, start)


def track_b(one: EmbeddedTask, job: ScoringJob) -> Answer:
    """Classify the test clips by their neighbours; always accuracy, whatever the task's metric (quirk 10)."""
    start = time.perf_counter()
    bank, test = _items(one, TRAIN), _items(one, TEST)
    scores = knn_scores(
        bank.x,
        bank.y,
        test.x,
        classes=one.task.classes,
        neighbours=job.neighbours,
        temperature=job.temperature,
    )
    return _answer("accuracy", scores.numpy(), test, job.seed, start)


def _items(one: EmbeddedTask, split: int) -> Items:
    chosen = one.split == split
    return Items(torch.from_numpy(one.embeddings[chosen]), torch.from_numpy(one.labels[chosen]))


def _answer(metric: str, said: NDArray[np.float32], test: Items, seed: int, start: float) -> Answer:
    measure: Metric = OBJECTIVES[metric].metric
    labels = test.y.numpy()
    low, high = interval(measure, said, labels, seed=seed)
    return Answer(
        metric=metric,
        value=measure(said, labels),
        low=low,
        high=high,
        n_test=len(labels),
        seconds=time.perf_counter() - start,
    )
