"""The card of the budget on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from audio_encoder_checker.evidence.budget import Basis, Fit, GpuForecast
from audio_encoder_checker.judging import Evidence
from audio_encoder_checker.render.budget_text import CELLS, budget, gauge
from tests.forecasts import RAM, TIME, forecast, measured
from tests.render.reports import full_report


def shown(*facts: object, width: int = 100) -> str:
    evidence, out = Evidence(), io.StringIO()
    evidence.put(*facts)
    budget(replace(full_report(), evidence=evidence), Console(file=out, width=width, highlight=False))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def test_a_stage_that_was_not_run_shows_nothing() -> None:
    assert shown(RAM, TIME) == ""


def test_all_is_told_on_one_card() -> None:
    assert shown(forecast(), RAM, TIME).split("\n") == [
        "GPU       forecast: fits a Tesla T4 of 14.0 GiB",
        "          [........===.....] 1 x 600 s: 7.8 to 9.0 GiB",
        "          [..=.............] 16 x 10 s: 2.0 to 2.5 GiB",
        "          [......===.......] 16 x 35 s: 6.0 to 7.2 GiB",
        "          largest batch of 10 s: 57 clips; longest clip: 1200 s or more",
        "RAM       [......===.......] fits: 5.0 to 6.0 of 12.0 GiB, CUDA and the system included",
        "time      [...====.........] 2.2 to 5.0 of 12 hours to encode the 2 tasks of known size, 25% of it",
        "          the CPU's",
        "disk      [.....|..========] embeddings of all of them 101 to 202 GB; 69 GB free",
        "",
    ]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("gpu", [forecast(Fit.TOO_LARGE, 15, 17), measured(), measured(fits=False)])
def test_no_line_is_wider_than_the_terminal(gpu: GpuForecast, width: int) -> None:
    assert max(map(len, shown(gpu, RAM, TIME, width=width).splitlines())) <= width


def test_a_measurement_names_its_gpu_and_how_far_off_the_forecast_was() -> None:
    text = shown(measured())
    assert text.startswith("GPU       measured on NVIDIA H100: fits a Tesla T4")
    assert "1 x 600 s: 8.1 to 9.2 GiB; the forecast was -4.7% off" in text
    assert "16 x 10 s: 2.0 to 2.5 GiB\n" in text


def test_what_does_not_fit_is_said_at_its_call() -> None:
    text = shown(forecast(Fit.TOO_LARGE, 15, 17))
    assert text.startswith("GPU       forecast: does not fit a Tesla T4")
    assert "1 x 600 s: 15.0 to 17.0 GiB, does not fit" in text


def test_what_is_not_known_is_said_to_be() -> None:
    text = shown(forecast(points=(), largest_batch=None, longest_s=None, basis=Basis.EXTRAPOLATED))
    assert text == "GPU       extrapolated: not known whether it fits a Tesla T4 of 14.0 GiB\n"
    assert "longest clip: not known" in shown(forecast(longest_s=None))


def test_short_runs_are_told_in_minutes() -> None:
    quick = replace(TIME, tasks=(replace(TIME.tasks[0], hours=(0.05, 0.2)),), cpu_s=0.0, gpu_s=0.0)
    assert "time      [=...............] 3 to 12 minutes of 12 hours" in shown(forecast(), quick)


@pytest.mark.parametrize(
    ("low", "high", "limit", "expected"),
    [
        (0, 0, 10, "[=...............]"),
        (5, 10, 10, "[........========]"),
        (9, 20, 10, "[.......=|=======]"),
        (30, 40, 10, "[....|.......====]"),
        (10, 10, 10, "[...............=]"),
    ],
)
def test_a_gauge_shows_the_range_and_a_limit_that_is_exceeded(
    low: float, high: float, limit: float, expected: str
) -> None:
    assert gauge(low, high, limit) == expected
    assert len(expected) == CELLS + 2
