"""The JSON report and its published schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from audio_encoder_checker.render import to_json
from audio_encoder_checker.rules import schema
from tests.render.reports import full_report, poor_report

if TYPE_CHECKING:
    from audio_encoder_checker.report import Report


def validate(data: Any) -> None:
    jsonschema.Draft202012Validator(schema("report")).validate(data)


def test_the_schema_is_a_schema() -> None:
    for name in ("report", "rules", "manifest", "task"):
        jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("report", [full_report(), poor_report()], ids=["full", "poor"])
def test_a_report_satisfies_the_published_schema(report: Report) -> None:
    validate(json.loads(to_json.render(report)))


def test_the_schema_refuses_what_is_not_in_it() -> None:
    data = to_json.as_data(full_report())
    with pytest.raises(jsonschema.ValidationError):
        validate({**data, "surprise": 1})
    with pytest.raises(jsonschema.ValidationError):
        validate({**data, "verdict": "fine"})


def test_verdict_and_exit_code_agree() -> None:
    assert (to_json.as_data(full_report())["verdict"], to_json.as_data(full_report())["exit_code"]) == ("not-ready", 1)
    assert to_json.as_data(poor_report())["exit_code"] == 3


def test_two_renderings_are_the_same_text() -> None:
    assert to_json.render(full_report()) == to_json.render(full_report())


def test_numbers_that_json_does_not_know_become_null() -> None:
    track = to_json.as_data(full_report())["scores"]["track_b"]
    assert track["weighted_average"] is None
