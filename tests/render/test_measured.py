"""Figures that a hostile or broken encoder may give."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from audio_encoder_checker.evidence.behaviour import Difference, Repeatability, SecondStart, ZeroPadding
from audio_encoder_checker.render import to_json, to_text
from audio_encoder_checker.render.measured import measured
from tests.literals import ANSWERED
from tests.render.reports import EQUAL, NAN, full_report

OTHER_SHAPE = Difference(same_shape=False, relative=float("inf"), cosine=0.0)


@pytest.mark.parametrize(("found", "words"), [(OTHER_SHAPE, "other shape"), (NAN, "NaN")])
def test_what_cannot_be_compared_is_told_in_words_in_every_format(found: Difference, words: str) -> None:
    report = full_report()
    report.evidence.put(SecondStart(ANSWERED, difference=found), Repeatability(found, 3.125))
    rows = {row.name: row for row in measured(report.evidence)}
    for name in ("two calls", "two processes"):
        assert (rows[name].value, rows[name].text) == (None, words)
    told = {row["name"]: row["value"] for row in json.loads(to_json.render(report))["contract"]["measured"]}
    assert told["two processes"] is None
    shown = io.StringIO()
    to_text.render(report, Console(file=shown, width=80))
    assert words in shown.getvalue()


def test_a_figure_without_end_is_no_number_of_json() -> None:
    report = full_report()
    report.evidence.put(ZeroPadding(EQUAL, float("inf"), 1.0, 3.0))
    told = {row["name"]: row["value"] for row in json.loads(to_json.render(report))["contract"]["measured"]}
    assert told["zero padding"] is None
