from __future__ import annotations

import numpy as np
import pytest

from audio_encoder_checker.evaluation.scorer.bootstrap import interval
from audio_encoder_checker.evaluation.scorer.metrics import accuracy, negative_mse

RIGHT, WRONG = (1.0, 0.0), (0.0, 1.0)


@pytest.mark.parametrize(("right", "wrong"), [(140, 60), (300, 300), (900, 100)])
def test_the_interval_of_an_accuracy_is_that_of_a_binomial(right: int, wrong: int) -> None:
    logits = np.array([RIGHT] * right + [WRONG] * wrong, dtype=np.float32)
    clips, share = right + wrong, right / (right + wrong)
    half = 1.96 * np.sqrt(share * (1 - share) / clips)
    low, high = interval(accuracy, logits, np.zeros(clips, dtype=np.int64), seed=0)
    assert low == pytest.approx(share - half, abs=0.1 * half)
    assert high == pytest.approx(share + half, abs=0.1 * half)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    draw = np.random.default_rng(0)
    logits, labels = draw.standard_normal((50, 3)).astype(np.float32), draw.integers(0, 2, (50, 3)).astype(np.float32)
    once = interval(negative_mse, logits, labels, seed=1)
    assert interval(negative_mse, logits, labels, seed=1) == once
    assert interval(negative_mse, logits, labels, seed=2) != once


def test_logits_stay_with_their_labels() -> None:
    labels = np.arange(40) % 4
    assert interval(accuracy, np.eye(4, dtype=np.float32)[labels], labels, seed=0) == (1.0, 1.0)
