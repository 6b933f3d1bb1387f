"""AEC70x, AEC714 and AEC715 on literals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.checks import budget
from audio_encoder_checker.evidence.budget import Basis, Fit, Place, TaskCost
from audio_encoder_checker.findings import Severity
from tests.forecasts import GIB, LIMIT, PLACE, POINTS, RAM, TIME, forecast, measured


def test_what_fits_triggers_nothing() -> None:
    for gpu in (forecast(), measured()):
        for one in (
            budget.gpu_memory,
            budget.gpu_memory_borderline,
            budget.quadratic_memory,
            budget.budget_not_covered,
        ):
            assert list(one(gpu)) == []
        assert list(budget.gradient_memory(gpu)) == []
    assert list(budget.ram_memory(RAM)) == []
    assert list(budget.slow_encoding(TIME)) == []
    assert list(budget.bulky_embeddings(TIME)) == []


def test_AEC701_tells_bounds_card_what_is_largest_and_what_would_fit() -> None:
    (problem,) = budget.gpu_memory(forecast(Fit.TOO_LARGE, 15.0, 17.0))
    assert problem.message == (
        "1 x 600 s of audio takes 15.00 GiB at least and 17.00 GiB at most, a Tesla T4 has 14.00 GiB; "
        "the largest tensor then: aten.bmm [12, 3000, 3000], 3.00 GiB, in transformers/models/x.py:7; "
        "one clip of up to 1200 s fits"
    )
    assert problem.at == "encoder.py:12"


def test_AEC701_is_for_calls_that_have_to_fit_only() -> None:
    gpu = forecast(Fit.TOO_LARGE, 15.0, 17.0, required=((16, 10.0),))
    assert list(budget.gpu_memory(gpu)) == []


def test_AEC701_is_told_by_a_measurement_in_its_words() -> None:
    (problem,) = budget.gpu_memory(measured(fits=False))
    assert problem.message.startswith(
        "1 x 600 s of audio ran out of memory on NVIDIA H100; a Tesla T4 has 14.00 GiB, and it was held to that"
    )


def test_AEC701_is_refuted_by_a_measurement() -> None:
    gpu = replace(measured(), points=forecast(Fit.TOO_LARGE, 15.0, 17.0).points)
    assert list(budget.gpu_memory(gpu)) == []
    assert list(budget.gpu_memory_borderline(gpu)) == []


def test_AEC702_names_the_doubt() -> None:
    smaller = Place("aten.mul", (1,), 4, "float32", "b.py:1", "")
    doubts = ("operators of mine", "something else")
    gpu = forecast(Fit.BORDERLINE, 13.0, 15.0, not_covered=doubts, largest=(PLACE, smaller))
    (problem,) = budget.gpu_memory_borderline(gpu)
    assert problem.at == "encoder.py:12"
    assert problem.message.endswith("in transformers/models/x.py:7; operators of mine")


def test_AEC702_leaves_alone_what_is_not_sure_but_far_below() -> None:
    for upper, count in ((7.1, 1), (6.9, 0)):
        gpu = forecast(Fit.BORDERLINE, 3.0, upper, basis=Basis.EXTRAPOLATED)
        assert len(list(budget.gpu_memory_borderline(gpu))) == count
    assert LIMIT == 14 * GIB


def test_AEC702_says_may_where_it_is_an_estimate() -> None:
    (problem,) = budget.gpu_memory_borderline(forecast(Fit.BORDERLINE, 13.0, 15.0, basis=Basis.EXTRAPOLATED))
    assert "may take 13.00 GiB" in problem.message


def test_AEC702_tells_a_call_that_is_not_known() -> None:
    (problem,) = budget.gpu_memory_borderline(forecast(points=POINTS[2:], not_covered=("1 x 600 s: killed",)))
    assert problem.message == "1 x 600 s of audio could not be forecast; 1 x 600 s: killed"
    assert list(budget.gpu_memory_borderline(forecast(points=()))) == []


def test_AEC703_names_the_operation_and_its_line() -> None:
    (problem,) = budget.quadratic_memory(forecast(quadratic=PLACE))
    assert problem.message.startswith("aten.bmm [12, 3000, 3000], 3.00 GiB")
    assert problem.at == "encoder.py:12"


@pytest.mark.parametrize(
    ("fit", "severities"),
    [(Fit.FITS, []), (Fit.BORDERLINE, [Severity.WARNING]), (Fit.TOO_LARGE, [Severity.ERROR])],
)
def test_AEC704_is_as_grave_as_it_is_sure(fit: Fit, severities: list[Severity]) -> None:
    assert [one.severity for one in budget.ram_memory(replace(RAM, fit=fit))] == severities


def test_AEC704_tells_a_checkpoint_beside_the_module() -> None:
    (problem,) = budget.ram_memory(replace(RAM, fit=Fit.TOO_LARGE, loading_bytes=8 * GIB, weights_bytes=4 * GIB))
    assert problem.message == (
        "RAM of 5.00 GiB to 6.00 GiB is needed, 12.00 GiB are there; "
        "loading alone peaks at 8.00 GiB, about twice its weights"
    )


def test_AEC705_needs_the_least_to_be_longer_than_a_session() -> None:
    long = TaskCost("nsynth", (12.0, 40.0), (1, 2))
    assert list(budget.slow_encoding(replace(TIME, tasks=(replace(long, hours=(11.9, 40.0)),)))) == []
    (problem,) = budget.slow_encoding(replace(TIME, tasks=(*TIME.tasks, long)))
    assert problem.message == (
        "encoding 3 tasks takes 14.2 to 45.0 h, a session lasts 12 h; nsynth, voxceleb1, esc50 take longest; "
        "the CPU takes 25% of the time"
    )


def test_AEC706_compares_with_usual_embeddings() -> None:
    assert list(budget.bulky_embeddings(replace(TIME, bytes_per_s=4 * budget.USUAL_BYTES_PER_S))) == []
    (problem,) = budget.bulky_embeddings(replace(TIME, bytes_per_s=5 * budget.USUAL_BYTES_PER_S))
    assert problem.message == (
        "the embeddings take 101 to 202 GB, 5 times as much as 50 frames of 768 features a second; "
        "69 GB are free in a session"
    )


def test_AEC714_tells_the_factor() -> None:
    assert list(budget.gradient_memory(forecast(gradient_factor=1.5))) == []
    (problem,) = budget.gradient_memory(forecast(gradient_factor=3.25))
    assert problem.message == "3.2 times as much GPU memory with autograd on, for a batch of 10 s clips"


def test_AEC715_tells_all_that_was_not_seen() -> None:
    (problem,) = budget.budget_not_covered(forecast(not_covered=("a", "b")))
    assert problem.message == "a; b"
