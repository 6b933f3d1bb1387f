from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from audio_encoder_checker.evaluation.scorer.knn import BANK, QUERIES, knn_scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Oracle = Callable[[str], dict[str, NDArray[Any]]]

ORACLES = sorted(file.name for file in (Path(__file__).parents[1] / "oracle").glob("knn_*.npz"))


def scores_of(
    train_x: NDArray[np.float32],
    train_y: NDArray[np.int64],
    test_x: NDArray[np.float32],
    classes: int,
    neighbours: int = 10,
    temperature: float = 0.07,
) -> NDArray[np.float32]:
    return knn_scores(
        train_x, train_y, test_x, classes=classes, neighbours=neighbours, temperature=temperature
    ).official


@pytest.mark.parametrize("name", ORACLES)
def test_predictions_are_those_of_x_ares_and_scores_agree_to_six_digits(oracle: Oracle, name: str) -> None:
    answers = oracle(name)
    found = scores_of(
        answers["train_x"],
        answers["train_y"],
        answers["test_x"],
        int(answers["num_classes"]),
        int(answers["nb_knn"]),
        float(answers["temperature"]),
    )
    sure = answers["test_x"].any(axis=1)  # a vector of zeros ties with every training clip
    np.testing.assert_allclose(found[sure], answers["xares_scores"][sure], atol=1e-6, rtol=0)
    np.testing.assert_array_equal(found.argmax(axis=1)[sure], answers["xares_pred"][sure])
    right = found.argmax(axis=1) == answers["test_y"]
    assert right[sure].mean() == (answers["xares_pred"] == answers["test_y"])[sure].mean()


def test_accuracy_of_every_fold_is_that_of_x_ares(oracle: Oracle) -> None:
    answers = oracle("kfold5.npz")
    found = []
    for fold in range(1, 6):
        held_out = answers["fold"] == fold
        x, y = answers["x"], answers["y"]
        scores = scores_of(x[~held_out], y[~held_out], x[held_out], int(answers["num_classes"]))
        found.append((scores.argmax(axis=1) == y[held_out]).mean())
    assert found == answers["knn_accuracy_per_fold"].tolist()


@given(
    seed=st.integers(0, 2**32 - 1),
    train=st.integers(10, 80),
    test=st.integers(1, 30),
    dim=st.integers(1, 40),
    classes=st.integers(2, 12),
    neighbours=st.integers(1, 10),
    temperature=st.sampled_from([0.02, 0.07, 1.0]),
)
@settings(max_examples=100, deadline=None)
def test_scores_are_those_of_a_plain_loop_over_the_definition(
    *, seed: int, train: int, test: int, dim: int, classes: int, neighbours: int, temperature: float
) -> None:
    draw = np.random.default_rng(seed)
    train_x = draw.standard_normal((train, dim)).astype(np.float32) * draw.uniform(0.1, 9, dim).astype(np.float32)
    train_y = draw.integers(0, classes, train)
    test_x = draw.standard_normal((test, dim)).astype(np.float32)
    expected = np.zeros((test, classes))
    bank = train_x.astype(float) / np.sqrt((train_x.astype(float) ** 2).sum(axis=0))
    for row, clip in enumerate(test_x.astype(float)):
        similarity = bank @ (clip / np.sqrt(clip @ clip))
        order = np.argsort(-similarity)
        if neighbours < train:
            assume(similarity[order[neighbours - 1]] - similarity[order[neighbours]] > 1e-6)
        votes = [np.exp(similarity[near] / temperature) for near in order[:neighbours]]
        for near, vote in zip(order, votes, strict=False):
            expected[row, train_y[near]] += vote / sum(votes)
    np.testing.assert_allclose(
        scores_of(train_x, train_y, test_x, classes, neighbours, temperature), expected, atol=1e-4, rtol=0
    )


def test_more_test_clips_than_are_compared_at_a_time_come_back_in_order() -> None:
    draw = np.random.default_rng(0)
    train_y = np.arange(30) % 3
    train_x = (10 * np.eye(3)[train_y] + draw.standard_normal((30, 3))).astype(np.float32)
    labels = np.arange(2 * QUERIES + 5) % 3
    assert (scores_of(train_x, train_y, np.eye(3, dtype=np.float32)[labels], 3).argmax(axis=1) == labels).all()


def test_fewer_training_clips_than_neighbours_are_an_error() -> None:
    x = np.ones((9, 4), dtype=np.float32)
    with pytest.raises(ValueError, match="10 neighbours need as many training clips, found 9"):
        scores_of(x, np.zeros(9, dtype=np.int64), x, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_one_value_that_is_not_finite_is_an_error(side: int, value: float) -> None:
    both = [np.ones((12, 4), dtype=np.float32), np.ones((2, 4), dtype=np.float32)]
    both[side][1, 2] = value
    with pytest.raises(ValueError, match="NaN or infinite"):
        scores_of(both[0], np.zeros(12, dtype=np.int64), both[1], 2)


@pytest.mark.parametrize("name", ORACLES)
def test_the_diagnostic_is_a_plain_cosine_vote(oracle: Oracle, name: str) -> None:
    answers = oracle(name)
    votes = knn_scores(
        answers["train_x"], answers["train_y"], answers["test_x"],
        classes=int(answers["num_classes"]), neighbours=10, temperature=0.07,
    )  # fmt: skip
    sure = answers["test_x"].any(axis=1)
    right = votes.cosine.argmax(axis=1) == answers["test_y"]
    if sure.all():
        assert right.mean() == pytest.approx(float(answers["notxares_cosine_knn_accuracy"]), abs=1e-9)
    assert abs(right.mean() - float(answers["notxares_cosine_knn_accuracy"])) <= 1 / len(answers["test_y"])


def test_a_bank_of_several_blocks_votes_as_one() -> None:
    draw = np.random.default_rng(0)
    bank = draw.standard_normal((2 * BANK + 7, 6)).astype(np.float32)
    labels, queries = draw.integers(0, 4, len(bank)), draw.standard_normal((40, 6)).astype(np.float32)
    similarity = (bank / np.linalg.norm(bank, axis=1, keepdims=True)) @ (
        queries / np.linalg.norm(queries, axis=1, keepdims=True)
    ).T
    nearest = np.argsort(-similarity, axis=0)[:5].T
    expected = np.zeros((40, 4))
    for row, places in enumerate(nearest):
        weights = np.exp(similarity[places, row] / 0.07)
        np.add.at(expected[row], labels[places], weights / weights.sum())
    found = knn_scores(bank, labels, queries, classes=4, neighbours=5, temperature=0.07)
    np.testing.assert_allclose(found.cosine, expected, atol=1e-4)


def test_several_classes_of_a_neighbour_all_get_its_vote() -> None:
    bank = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    labels = np.repeat(np.array([[1, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=np.uint8), 10, axis=0)
    votes = knn_scores(bank, labels, np.eye(3, dtype=np.float32), classes=3, neighbours=10, temperature=0.07)
    np.testing.assert_allclose(votes.cosine, [[1, 1, 0], [0, 0, 1], [0, 0, 0]], atol=1e-6)
