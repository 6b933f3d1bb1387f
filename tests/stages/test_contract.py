"""What is computed from embeddings outside the box."""

from __future__ import annotations

import numpy as np
import pytest

from audio_encoder_checker.stages.contract import difference, hop_fit
from tests.literals import tensor, trace


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
    monkeypatch.setattr("audio_encoder_checker.stages.contract.BLOCK_VALUES", 16)
    blocks = difference(one, other)
    assert blocks.relative == whole.relative
    assert blocks.cosine == pytest.approx(whole.cosine)


def test_the_hop_is_the_slope_and_not_the_ratio() -> None:
    short, long = trace(tensor(1, 999, 4), samples=160_000), trace(tensor(1, 2999, 4), samples=480_000)
    assert hop_fit(short, long).measured_ms == pytest.approx(10.0)


def test_frames_that_do_not_grow_have_no_hop() -> None:
    short, long = trace(tensor(1, 1500, 4), samples=160_000), trace(tensor(1, 1500, 4), samples=480_000)
    assert hop_fit(short, long).measured_ms is None
