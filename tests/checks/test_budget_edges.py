"""AEC70x, AEC714 and AEC715 at their edges, and what follows from what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.checks import budget
from audio_encoder_checker.evidence.budget import Fit, GpuForecast, Most, Place, TaskCost
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.forecasts import GIB, LIMIT, PLACE, POINTS, RAM, REQUIRED, TIME, forecast, measured, point

IDS = ("AEC701", "AEC702", "AEC703", "AEC704", "AEC705", "AEC706", "AEC714", "AEC715")
CHECKS = tuple(one for one in all_checks() if one.id in IDS)
TOO_LARGE, BORDERLINE = point(16, 35.0, 20, 22, Fit.TOO_LARGE), point(1, 600.0, 13, 15, Fit.BORDERLINE)


def judged(*facts: object) -> dict[str, tuple[Severity, str]]:
    """Severity and cause of every finding, by id."""
    evidence = Evidence()
    evidence.put(*facts)
    return {found.id: (found.severity, found.because_of) for found in judge(evidence, CHECKS).findings}


def test_every_check_is_as_grave_as_promised() -> None:
    assert {one.id: one.severity for one in CHECKS} == {
        "AEC701": Severity.ERROR,
        "AEC702": Severity.WARNING,
        "AEC703": Severity.WARNING,
        "AEC704": Severity.ERROR,
        "AEC705": Severity.WARNING,
        "AEC706": Severity.WARNING,
        "AEC714": Severity.NOTE,
        "AEC715": Severity.NOTE,
    }


def test_what_follows_from_a_call_that_does_not_fit_names_it() -> None:
    gpu = forecast(points=(TOO_LARGE, BORDERLINE), quadratic=PLACE)
    assert judged(gpu, RAM, TIME) == {
        "AEC701": (Severity.ERROR, ""),
        "AEC702": (Severity.WARNING, "AEC701"),
        "AEC703": (Severity.WARNING, "AEC701"),
    }


def test_what_follows_from_a_call_that_may_not_fit_names_it() -> None:
    gpu = forecast(points=(BORDERLINE,), quadratic=PLACE, not_covered=("operators of mine",))
    assert judged(gpu, RAM, TIME) == {
        "AEC702": (Severity.WARNING, ""),
        "AEC703": (Severity.WARNING, "AEC702"),
        "AEC715": (Severity.NOTE, "AEC702"),
    }


def test_what_follows_from_nothing_stands_alone() -> None:
    gpu = forecast(quadratic=PLACE, not_covered=("operators of mine",), gradient_factor=2.0)
    assert {check_id: cause for check_id, (_, cause) in judged(gpu, RAM, TIME).items()} == {
        "AEC703": "",
        "AEC714": "",
        "AEC715": "",
    }


def test_what_is_not_known_is_no_error() -> None:
    assert list(budget.gpu_memory(forecast(points=(replace(TOO_LARGE, fit=Fit.UNKNOWN),)))) == []
    assert list(budget.ram_memory(replace(RAM, fit=Fit.UNKNOWN))) == []


def test_AEC701_tells_the_first_of_several_calls_only() -> None:
    also = point(1, 600.0, 30, 31, Fit.TOO_LARGE)
    (problem,) = budget.gpu_memory(forecast(points=(POINTS[2], TOO_LARGE, also)))
    assert problem.message.startswith("16 x 35 s of audio takes 20.00 GiB at least and 22.00 GiB at most, a")


@pytest.mark.parametrize(
    ("largest", "longest", "rest"),
    [
        ((replace(PLACE, library=""),), None, "; the largest tensor then: aten.bmm [12, 3000, 3000], 3.00 GiB"),
        ((), Most(1200.0, more=True), "; one clip of up to 1200 s fits"),
        ((), None, ""),
    ],
)
def test_AEC701_leaves_out_what_it_does_not_know(largest: tuple[Place, ...], longest: Most | None, rest: str) -> None:
    (problem,) = budget.gpu_memory(forecast(Fit.TOO_LARGE, 15.0, 17.0, largest=largest, longest_s=longest))
    assert problem.message.partition("a Tesla T4 has 14.00 GiB")[2] == rest


@pytest.mark.parametrize(
    ("lines", "at"), [(("", "encoder.py:7", "encoder.py:9"), "encoder.py:7"), (("",), ""), ((), "")]
)
def test_AEC701_and_AEC702_point_at_the_first_line_that_is_known(lines: tuple[str, ...], at: str) -> None:
    largest = tuple(replace(PLACE, line=line) for line in lines)
    (large,) = budget.gpu_memory(forecast(Fit.TOO_LARGE, 15.0, 17.0, largest=largest))
    (doubtful,) = budget.gpu_memory_borderline(forecast(Fit.BORDERLINE, 13.0, 15.0, largest=largest))
    assert (large.at, doubtful.at) == (at, at)


@pytest.mark.parametrize(("more", "count"), [(0, 0), (1, 1)])
def test_AEC702_begins_one_byte_above_half_of_the_card(more: int, count: int) -> None:
    doubtful = replace(BORDERLINE, lower_bytes=GIB, upper_bytes=LIMIT // 2 + more)
    assert len(list(budget.gpu_memory_borderline(forecast(points=(doubtful,), required=REQUIRED[2:])))) == count


def test_AEC702_passes_over_a_small_call_to_a_large_one() -> None:
    small = point(16, 10.0, 1, 2, Fit.BORDERLINE)
    (problem,) = budget.gpu_memory_borderline(forecast(points=(small, BORDERLINE)))
    assert problem.message.startswith("1 x 600 s of audio takes 13.00 GiB at least and 15.00 GiB at most")


def test_AEC702_is_refuted_by_a_measurement_of_that_call_only() -> None:
    gpu = replace(measured(), points=(BORDERLINE,), required=REQUIRED[2:])
    assert list(budget.gpu_memory_borderline(gpu)) == []
    other = point(16, 10.0, 13, 15, Fit.BORDERLINE)
    (problem,) = budget.gpu_memory_borderline(replace(gpu, points=(BORDERLINE, other), required=REQUIRED))
    assert problem.message.startswith("16 x 10 s of audio takes 13.00 GiB at least")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (PLACE, "aten.bmm [12, 3000, 3000], 3.00 GiB, in transformers/models/x.py:7"),
        (replace(PLACE, library=""), "aten.bmm [12, 3000, 3000], 3.00 GiB"),
        (Place("mine::op", (), GIB // 2), "mine::op [], 0.50 GiB"),
    ],
)
def test_AEC703_tells_operation_shape_size_and_library(place: Place, words: str) -> None:
    (problem,) = budget.quadratic_memory(forecast(quadratic=place))
    assert problem.message == f"{words} for 120 s of audio, four times what it takes for 60 s"
    assert problem.at == place.line


@pytest.mark.parametrize(("loading", "weights", "twice"), [(18, 10, False), (19, 10, True), (19, 0, False)])
def test_AEC704_says_twice_from_beyond_1_8_times_the_weights(loading: int, weights: int, twice: bool) -> None:
    ram = replace(RAM, fit=Fit.BORDERLINE, loading_bytes=loading * GIB, weights_bytes=weights * GIB)
    (problem,) = budget.ram_memory(ram)
    assert ("about twice its weights" in problem.message) is twice
    assert f"loading alone peaks at {loading:.2f} GiB" in problem.message


@pytest.mark.parametrize(("hours", "count"), [(12.0, 0), (12.01, 1)])
def test_AEC705_lets_a_session_be_used_to_its_end(hours: float, count: int) -> None:
    one = TaskCost("nsynth", (hours, 40.0), (1, 2))
    assert len(list(budget.slow_encoding(replace(TIME, tasks=(one,))))) == count


def test_AEC705_names_three_tasks_by_the_most_they_may_take() -> None:
    tasks = tuple(TaskCost(name, (4.0, high), (1, 2)) for name, high in (("a", 5), ("b", 9), ("c", 7), ("d", 6)))
    (problem,) = budget.slow_encoding(replace(TIME, tasks=tasks, cpu_s=0.0, gpu_s=0.0))
    assert problem.message == (
        "encoding 4 tasks takes 16.0 to 27.0 h, a session lasts 12 h; b, c, d take longest; "
        "the CPU takes 0% of the time"
    )


@pytest.mark.parametrize(
    ("tasks", "more", "count"),
    [(TIME.tasks, 0, 0), (TIME.tasks, 1, 1), ((), 1, 0), ((TaskCost("esc50", (0.0, 0.0), (0, 0)),), 1, 0)],
)
def test_AEC706_begins_above_four_times_and_needs_a_task(tasks: tuple[TaskCost, ...], more: int, count: int) -> None:
    time = replace(TIME, tasks=tasks, bytes_per_s=4 * budget.USUAL_BYTES_PER_S + more)
    assert len(list(budget.bulky_embeddings(time))) == count


@pytest.mark.parametrize(("factor", "count"), [(0.0, 0), (1.5, 0), (1.501, 1)])
def test_AEC714_begins_above_one_and_a_half(factor: float, count: int) -> None:
    assert len(list(budget.gradient_memory(forecast(gradient_factor=factor)))) == count


@pytest.mark.parametrize("gpu", [forecast(), forecast(points=()), measured()])
def test_AEC715_is_silent_where_all_was_followed(gpu: GpuForecast) -> None:
    assert list(budget.budget_not_covered(gpu)) == []
