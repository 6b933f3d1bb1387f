from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from audio_encoder_checker.evaluation.scorer.statistics import (
    F1,
    EqualErrorRate,
    InvertedWordErrorRate,
    MeanAveragePrecision,
    Ratio,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.scorer.statistics import Statistic

DRAW = np.random.default_rng(3)
LOGITS = DRAW.standard_normal((60, 5)).astype(np.float32)
LABELS = (LOGITS + 2 * DRAW.standard_normal((60, 5)) > 1).astype(np.uint8)
BINARY = LABELS[:, 0].astype(np.int64)
MAKERS: dict[str, Callable[[NDArray[np.int64]], Statistic]] = {
    "ratio": lambda rows: Ratio(LOGITS[rows, 0], np.abs(LOGITS[rows, 1])),
    "macro F1": lambda rows: F1(LABELS[rows] * 1.0, np.abs(LOGITS[rows]), macro=True),
    "micro F1": lambda rows: F1(LABELS[rows] * 1.0, np.abs(LOGITS[rows]), macro=False),
    "mAP": lambda rows: MeanAveragePrecision(LOGITS[rows], LABELS[rows]),
    "EER": lambda rows: EqualErrorRate(LOGITS[rows, 0], BINARY[rows]),
    "iWER": lambda rows: InvertedWordErrorRate(LABELS[rows, 0] * 1.0, np.ones(len(rows)) * 3),
}


@pytest.mark.parametrize("name", MAKERS)
def test_counting_items_twice_is_having_them_twice(name: str) -> None:
    rows = np.sort(np.random.default_rng(0).integers(0, 60, 60))
    weights = np.bincount(rows, minlength=60)[None].astype(np.float32)
    whole = MAKERS[name](np.arange(60))
    assert whole.weighted(weights)[0] == pytest.approx(MAKERS[name](rows).value, abs=1e-6)
    assert whole.weighted(np.ones((1, 60), dtype=np.float32))[0] == pytest.approx(whole.value, abs=1e-6)


@pytest.mark.parametrize("index", range(7))
def test_equal_error_rates_are_those_of_x_ares(oracle: Callable[[str], dict[str, NDArray[Any]]], index: int) -> None:
    answers = oracle("eer.npz")
    found = EqualErrorRate(answers[f"scores_{index}"], answers[f"labels_{index}"]).value
    assert found == float(answers[f"eer_{index}"])


def test_average_precision_is_scikit_learns() -> None:
    expected = average_precision_score(LABELS, LOGITS, average="macro")
    assert MeanAveragePrecision(LOGITS, LABELS).value == expected


def test_a_class_without_positives_counts_zero_unless_corrected() -> None:
    labels = np.array([[1, 0], [0, 0]], dtype=np.uint8)
    logits = np.array([[2.0, 1.0], [1.0, 2.0]], dtype=np.float32)
    assert MeanAveragePrecision(logits, labels).value == 0.5
    assert MeanAveragePrecision(logits, labels, empty_counts=False).value == 1.0


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_f1_is_scikit_learns(average: str) -> None:
    said = LOGITS > 0
    hits, errors = (said & (LABELS > 0)) * 1.0, (said ^ (LABELS > 0)) * 1.0
    assert F1(hits, errors, macro=average == "macro").value == pytest.approx(f1_score(LABELS, said, average=average))


def test_a_share_is_a_mean() -> None:
    assert share(np.array([True, False, False, True])).value == 0.5


def test_more_errors_than_words_are_no_score_below_zero() -> None:
    assert InvertedWordErrorRate(np.array([5.0]), np.array([3.0])).value == 0.0
    assert InvertedWordErrorRate(np.array([1.0, 0.0]), np.array([3.0, 1.0])).value == 0.75


def test_equal_logits_count_together_in_resampled_average_precision() -> None:
    logits = np.round(LOGITS)  # many ties
    weights = np.random.default_rng(1).integers(1, 4, (3, 60)).astype(np.float32)
    found = MeanAveragePrecision(logits, LABELS).weighted(weights)
    expected = [average_precision_score(LABELS, logits, average="macro", sample_weight=row) for row in weights]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("drawn", [0, 1])
def test_a_draw_of_one_class_alone_leaves_the_rate_as_it_is(drawn: int) -> None:
    rate = EqualErrorRate(LOGITS[:, 0], BINARY)
    weights = np.stack([drawn == BINARY, np.ones(60)]).astype(np.float32)
    assert rate.weighted(weights).tolist() == [rate.value, pytest.approx(rate.value)]


def test_one_item_of_a_class_makes_a_rate() -> None:
    rate = EqualErrorRate(np.array([0.1, 0.2, 0.9], dtype=np.float32), np.array([0, 1, 1]))
    assert rate.weighted(np.array([[1, 0, 1], [1, 1, 0]], dtype=np.float32)).tolist() == [0.0, 0.0]
