"""Scales, ticks and marks of plots."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.render.html.svg import Plot, Scale, linear, logarithmic, number

FINITE = st.floats(-1e9, 1e9, allow_subnormal=False)


@given(st.lists(FINITE, min_size=1, max_size=9))
def test_a_linear_scale_holds_its_values_between_few_round_ticks(values: list[float]) -> None:
    scale = linear(values)
    assert 2 <= len(scale.ticks) <= 8
    near = 1e-6 * (scale.high - scale.low)
    assert scale.low - near <= min(*values, 0)
    assert max(*values, 0) <= scale.high + near
    assert all(0 <= scale.share(value) <= 1 for value in values)


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=9))
def test_a_logarithmic_scale_holds_its_values_between_powers_of_ten(values: list[float]) -> None:
    scale = logarithmic(values)
    assert len(scale.ticks) >= 2
    assert scale.low <= min(values) * (1 + 1e-8)
    assert max(values) <= scale.high * (1 + 1e-8)
    assert all(math.isclose(math.log10(tick), round(math.log10(tick)), abs_tol=1e-9) for tick in scale.ticks)


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, 5.0], [0.0]])
def test_a_scale_of_odd_values_is_a_scale(values: list[float]) -> None:
    assert linear(values).low < linear(values).high
    assert logarithmic(values).low < logarithmic(values).high


def test_up_is_more_and_right_is_more() -> None:
    plot = Plot(Scale(0, 10, (0, 10)), Scale(0, 1, (0, 1)), "x", "y")
    (left, low), (right, high) = plot.at(0, 0), plot.at(10, 1)
    assert left < right
    assert low > high
    assert plot.at(-5, 7) == (left, high), "what lies outside is drawn at the edge"


def test_a_picture_is_xml_whatever_it_is_told() -> None:
    plot = Plot(Scale(0, 1, (0, 1)), Scale(0, 1, (0, 1)), "x", "y")
    plot.dot((0.5, 0.5), "s1", "<script>&\u202e\x00")
    plot.bar((0.1, 0.1), 0.5, "good", "'\"><b>")
    plot.limit(0.7, "<limit>")
    plot.label(0.2, "]]>")
    picture = ET.fromstring(plot.picture("<title>"))  # noqa: S314 - our own
    titles = [one.text for one in picture.iter("title")]
    assert titles == ["<script>&\\u202e\\x00", "'\"><b>"]
    (bar,) = picture.iter("rect")
    assert float(bar.attrib["width"]) >= 2, "what took no time is seen all the same"


def test_a_limit_far_above_is_not_drawn() -> None:
    plot = Plot(Scale(0, 1, (0, 1)), Scale(0, 1, (0, 1)), "x", "y")
    plot.limit(5, "far away")
    assert "far away" not in plot.picture("p")


def test_numbers_are_short() -> None:
    assert [number(value) for value in (0, 0.1 + 0.2, 1e-3, 12_345, 600.0)] == ["0", "0.3", "0.001", "12,345", "600"]
