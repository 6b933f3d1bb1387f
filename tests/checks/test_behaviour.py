"""AEC52x on literals."""

from __future__ import annotations

import pytest

from audio_encoder_checker.checks import behaviour
from audio_encoder_checker.evidence.contract import BatchCompany, Difference, HopFit, InputDependence, Repeatability
from audio_encoder_checker.findings import Severity
from tests.literals import encoder, official, tensor, traces

SAME = Difference(same_shape=True, relative=1e-6, cosine=1.0)
NEAR = Difference(same_shape=True, relative=0.01, cosine=0.9999)
FAR = Difference(same_shape=True, relative=0.8, cosine=0.6)
OTHER_SHAPE = Difference(same_shape=False, relative=float("inf"), cosine=0.0)


def test_AEC520_accepts_rounding_and_grades_the_rest() -> None:
    assert list(behaviour.unrepeatable_output(Repeatability(SAME))) == []
    graded = [next(behaviour.unrepeatable_output(Repeatability(d))).severity for d in (NEAR, FAR)]
    assert graded == [Severity.WARNING, Severity.ERROR]
    assert "different shapes" in next(behaviour.unrepeatable_output(Repeatability(OTHER_SHAPE))).message


def test_AEC521_is_about_identical_embeddings_only() -> None:
    same = Difference(same_shape=True, relative=0.0, cosine=1.0)
    assert "identical" in next(behaviour.constant_output(InputDependence(same))).message
    assert list(behaviour.constant_output(InputDependence(NEAR))) == []


def test_AEC522_accepts_what_batched_arithmetic_gives() -> None:
    quiet = Repeatability(SAME)
    assert list(behaviour.batch_dependent_output(BatchCompany(SAME, 3), quiet)) == []
    assert "batch of 3" in next(behaviour.batch_dependent_output(BatchCompany(NEAR, 3), quiet)).message
    assert "shapes" in next(behaviour.batch_dependent_output(BatchCompany(OTHER_SHAPE, 3), quiet)).message


def test_AEC522_does_not_repeat_what_AEC520_says() -> None:
    assert list(behaviour.batch_dependent_output(BatchCompany(FAR, 3), Repeatability(FAR))) == []


def hop(measured: float | None) -> HopFit:
    return HopFit(measured, 10.0, 1000, 30.0, 3000)


@pytest.mark.parametrize("measured", [10.0, 10.9, 9.1])
def test_AEC523_allows_a_tenth(measured: float) -> None:
    assert list(behaviour.wrong_hop(hop(measured), encoder(), traces())) == []


def test_AEC523_says_how_far_labels_slip_and_what_to_set() -> None:
    (problem,) = behaviour.wrong_hop(hop(20.0), encoder(), traces())
    assert "declared 10 ms, measured 20 ms" in problem.message
    assert "slip by up to 10 s" in problem.message
    assert problem.hint == "set `self.hop_size_in_ms = 20`"


def test_AEC523_names_frames_that_do_not_grow() -> None:
    (problem,) = behaviour.wrong_hop(hop(None), encoder(), traces())
    assert "does not grow" in problem.message


@pytest.mark.parametrize(("declared", "unit"), [(0.02, "seconds"), (320, "samples")])
def test_AEC523_guesses_the_unit(declared: float, unit: str) -> None:
    (problem,) = behaviour.wrong_hop(hop(20.0), encoder(hop_size_in_ms=declared), traces())
    assert problem.hint.endswith(f"looks like {unit}")


def test_AEC523_does_not_judge_axes_that_hold_no_frames() -> None:
    transposed = traces(first=official(tensor(2, 64, 312)))
    assert list(behaviour.wrong_hop(hop(None), encoder(), transposed)) == []
