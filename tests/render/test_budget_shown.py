"""Whatever a child says, the budget is shown whole and harmless, on a terminal and as JSON."""

from __future__ import annotations

import io
import json
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from rich.console import Console

from audio_encoder_checker.budget.trace import read_trace
from audio_encoder_checker.catalogue import matching
from audio_encoder_checker.evidence.budget import Fit, GpuForecast, RamForecast, TaskCost, TimeForecast
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.render import budget_text, to_json, to_text
from audio_encoder_checker.rules import load_rules, schema
from tests.forecasts import GIB, PLACE, POINTS, RAM, REQUIRED, TIME, forecast, measured
from tests.render.reports import full_report

if TYPE_CHECKING:
    from audio_encoder_checker.report import Report

HOSTILE = "\x1b[2J\x1b]0;title\x07\u202eevil\u200b\r\x08\n[bold red]boo[/] :smile: \ud800"
HUGE = TimeForecast(
    (TaskCost("a", (1e9, 2e9), (10**21, 2 * 10**21)),), 12, 69 * 10**9, 0.003, 0.001, 1.6, 1e12, (3.5, 35.0)
)


def report(*facts: object) -> Report:
    """What all checks of the budget say of these facts, and nothing else."""
    evidence = Evidence()
    evidence.put(*facts, load_rules())
    checks, _ = matching(("AEC70", "AEC71"))
    kinds = tuple(one for one in checks if not evidence.why_missing(one.needs))
    return replace(full_report(), judgement=judge(evidence, kinds), evidence=evidence)


def shown(*facts: object, width: int = 80, whole: bool = False) -> str:
    out = io.StringIO()
    render = to_text.render if whole else budget_text.budget
    render(report(*facts), Console(file=out, width=width, highlight=False))
    return out.getvalue()


def told(*facts: object) -> Any:
    """The whole report as JSON, read back and held to its schema."""
    text = to_json.render(report(*facts))
    text.encode("utf-8")
    data = json.loads(text)
    jsonschema.Draft202012Validator(schema("report")).validate(data)
    return data


def from_child(words: str) -> GpuForecast:
    """A forecast all of whose words a child sent: they come in by `read_trace` only."""
    place = {"name": words, "shape": [12, 3000], "bytes": 3 * GIB, "dtype": words, "line": words, "library": words}
    header = {
        "events": 0,
        "operations": 0,
        "shape": [1, 5, 2],
        "cpu_s": 0.5,
        "peak": 150,
        "books": 50,
        "largest": [place],
        "hungriest": [place],
        "convolves": False,
        "not_covered": words,
    }
    trace = read_trace(header, memoryview(b""), 1, 600.0)
    return forecast(
        Fit.TOO_LARGE, 15, 17, largest=trace.largest, quadratic=trace.hungriest[0], not_covered=(trace.not_covered,)
    )


def acting(text: str) -> set[str]:
    """Characters that a terminal would obey or hide, the end of a line left out."""
    return {c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}}


def test_the_test_knows_what_acts_on_a_terminal() -> None:
    assert acting(HOSTILE) == {"\x1b", "\x07", "\u202e", "\u200b", "\r", "\x08", "\ud800"}


@pytest.mark.parametrize("width", [80, 120])
def test_words_of_a_child_do_not_act_on_a_terminal(width: int) -> None:
    text = shown(from_child(HOSTILE), RAM, TIME, width=width, whole=True)
    assert acting(text) == set()
    assert "AEC701" in text
    assert "\\x1b[2J" in text
    assert "[bold red]boo[/] :smile:" in " ".join(text.split())


@pytest.mark.parametrize("width", [80, 120])
def test_a_very_long_name_leaves_lines_as_wide_as_the_terminal_and_the_verdict_first(width: int) -> None:
    text = shown(from_child("n" * 100_000), RAM, TIME, width=width, whole=True)
    assert max(map(len, text.splitlines())) <= width
    assert text.startswith("NOT READY")
    assert len(text) < 20_000


def test_words_of_a_child_stay_data_in_json() -> None:
    gpu = told(from_child(HOSTILE), RAM, TIME)["budget"]["gpu"]
    words = [value for value in (*gpu["largest"][0].values(), *gpu["not_covered"]) if isinstance(value, str)]
    assert len(words) == 5
    assert all(word.startswith("\\x1b[2J") and not acting(word) for word in words)
    assert gpu["attention"] == gpu["largest"][0]


def test_a_very_long_name_is_cut_in_json() -> None:
    gpu = told(from_child("n" * 100_000), RAM, TIME)["budget"]["gpu"]
    lengths = {key: len(value) for key, value in gpu["largest"][0].items() if isinstance(value, str)}
    assert lengths == {"operation": 100, "dtype": 20, "at": 300, "library": 300}
    assert [len(word) for word in gpu["not_covered"]] == [300]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["NVIDIA [bold]H100[/]", "N" * 200])
def test_the_name_of_a_gpu_is_shown_as_it_is(name: str, width: int) -> None:
    found = measured().measured
    assert found is not None
    text = shown(replace(measured(), measured=replace(found, name=name)), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "".join(name.split()) in "".join(text.split())


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("gpu", [forecast(), forecast(Fit.BORDERLINE, 13, 15), measured(), measured(fits=False)])
@pytest.mark.parametrize("time", [TIME, HUGE])
def test_no_number_is_cut_in_two(gpu: GpuForecast, time: TimeForecast, width: int) -> None:
    assert shown(gpu, RAM, time, width=width).split() == shown(gpu, RAM, time, width=1000).split()


@pytest.mark.parametrize(
    ("fit", "words"),
    [
        (Fit.FITS, "fits a Tesla T4"),
        (Fit.BORDERLINE, "may not fit a Tesla T4"),
        (Fit.TOO_LARGE, "does not fit a Tesla T4"),
        (Fit.UNKNOWN, "not known whether it fits a Tesla T4"),
    ],
)
def test_every_verdict_has_words_for_card_and_ram(fit: Fit, words: str) -> None:
    text = shown(forecast(fit, 13, 15), replace(RAM, fit=fit))
    assert f"GPU       forecast: {words} of 14.0 GiB" in text
    assert f"RAM       [......===.......] {words.removesuffix(' a Tesla T4')}: 5.0 to 6.0 of 12.0 GiB" in text


@pytest.mark.parametrize(
    ("worst", "beside", "whole"),
    [
        (Fit.TOO_LARGE, Fit.UNKNOWN, Fit.TOO_LARGE),
        (Fit.UNKNOWN, Fit.BORDERLINE, Fit.UNKNOWN),
        (Fit.BORDERLINE, Fit.FITS, Fit.BORDERLINE),
        (Fit.FITS, Fit.FITS, Fit.FITS),
    ],
)
def test_the_verdict_is_that_of_the_call_of_which_least_good_can_be_said(worst: Fit, beside: Fit, whole: Fit) -> None:
    for order in ((worst, beside), (beside, worst)):
        points = tuple(replace(POINTS[n], fit=fit) for n, fit in zip((1, 3), order, strict=True))
        assert (
            told(forecast(points=points, required=REQUIRED[1:]), RAM, TIME)["budget"]["gpu"]["verdict"] == whole.value
        )


def test_what_does_not_have_to_fit_spoils_no_verdict_and_gives_no_bounds() -> None:
    beyond = replace(POINTS[0], lower_bytes=20 * GIB, upper_bytes=21 * GIB, fit=Fit.TOO_LARGE)
    gpu = told(forecast(points=(beyond, POINTS[3]), required=REQUIRED[1:2]), RAM, TIME)["budget"]["gpu"]
    assert (gpu["verdict"], gpu["lower_bytes"], len(gpu["curve"]), len(gpu["calls"])) == ("fits", 6 * GIB, 2, 1)


def test_what_is_not_known_is_null_and_not_nought() -> None:
    nothing = forecast(points=(), largest=(), largest_batch=None, longest_s=None, gradient_factor=0.0, timeline=())
    data = told(nothing)
    gpu = data["budget"]["gpu"]
    keys = ("lower_bytes", "upper_bytes", "largest_batch", "longest_seconds", "attention", "gradient_factor")
    assert {key: gpu[key] for key in (*keys, "measured")} == dict.fromkeys((*keys, "measured"))
    assert gpu["verdict"] == "unknown"
    assert (data["budget"]["ram"], data["budget"]["encoding"], data["timings"]["budget"]) == (None, None, None)


def test_a_row_is_left_out_where_there_is_nothing_to_tell() -> None:
    labels = [line.split()[0] for line in shown(forecast(), RAM).splitlines() if line[:1].strip()]
    assert labels == ["GPU", "RAM"]
    assert "largest batch" not in shown(forecast(largest_batch=None, longest_s=None))
    assert "largest batch of 10 s: not known; longest clip: 1200 s or more" in shown(forecast(largest_batch=None))


def test_a_call_that_did_not_fit_has_no_error_of_its_forecast() -> None:
    first, second = told(measured(fits=False), RAM, TIME)["budget"]["gpu"]["measured"]["calls"]
    assert (first["fits"], first["forecast_error"]) == (False, None)
    assert second["forecast_error"] is not None
    (line,) = [line for line in shown(measured(fits=False)).splitlines() if "1 x 600 s" in line]
    assert line.split(": ")[1].rstrip() == "14.0 to 14.0 GiB, does not fit"


def test_sums_over_all_tasks_are_those_of_the_tasks() -> None:
    data = told(forecast(), RAM, TIME)
    assert data["budget"]["encoding"]["disk_bytes"] == [101 * 10**9, 202 * 10**9]
    assert data["timings"]["budget"]["encode_hours_total"] == [2.25, 5.0]
    nothing = told(forecast(), RAM, replace(TIME, tasks=()))
    assert nothing["budget"]["encoding"]["disk_bytes"] == [0, 0]
    assert nothing["timings"]["budget"]["encode_hours_total"] == [0, 0]


def test_what_was_measured_of_ram_stands_with_the_timings_only() -> None:
    ram: RamForecast = replace(RAM, loading_bytes=7 * GIB + 1)
    data = told(forecast(quadratic=PLACE), ram, TIME)
    assert str(7 * GIB + 1) not in json.dumps(data["budget"])
    assert data["timings"]["budget"]["ram_loading_bytes"] == 7 * GIB + 1


def test_a_call_that_has_to_fit_and_is_not_known_leaves_it_open() -> None:
    assert told(forecast(points=POINTS[2:]), RAM, TIME)["budget"]["gpu"]["verdict"] == "unknown"
