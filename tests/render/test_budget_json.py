"""The budget as JSON data, by the published schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from audio_encoder_checker.evidence.budget import Basis, Fit, GpuForecast
from audio_encoder_checker.judging import Evidence
from audio_encoder_checker.render.budget_json import budget, timings
from audio_encoder_checker.rules import schema
from tests.forecasts import GIB, PLACE, RAM, TIME, forecast, measured


def evidence(*facts: object) -> Evidence:
    found = Evidence()
    found.put(*facts)
    return found


def validated(data: Any, *path: str) -> Any:
    whole = schema("report")
    part = whole["properties"]
    for name in path:
        part = part[name]
    jsonschema.Draft202012Validator({**part, "$defs": whole["$defs"]}).validate(json.loads(json.dumps(data)))
    return data


@pytest.mark.parametrize(
    "gpu",
    [
        forecast(),
        forecast(Fit.TOO_LARGE, 15, 17, quadratic=PLACE, not_covered=("mine",), books_error=-0.04),
        forecast(points=(), required=(), largest=(), largest_batch=None, longest_s=None, timeline=()),
        forecast(basis=Basis.EXTRAPOLATED),
        measured(),
        measured(fits=False),
    ],
)
def test_the_budget_is_as_published(gpu: GpuForecast) -> None:
    for facts in ((gpu,), (gpu, RAM, TIME)):
        validated(budget(evidence(*facts)), "budget")


def test_a_stage_that_was_not_run_is_null() -> None:
    assert validated(budget(evidence(RAM)), "budget") is None
    assert validated(timings(evidence(forecast(), RAM)), "timings", "properties", "budget") is None


def test_what_differs_from_run_to_run_stands_with_the_timings() -> None:
    data = validated(timings(evidence(forecast(), RAM, TIME)), "timings", "properties", "budget")
    assert data["ram_lower_bytes"] == 5 * GIB
    assert data["encode_hours"] == {"esc50": [0.25, 0.5], "voxceleb1": [2.0, 4.5]}
    assert data["cpu_share"] == 0.25


def test_forecast_and_measurement_stand_side_by_side() -> None:
    data = validated(budget(evidence(measured())), "budget")
    assert (data["gpu"]["basis"], data["gpu"]["measured"]["gpu"]) == ("measured", "NVIDIA H100")
    long, full = data["gpu"]["measured"]["calls"]
    assert long["forecast_error"] == pytest.approx((7.75 - 0.125) / 8 - 1)
    assert full["retries"] == 1
    assert [call["verdict"] for call in data["gpu"]["calls"]] == ["fits"] * 3


def test_the_worst_call_gives_the_bounds() -> None:
    data = budget(evidence(forecast()))
    assert data is not None
    assert (data["gpu"]["lower_bytes"], data["gpu"]["upper_bytes"]) == (int(7.75 * GIB), 9 * GIB)
    assert len(data["gpu"]["curve"]) == 4
    assert len(data["gpu"]["calls"]) == 3
