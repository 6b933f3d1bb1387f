from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from audio_encoder_checker.evaluation.scorer.linear import (
    Adam,
    ClipLearner,
    Trained,
    clip_outputs,
    learning_rate,
    loss_of,
    new_probe,
    train,
)
from audio_encoder_checker.evaluation.scorer.metrics import clip_metric
from audio_encoder_checker.evaluation.tasks import Training

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Answers = dict[str, NDArray[Any]]
    Oracle = Callable[[str], Answers]

FIXED = sorted(file.name for file in (Path(__file__).parents[1] / "oracle").glob("linear_*_fixed.npz"))
METRICS = {"ce": "accuracy", "bce": "mAP", "mse": "MSE"}
KINDS = {"ce": "clip-class", "bce": "clip-multilabel", "mse": "clip-regression"}

Pair = tuple["NDArray[np.float32]", "NDArray[Any]"]


def items(answers: Answers, split: str) -> Pair:
    return answers[f"{split}_x"], answers[f"{split}_y"]


def training_of(answers: Answers) -> Training:
    return Training(int(answers["epochs"]), int(answers["batch_size"]), float(answers["lr0"]))


def learner(probe: torch.nn.Module, learn: Pair, valid: Pair, kind: str = "ce") -> ClipLearner:
    return ClipLearner(probe, *learn, *valid, KINDS[kind], METRICS[kind])


def weights(answers: Answers, prefix: str) -> dict[str, torch.Tensor]:
    return {
        key.removeprefix(prefix): torch.from_numpy(value) for key, value in answers.items() if key.startswith(prefix)
    }


def train_in_order(answers: Answers, name: str) -> Trained:
    outputs, dim = answers["init.fc.weight"].shape
    probe = new_probe(dim, outputs, seed=0)
    probe.load_state_dict(weights(answers, "init."))
    both = learner(probe, items(answers, "train"), items(answers, "valid"), name.split("_")[1])
    return train(both, training_of(answers), shuffle=None)


@pytest.mark.parametrize("name", FIXED)
def test_training_in_order_goes_step_by_step_as_in_x_ares(oracle: Oracle, name: str) -> None:
    answers = oracle(name)
    trained = train_in_order(answers, name)
    np.testing.assert_allclose(trained.learning_rates, answers["epoch_lr"], rtol=1e-12)
    np.testing.assert_allclose(trained.step_losses, answers["step_train_loss"], atol=1e-5, rtol=0)
    theirs = answers["epoch_valid_metric"]
    expected = 1 - theirs if name.startswith("linear_mse") else theirs
    np.testing.assert_allclose(trained.valid_metrics, expected, atol=1e-6, rtol=0)
    assert trained.best_epoch == answers["best_epoch"]


@pytest.mark.parametrize("name", FIXED)
def test_training_in_order_ends_with_the_weights_and_scores_of_x_ares(oracle: Oracle, name: str) -> None:
    answers = oracle(name)
    trained = train_in_order(answers, name)
    x, y = items(answers, "test")
    np.testing.assert_allclose(clip_outputs(trained.best, x), answers["test_logits_best"], atol=1e-5, rtol=0)
    for which, probe in (("best", trained.best), ("last", trained.last)):
        expected = weights(answers, f"{which}.")
        assert probe.state_dict().keys() == expected.keys()
        for key, value in probe.state_dict().items():
            torch.testing.assert_close(value, expected[key], atol=1e-5, rtol=0)
        score = clip_metric(METRICS[name.split("_")[1]], clip_outputs(probe, x), y).value
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
    (x, y), outputs = items(answers, "test"), answers["init.fc.weight"].shape[0]
    ours = []
    for seed in map(int, theirs["seeds"]):
        probe = new_probe(x.shape[1], outputs, seed)
        both = learner(probe, items(answers, "train"), items(answers, "valid"), kind)
        trained = train(both, training_of(answers), shuffle=seed)
        ours.append(clip_metric(METRICS[kind], clip_outputs(trained.best, x), y).value)
    assert len(set(ours)) > 1
    assert np.mean(ours) == pytest.approx(theirs[score].mean(), abs=2 * theirs[score].std(ddof=1))


def test_the_mean_over_folds_is_that_of_x_ares_within_its_seed_noise(oracle: Oracle) -> None:
    answers = oracle("kfold5.npz")
    x, y, fold = answers["x"], answers["y"], answers["fold"]
    ours = []
    for seed in map(int, answers["seeds"]):
        for held_out in range(1, 6):
            probe = new_probe(x.shape[1], int(answers["num_classes"]), seed)
            rest, fifth = (x[fold != held_out], y[fold != held_out]), (x[fold == held_out], y[fold == held_out])
            trained = train(learner(probe, rest, fifth), Training(10, 32, 1e-3), shuffle=seed)
            ours.append(max(trained.valid_metrics))
    assert np.mean(ours) == pytest.approx(float(answers["mlp_mean"]), abs=2 * float(answers["mlp_std"]))


@pytest.mark.parametrize(("epochs", "rates"), [(1, [1e-3]), (3, [1e-3, 7.75e-4, 3.25e-4]), (2, [1e-3, 5.5e-4])])
def test_the_rate_falls_by_a_cosine_and_never_reaches_its_tenth(epochs: int, rates: list[float]) -> None:
    assert [learning_rate(epoch, epochs, 1e-3) for epoch in range(epochs)] == pytest.approx(rates)


def test_what_is_true_of_a_clip_weighs_as_much_as_the_task_says() -> None:
    outputs, targets = torch.tensor([[0.5, -1.0]]), torch.tensor([[1.0, 0.0]])
    expected = (3.0 * np.log1p(np.exp(-0.5)) + np.log1p(np.exp(-1.0))) / 2
    assert loss_of("clip-multilabel", 3.0)(outputs, targets).item() == pytest.approx(expected)


def easy(count: int, seed: int = 0) -> Pair:
    y = np.arange(count) % 2
    noise = np.random.default_rng(seed).standard_normal((count, 6))
    return (noise + 3 * np.eye(6)[y]).astype(np.float32), y


def run(learn: Pair, valid: Pair, training: Training, shuffle: int | None) -> Trained:
    return train(learner(new_probe(6, 2, 0), learn, valid), training, shuffle)


def test_the_earliest_of_equally_good_epochs_is_kept() -> None:
    trained = run(easy(64), easy(16, seed=1), Training(12, 8, 0.05), 0)
    ties = [epoch for epoch, metric in enumerate(trained.valid_metrics, 1) if metric == max(trained.valid_metrics)]
    assert len(ties) > 1
    assert trained.best_epoch == ties[0]
    assert not torch.equal(trained.best.state_dict()["fc.weight"], trained.last.state_dict()["fc.weight"])


def test_the_last_short_batch_is_trained_on_too() -> None:
    assert len(run(easy(21), easy(4), Training(3, 8, 1e-3), 1).step_losses) == 3 * 3


def test_the_same_seed_shuffles_the_same_way_and_each_epoch_anew() -> None:
    def losses(shuffle: int | None) -> tuple[float, ...]:
        # too slow to learn: losses tell batches apart
        return run(easy(64), easy(16), Training(2, 8, 1e-30), shuffle).step_losses

    assert losses(3) == losses(3)
    assert losses(3) != losses(4)
    assert losses(3)[:8] != losses(3)[8:]
    assert losses(None)[:8] == losses(None)[8:]


def test_labels_that_would_broadcast_are_an_error() -> None:
    flat = np.ones((8, 6), dtype=np.float32), np.ones(8, dtype=np.float32)
    with pytest.raises(ValueError, match=r"expected labels of shape \[N, C\], found \(8,\)"):
        learner(new_probe(6, 1, 0), flat, flat, "mse")


def test_a_loss_that_is_not_finite_is_an_error() -> None:
    broken = np.full((8, 6), np.nan, dtype=np.float32), np.zeros(8, dtype=np.int64)
    with pytest.raises(ValueError, match="training gave nan"):
        run(broken, broken, Training(1, 8, 1e-3), None)


def test_the_optimiser_is_torchs_own_to_the_last_bit() -> None:
    ours, theirs = (new_probe(8, 4, seed=1) for _ in range(2))
    mine, reference = Adam(ours.parameters()), torch.optim.Adam(theirs.parameters())
    for number in range(20):
        rate = 0.01 / (number + 1)
        reference.param_groups[0]["lr"] = rate
        x = torch.randn(6, 8, generator=torch.Generator().manual_seed(number))
        for probe, optimiser in ((ours, mine), (theirs, reference)):
            optimiser.zero_grad()
            loss = (
                probe(x).square().mean() if number % 3 else list(probe.parameters())[-1].exp().sum()
            )  # some have no gradient then
            torch.autograd.backward(loss)
        mine.step(rate)
        reference.step()
    assert all(torch.equal(one, other) for one, other in zip(ours.parameters(), theirs.parameters(), strict=True))
