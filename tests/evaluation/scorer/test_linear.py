from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from audio_encoder_checker.evaluation.scorer.linear import (
    OBJECTIVES,
    Items,
    Recipe,
    Trained,
    learning_rate,
    logits,
    new_probe,
    train,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Answers = dict[str, NDArray[Any]]
    Oracle = Callable[[str], Answers]

FIXED = sorted(file.name for file in (Path(__file__).parents[1] / "oracle").glob("linear_*_fixed.npz"))
METRICS = {"ce": "accuracy", "bce": "mAP", "mse": "-MSE"}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def items(answers: Answers, split: str) -> Items:
    return Items(torch.from_numpy(answers[f"{split}_x"]), torch.from_numpy(answers[f"{split}_y"]))


def recipe_of(answers: Answers, name: str) -> Recipe:
    metric = METRICS[name.split("_")[1]]
    return Recipe(metric, int(answers["epochs"]), int(answers["batch_size"]), float(answers["lr0"]))


def weights(answers: Answers, prefix: str) -> dict[str, torch.Tensor]:
    return {
        key.removeprefix(prefix): torch.from_numpy(value) for key, value in answers.items() if key.startswith(prefix)
    }


def train_in_order(answers: Answers, name: str) -> Trained:
    outputs, dim = answers["init.fc.weight"].shape
    probe = new_probe(dim, outputs, seed=0)
    probe.load_state_dict(weights(answers, "init."))
    return train(probe, items(answers, "train"), items(answers, "valid"), recipe_of(answers, name), shuffle=None)


@pytest.mark.parametrize("name", FIXED)
def test_training_in_order_goes_step_by_step_as_in_x_ares(oracle: Oracle, name: str) -> None:
    answers = oracle(name)
    trained = train_in_order(answers, name)
    sign = -1 if name.startswith("linear_mse") else 1
    np.testing.assert_allclose(trained.learning_rates, answers["epoch_lr"], rtol=1e-12)
    np.testing.assert_allclose(trained.step_losses, answers["step_train_loss"], atol=1e-5, rtol=0)
    np.testing.assert_allclose(trained.valid_metrics, sign * answers["epoch_valid_metric"], atol=1e-6, rtol=0)
    assert trained.best_epoch == answers["best_epoch"]


@pytest.mark.parametrize("name", FIXED)
def test_training_in_order_ends_with_the_weights_and_scores_of_x_ares(oracle: Oracle, name: str) -> None:
    answers = oracle(name)
    trained = train_in_order(answers, name)
    test = items(answers, "test")
    metric = OBJECTIVES[METRICS[name.split("_")[1]]].metric
    np.testing.assert_allclose(logits(trained.best, test.x), answers["test_logits_best"], atol=1e-5, rtol=0)
    for which, probe in (("best", trained.best), ("last", trained.last)):
        expected = weights(answers, f"{which}.")
        assert probe.state_dict().keys() == expected.keys()
        for key, value in probe.state_dict().items():
            torch.testing.assert_close(value, expected[key], atol=1e-5, rtol=0)
        score = abs(metric(logits(probe, test.x), test.y.numpy()))
        assert score == pytest.approx(answers[f"test_score_{which}"], abs=1e-6)


@pytest.mark.parametrize("name", FIXED)
def test_a_seed_gives_the_initial_weights_that_it_gives_in_x_ares(oracle: Oracle, name: str) -> None:
    answers = oracle(name)
    outputs, dim = answers["init.fc.weight"].shape
    for key, value in new_probe(dim, outputs, seed=42).state_dict().items():
        torch.testing.assert_close(value, weights(answers, "init.")[key], atol=0, rtol=0)


@pytest.mark.parametrize(("kind", "score"), [("ce", "test_accuracy"), ("bce", "test_map")])
def test_shuffled_training_scores_as_x_ares_does_over_seeds(oracle: Oracle, kind: str, score: str) -> None:
    theirs = oracle(f"linear_{kind}_seeds.npz")
    answers = oracle(str(theirs["inputs"]))
    recipe = recipe_of(answers, f"linear_{kind}")
    test, outputs = items(answers, "test"), answers["init.fc.weight"].shape[0]
    ours = []
    for seed in map(int, theirs["seeds"]):
        probe = new_probe(test.x.shape[1], outputs, seed)
        trained = train(probe, items(answers, "train"), items(answers, "valid"), recipe, shuffle=seed)
        ours.append(OBJECTIVES[recipe.metric].metric(logits(trained.best, test.x), test.y.numpy()))
    assert len(set(ours)) > 1
    assert np.mean(ours) == pytest.approx(theirs[score].mean(), abs=2 * theirs[score].std(ddof=1))


def test_the_mean_over_folds_is_that_of_x_ares_within_its_seed_noise(oracle: Oracle) -> None:
    answers = oracle("kfold5.npz")
    x, y, fold = torch.from_numpy(answers["x"]), torch.from_numpy(answers["y"]), torch.from_numpy(answers["fold"])
    ours = []
    for seed in map(int, answers["seeds"]):
        for held_out in range(1, 6):
            probe = new_probe(x.shape[1], int(answers["num_classes"]), seed)
            rest, fifth = (
                Items(x[fold != held_out], y[fold != held_out]),
                Items(x[fold == held_out], y[fold == held_out]),
            )
            trained = train(probe, rest, fifth, Recipe("accuracy", 10, 32, 1e-3), shuffle=seed)
            ours.append(max(trained.valid_metrics))
    assert np.mean(ours) == pytest.approx(float(answers["mlp_mean"]), abs=2 * float(answers["mlp_std"]))


@pytest.mark.parametrize(("epochs", "rates"), [(1, [1e-3]), (3, [1e-3, 7.75e-4, 3.25e-4]), (2, [1e-3, 5.5e-4])])
def test_the_rate_falls_by_a_cosine_and_never_reaches_its_tenth(epochs: int, rates: list[float]) -> None:
    assert [learning_rate(epoch, epochs, 1e-3) for epoch in range(epochs)] == pytest.approx(rates)


def easy(count: int, seed: int = 0) -> Items:
    draw = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % 2
    return Items(torch.randn(count, 6, generator=draw) + 3 * torch.eye(6)[y], y)


def test_the_earliest_of_equally_good_epochs_is_kept() -> None:
    trained = train(new_probe(6, 2, 0), easy(64), easy(16, seed=1), Recipe("accuracy", 12, 8, 0.05), shuffle=0)
    ties = [epoch for epoch, metric in enumerate(trained.valid_metrics, 1) if metric == max(trained.valid_metrics)]
    assert len(ties) > 1
    assert trained.best_epoch == ties[0]
    assert not torch.equal(trained.best.state_dict()["fc.weight"], trained.last.state_dict()["fc.weight"])


def test_the_last_short_batch_is_trained_on_too() -> None:
    trained = train(new_probe(6, 2, 0), easy(21), easy(4), Recipe("accuracy", 3, 8, 1e-3), shuffle=1)
    assert len(trained.step_losses) == 3 * 3


def test_the_same_seed_shuffles_the_same_way_and_each_epoch_anew() -> None:
    def losses(shuffle: int | None) -> tuple[float, ...]:
        frozen = Recipe("accuracy", 2, 8, 1e-30)  # too slow to learn: losses tell batches apart
        return train(new_probe(6, 2, 0), easy(64), easy(16), frozen, shuffle).step_losses

    assert losses(3) == losses(3)
    assert losses(3) != losses(4)
    assert losses(3)[:8] != losses(3)[8:]
    assert losses(None)[:8] == losses(None)[8:]


def test_labels_that_would_broadcast_are_an_error() -> None:
    flat = Items(torch.randn(8, 6), torch.randn(8))
    with pytest.raises(ValueError, match=r"expected labels of shape \(8, 1\), found \(8,\)"):
        train(new_probe(6, 1, 0), flat, flat, Recipe("-MSE", 1, 8, 1e-3), shuffle=None)


def test_a_loss_that_is_not_finite_is_an_error() -> None:
    broken = Items(torch.full((8, 6), torch.nan), torch.zeros(8, dtype=torch.int64))
    with pytest.raises(ValueError, match="training gave nan"):
        train(new_probe(6, 2, 0), broken, broken, Recipe("accuracy", 1, 8, 1e-3), shuffle=None)
