"""What is computed from embeddings outside the box."""

from __future__ import annotations

import numpy as np
import pytest

from audio_encoder_checker.stages.compare import difference, shift, spread, time_mean


def test_the_same_twice_does_not_differ() -> None:
    one = np.random.default_rng(0).standard_normal((1, 5, 3)).astype(np.float32)
    found = difference(one, one)
    assert (found.same_shape, found.relative) == (True, 0.0)
    assert found.cosine == pytest.approx(1.0)


def test_relative_difference_is_measured_against_the_largest_value() -> None:
    found = difference(np.array([[[4.0, 0.0]]]), np.array([[[4.0, 1.0]]]))
    assert found.relative == 0.25
    assert found.cosine == pytest.approx(16 / (4 * np.sqrt(17)))


def test_other_shapes_do_not_compare() -> None:
    assert not difference(np.zeros((1, 2, 3)), np.zeros((1, 3, 3))).same_shape


@pytest.mark.parametrize("shape", [(1, 0, 3), (1, 2, 3)])
def test_nothing_and_zeros_are_equal(shape: tuple[int, ...]) -> None:
    found = difference(np.zeros(shape), np.zeros(shape))
    assert (found.relative, found.cosine) == (0.0, 1.0)


def test_whole_and_complex_numbers_compare_too() -> None:
    assert difference(np.array([1, 2]), np.array([1, 4])).relative == 0.5
    assert difference(np.array([1j]), np.array([2j])).relative == 0.5


def test_values_at_the_ends_of_float64_compare_without_overflow() -> None:
    found = difference(np.array([1.5e308, -1.5e308]), np.array([1.5e308, 1.5e308]))
    assert found.relative == pytest.approx(2.0)
    assert found.cosine == pytest.approx(0.0)
    assert difference(np.array([5e-324, 0.0]), np.array([0.0, 5e-324])).relative == 1.0


def test_a_comparison_in_blocks_gives_what_one_in_one_piece_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = np.random.default_rng(0).standard_normal((2, 3, 7, 5)).astype(np.float32)
    whole = difference(one, other)
    monkeypatch.setattr("audio_encoder_checker.stages.compare.BLOCK_VALUES", 16)
    blocks = difference(one, other)
    assert blocks.relative == whole.relative
    assert blocks.cosine == pytest.approx(whole.cosine)


def test_the_mean_over_time_takes_the_first_frames_and_both_parts_of_complex_numbers() -> None:
    values = np.array([[[1.0], [3.0], [100.0]]])
    assert time_mean(values).tolist() == [[pytest.approx(104 / 3)]]
    assert time_mean(values, 2).tolist() == [[2.0]]
    assert time_mean(np.array([[[1 + 2j], [3 + 4j]]])).tolist() == [[2.0, 3.0]]


def test_embeddings_on_a_line_have_rank_one_and_independent_ones_have_many() -> None:
    random = np.random.default_rng(0)
    line = random.standard_normal((16, 1)) * random.standard_normal((1, 32)) + 5
    assert spread(line, 8).effective_rank == pytest.approx(1.0)
    assert spread(random.standard_normal((16, 512)), 8).effective_rank > 14


def test_embeddings_that_are_all_the_same_have_no_rank() -> None:
    found = spread(np.ones((16, 4)), 8)
    assert found.effective_rank == 0.0
    assert found.closest_tones == pytest.approx(1.0)
    assert spread(np.zeros((16, 4)), 8).effective_rank == 0.0


def test_a_shift_is_told_in_distances_of_different_clips() -> None:
    means = np.array([[0.0, 0.0], [2.0, 0.0]])
    assert shift(np.array([[0.0, 0.0]]), np.array([[0.0, 1.0]]), means) == pytest.approx(1 / np.sqrt(2))
    assert shift(means[:1], means[:1], means) == 0.0
    assert shift(means[:1], means[1:], np.ones((4, 2))) == 0.0


def test_means_and_spreads_of_the_largest_numbers_do_not_overflow() -> None:
    huge = np.full((16, 9, 4), 1.7e308) * np.random.default_rng(0).choice([-1.0, 1.0], (16, 1, 4))
    means = time_mean(huge)
    assert np.isfinite(means).all()
    assert spread(means, 8).effective_rank > 1
    assert np.isfinite(shift(means[:1], means[1:2], means))
