"""Which values are tried, one after the other, and what is known when it has to stop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.budget.search import TRIALS, largest
from audio_encoder_checker.evidence.budget import Most

if TYPE_CHECKING:
    from collections.abc import Callable


def course(
    share: Callable[[float], float | None], start: float = 16, most: float = 512
) -> tuple[list[float], Most | None]:
    tried: list[float] = []

    def used(value: float) -> float | None:
        tried.append(value)
        return share(value)

    return tried, largest(used, start, most)


def step(edge: float, fits: float, too_much: float) -> Callable[[float], float]:
    return lambda value: fits if value <= edge else too_much


def test_it_climbs_by_what_is_left_of_the_card() -> None:
    """A quarter of the card: four times as much. Full: a fifth more. Too much: the next above what fits."""
    assert course(lambda value: value / 40, 10) == ([10, 40, 48, 41], Most(40))


def test_it_climbs_by_four_at_most() -> None:
    assert course(lambda value: 0.1 if value < 20 else 0.5, 1, 20)[0] == [1, 4, 20]
    assert course(lambda _: 0.1, 1, 200)[0] == [1, 4, 16, 64, 200]


def test_it_takes_the_most_at_once_where_that_fits_in_proportion() -> None:
    assert course(lambda _: 0.05, 1, 20) == ([1, 20], Most(20, more=True))
    assert course(lambda _: 0.0, 1, 20) == ([1, 20], Most(20, more=True))


def test_where_the_most_would_take_too_long_it_climbs_by_four() -> None:
    assert course(lambda value: 0.01 if value < 100 else None, 1, 200) == (
        [1, 4, 200, 16, 64, 200],
        Most(64, more=True),
    )
    assert course(lambda value: 0.01 if value < 150 else None, 40, 200) == ([40, 200, 160], Most(40, more=True))


def test_it_descends_by_what_is_too_much() -> None:
    """Five times too much: a quarter. A third too much: three quarters."""
    assert course(lambda value: value / 3) == ([16, 4, 3], Most(3))


def test_it_descends_by_a_fifth_at_least() -> None:
    tried, found = course(lambda value: 0.5 if value <= 500 else 1.001, 600)
    assert tried[:2] == [600, 500]
    assert found is not None
    assert found.value == 500


def test_between_two_it_follows_their_power() -> None:
    """A quarter at 50, four times too much at 200: the square, 100, of which a little is taken off."""
    assert course(lambda value: (value / 100) ** 2, 50) == ([50, 200, 97, 99, 101], Most(99))


def test_two_that_are_close_are_not_parted() -> None:
    """100 fits and 102 does not; whether 101 does is not asked, less than a twentieth is left to find."""
    assert course(lambda value: value / 100, 100) == ([100, 120, 102], Most(100))


def test_the_largest_that_may_be_tried_is_tried_and_no_larger() -> None:
    assert course(lambda _: 0.9, 512) == ([512], Most(512, more=True))
    assert course(lambda value: 0.9 if value < 512 else 1.1, 511) == ([511, 512], Most(511))


def test_one_is_the_smallest() -> None:
    tried, found = course(lambda _: 1.5, 4)
    assert tried[-1] == 1
    assert found is None
    assert course(lambda value: value, 4) == ([4, 1, 2], Most(1))


def test_of_what_is_known_when_time_is_up_the_larger_that_fits_is_told() -> None:
    answers = {16: 0.5, 32: 1.5, 64: None}
    tried, found = course(lambda value: answers.get(int(value)))
    assert tried[:2] == [16, 32]
    assert (len(tried), found) == (3, Most(16))
    assert course(lambda value: 3.0 if value == 16 else None) == ([16, 5], None)


@pytest.mark.parametrize("too_much", [1 + 1e-12, 1.2, 50.0, math.inf])
@pytest.mark.parametrize("fits", [0.0, 0.1, 1.0])
def test_steps_are_searched_in_whole_numbers_none_of_them_twice(fits: float, too_much: float) -> None:
    for edge in range(50, 3600, 37):
        tried, found = course(step(edge, fits, too_much), 600.0, 3600.0)
        assert found is not None
        assert len(tried) == len(set(tried)) <= TRIALS
        assert all(value == int(value) and 1 <= value <= 3600 for value in tried)
        assert found == Most(max(value for value in tried if value <= edge))
