"""The largest value that fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.budget.search import CLOSE, TRIALS, largest
from audio_encoder_checker.evidence.budget import Most


@given(st.floats(1.0, 3000.0), st.sampled_from([1.0, 1.5, 2.0]), st.floats(16.0, 600.0), st.floats(0.0, 0.5))
def test_it_comes_near_the_edge_from_below(edge: float, power: float, start: float, fixed: float) -> None:
    tried: list[float] = []

    def used(value: float) -> float:
        tried.append(value)
        return fixed + (1 - fixed) * float((value / edge) ** power)

    found = largest(used, start, 3600.0)
    assert found is not None
    assert not found.more
    assert edge / CLOSE - 1 <= found.value <= edge * 1.0001
    assert len(tried) <= TRIALS


@given(st.integers(1, 400), st.integers(1, 64))
def test_any_edge_is_found_from_anywhere(edge: int, start: int) -> None:
    found = largest(lambda value: value / edge, start, 512)
    assert found is not None
    assert found.value == int(found.value)
    assert edge / CLOSE - 1 <= found.value <= edge


def test_what_fits_at_any_size_is_that_much_or_more() -> None:
    assert largest(lambda _: 0.01, 16, 512) == Most(512, more=True)
    assert largest(lambda _: 0.0, 600, 3600) == Most(3600, more=True)


def test_nothing_fits() -> None:
    assert largest(lambda _: 5.0, 600, 3600) is None
    assert largest(lambda _: 5.0, 16, 512) is None


def test_it_stops_where_no_more_may_be_tried() -> None:
    answers = iter([0.1, 0.4, None])
    assert largest(lambda _: next(answers), 10, 1000) == Most(40.0, more=True)
    assert largest(lambda _: None, 10, 1000) is None


@pytest.mark.parametrize(("share", "expected"), [(0.9999, 16), (1.0, 16), (1.0001, 15)])
def test_a_card_that_is_full_to_the_brim_fits(share: float, expected: int) -> None:
    found = largest(lambda value: value * share / 16, 16, 512)
    assert found == Most(expected)
