from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.scorer import bootstrap
from audio_encoder_checker.evaluation.scorer.bootstrap import measured
from audio_encoder_checker.evaluation.scorer.statistics import share

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hits(right: int, wrong: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.repeat([True, False], [right, wrong])


@pytest.mark.parametrize(("right", "wrong"), [(140, 60), (300, 300), (900, 100), (6000, 3000)])
def test_the_interval_of_an_accuracy_is_that_of_a_binomial(right: int, wrong: int) -> None:
    clips, mean = right + wrong, right / (right + wrong)
    half = 1.96 * np.sqrt(mean * (1 - mean) / clips)
    found = measured("accuracy", [share(hits(right, wrong))], seed=0)
    assert found["value"] == mean
    assert found["low"] == pytest.approx(mean - half, abs=0.1 * half)
    assert found["high"] == pytest.approx(mean + half, abs=0.1 * half)


def test_the_value_of_folds_is_their_mean_and_its_interval_that_of_a_mean() -> None:
    folds = [share(hits(90, 10)), share(hits(50, 50))]
    found = measured("accuracy", folds, seed=0)
    half = 1.96 * np.sqrt(0.09 / 100 + 0.25 / 100) / 2
    assert found["value"] == pytest.approx(0.7)
    assert found["high"] - found["low"] == pytest.approx(2 * half, rel=0.1)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    statistic = share(np.random.default_rng(0).standard_normal(50))
    once = measured("MSE", [statistic], seed=1)
    assert measured("MSE", [statistic], seed=1) == once
    assert measured("MSE", [statistic], seed=2) != once


def test_what_is_always_right_has_no_width() -> None:
    found = measured("accuracy", [share(hits(40, 0))], seed=0)
    assert (found["low"], found["high"]) == (1.0, 1.0)


class Counting:
    """A statistic that notes the weights it is asked for."""

    items, value, resamples = 7, 0.0, 10

    def __init__(self) -> None:
        self.blocks: list[NDArray[Any]] = []

    def weighted(self, weights: NDArray[Any]) -> NDArray[Any]:
        self.blocks.append(weights)
        return np.zeros(len(weights))


@pytest.mark.parametrize(("block", "rows"), [(1, [1] * 10), (21, [3, 3, 3, 1]), (1 << 22, [10])])
def test_every_draw_is_of_as_many_items_and_none_is_left_out(
    monkeypatch: pytest.MonkeyPatch, block: int, rows: list[int]
) -> None:
    monkeypatch.setattr(bootstrap, "BLOCK", block)
    counting = Counting()
    measured("accuracy", [counting], seed=0)
    assert [len(weights) for weights in counting.blocks] == rows
    assert {float(draw.sum()) for weights in counting.blocks for draw in weights} == {7.0}
