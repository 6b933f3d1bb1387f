from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from audio_encoder_checker.evaluation.job import EmbeddedTask, ScoringJob
from audio_encoder_checker.evaluation.scorer.linear import Items, Recipe, Trained, logits, new_probe, train
from audio_encoder_checker.evaluation.scorer.metrics import accuracy
from audio_encoder_checker.evaluation.scorer.tracks import track_a, track_b
from audio_encoder_checker.evaluation.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Answers = dict[str, NDArray[Any]]

SPLITS = ("train", "valid", "test")
SEEDS = (1, 2, 3, 4)


@pytest.fixture
def answers(oracle: Callable[[str], Answers]) -> Answers:
    return oracle("linear_ce_fixed.npz")


def embedded(answers: Answers) -> EmbeddedTask:
    """The oracle's three splits as one task, in mixed order as in a file."""
    order = np.random.default_rng(0).permutation(sum(len(answers[f"{name}_y"]) for name in SPLITS))
    split = np.concatenate([np.full(len(answers[f"{name}_y"]), number) for number, name in enumerate(SPLITS)])
    x = np.concatenate([answers[f"{name}_x"] for name in SPLITS])
    y = np.concatenate([answers[f"{name}_y"] for name in SPLITS])
    task = replace(load_task("quick-speech"), classes=10, epochs=10, batch_size=32, learning_rate=0.02)
    return EmbeddedTask(task, x[order], y[order], split[order].astype(np.uint8))


def job_of(one: EmbeddedTask, seed: int) -> ScoringJob:
    return ScoringJob((one,), neighbours=10, temperature=0.07, seed=seed)


def items(one: EmbeddedTask, split: int) -> Items:
    chosen = one.split == split
    return Items(torch.from_numpy(one.embeddings[chosen]), torch.from_numpy(one.labels[chosen]))


def trained_by_hand(one: EmbeddedTask, choose_by: int, seed: int) -> Trained:
    probe = new_probe(one.embeddings.shape[1], one.task.classes, seed)
    recipe = Recipe("accuracy", one.task.epochs, one.task.batch_size, one.task.learning_rate)
    return train(probe, items(one, 0), items(one, choose_by), recipe, shuffle=seed)


def measured(probe: torch.nn.Module, one: EmbeddedTask) -> float:
    test = items(one, 2)
    return accuracy(logits(probe, test.x), test.y.numpy())


def test_track_a_reports_the_test_clips_at_the_epoch_that_validation_chose(answers: Answers) -> None:
    one = embedded(answers)
    found = [track_a(one, job_of(one, seed)) for seed in SEEDS]
    values = [answer["value"] for answer in found]
    ours = [trained_by_hand(one, 1, seed) for seed in SEEDS]
    assert values == [measured(trained.best, one) for trained in ours]
    assert values != [measured(trained.last, one) for trained in ours]
    assert values != [measured(trained_by_hand(one, 2, seed).best, one) for seed in SEEDS]  # chosen by test clips
    assert len(set(values)) > 1
    assert all(answer["low"] < answer["value"] < answer["high"] for answer in found)
    assert {(answer["metric"], answer["n_test"]) for answer in found} == {("accuracy", 200)}


@pytest.mark.parametrize("name", ["knn_clip10.npz", "knn_ten.npz"])
def test_track_b_reports_the_accuracy_of_x_ares(oracle: Callable[[str], Answers], name: str) -> None:
    answers = oracle(name)
    split = np.repeat([0, 1, 2], [len(answers["train_y"]), 1, len(answers["test_y"])]).astype(np.uint8)
    x = np.concatenate([answers["train_x"], answers["train_x"][:1], answers["test_x"]])
    y = np.concatenate([answers["train_y"], answers["train_y"][:1], answers["test_y"]])
    one = EmbeddedTask(replace(load_task("quick-speech"), classes=int(answers["num_classes"])), x, y, split)
    found = track_b(one, job_of(one, seed=0))
    assert found["value"] == pytest.approx(float(answers["xares_accuracy"]), abs=1e-12)
    assert found["low"] <= found["value"] <= found["high"]
    assert found["n_test"] == len(answers["test_y"])
