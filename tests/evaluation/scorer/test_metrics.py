from __future__ import annotations

import numpy as np
import pytest

from audio_encoder_checker.evaluation.scorer.metrics import accuracy, mean_average_precision, negative_mse


def test_accuracy_is_the_share_of_largest_logits_at_the_label() -> None:
    logits = np.array([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0], [-1.0, -2.0]], dtype=np.float32)
    assert accuracy(logits, np.array([0, 1, 1, 0])) == 0.75


def test_average_precision_of_a_ranking_done_by_hand() -> None:
    labels = np.array([[1], [0], [1], [0]], dtype=np.float32)
    logits = np.array([[4.0], [3.0], [2.0], [1.0]], dtype=np.float32)
    assert mean_average_precision(logits, labels) == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_a_class_without_positives_counts_zero_and_no_warning_is_shown() -> None:
    labels = np.array([[1, 0], [0, 0]], dtype=np.float32)
    logits = np.array([[2.0, 1.0], [1.0, 2.0]], dtype=np.float32)
    assert mean_average_precision(logits, labels) == 0.5


def test_squared_error_is_negative_so_that_higher_is_better() -> None:
    targets = np.array([[0.0, 1.0]], dtype=np.float32)
    assert negative_mse(np.array([[0.0, 3.0]], dtype=np.float32), targets) == -2.0
    assert negative_mse(targets, targets) == 0.0
