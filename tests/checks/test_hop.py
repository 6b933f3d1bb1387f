"""AEC523 on literals."""

from __future__ import annotations

import pytest

from audio_encoder_checker.checks.hop import slip, truncated_audio, wrong_hop
from audio_encoder_checker.evidence.contract import HopFit
from audio_encoder_checker.evidence.landmarks import LandmarkKind
from audio_encoder_checker.findings import Severity
from tests.literals import encoder, landmarks


def hop(measured: float | None) -> HopFit:
    return HopFit(measured, 0.0, ((1.0, 100), (10.0, 1000), (30.0, 3000)))


@pytest.mark.parametrize("measured", [10.0, 10.002, 9.998, 10.016])
def test_what_slips_less_than_a_second_in_ten_minutes_is_no_finding(measured: float) -> None:
    assert list(wrong_hop(hop(measured), encoder(), landmarks())) == []


@pytest.mark.parametrize(
    ("measured", "severity", "harmed"),
    [(10.1, Severity.NOTE, "harms MAESTRO"), (11.0, Severity.WARNING, "harms DESED"), (20, Severity.WARNING, "phones")],
)
def test_a_slip_is_graded_by_the_tasks_it_harms(measured: float, severity: Severity, harmed: str) -> None:
    (problem,) = wrong_hop(hop(measured), encoder(), landmarks((LandmarkKind.HOP_SIZE, 5, "")))
    assert (problem.severity, problem.at) == (severity, "encoder.py:5")
    assert harmed in problem.message


def test_the_message_says_how_far_labels_slip_and_what_to_set() -> None:
    (problem,) = wrong_hop(hop(10.5), encoder(), landmarks())
    assert "declared 10 ms, measured 10.5 ms (1000 frames for 10 s, 3000 for 30 s)" in problem.message
    assert "500 ms within 10 s and 30 s within 10 min" in problem.message
    assert problem.hint == "set `self.hop_size_in_ms = 10.5`"


def test_labels_slip_no_further_than_the_clip() -> None:
    assert slip(20.0, 10.0, 10.0) == 10.0
    assert slip(1000.0, 10.0, 10.0) == 10.0
    assert slip(9.0, 10.0, 600.0) == pytest.approx(60.0)


def test_two_lengths_are_told_where_the_longest_call_was_of_ten_seconds() -> None:
    ended = HopFit(10.5, 0.0, ((0.5, 50), (1.0, 100), (10.0, 1000)))
    assert "(100 frames for 1 s, 1000 for 10 s)" in next(wrong_hop(ended, encoder(), landmarks())).message


def test_frames_that_do_not_grow_are_named() -> None:
    (problem,) = wrong_hop(hop(None), encoder(), landmarks())
    assert "does not grow" in problem.message


@pytest.mark.parametrize(
    ("declared", "guess"),
    [
        (0.02, "0.02 looks like seconds"),
        (20_000, "looks like microseconds"),
        (320, "looks like samples"),
        (141.4, "hop_size_in_ms = 20`"),
        (50, "looks like frames per second"),
        (10, "looks like the hop before the model halves it"),
        (5, "looks like the hop before the model quarters it"),
        (200, "looks like ten times the hop"),
        (2, "looks like a tenth of the hop"),
        (37, "hop_size_in_ms = 20`"),
        (9, "hop_size_in_ms = 20`"),
    ],
)
def test_the_unit_is_guessed(declared: float, guess: str) -> None:
    (problem,) = wrong_hop(hop(20.0), encoder(hop_size_in_ms=declared), landmarks())
    assert problem.hint.endswith(guess)


def test_without_a_sampling_rate_no_number_of_samples_is_guessed() -> None:
    facts = encoder(hop_size_in_ms=0.02, sampling_rate=None)
    (problem,) = wrong_hop(hop(20.0), facts, landmarks())
    assert problem.hint.endswith("; 0.02 looks like seconds")


def test_AEC533_tells_where_frames_end() -> None:
    cut = HopFit(10.0, 0.0, ((1.0, 100), (10.0, 1000), (600.0, 1000)), cut_s=10.0)
    assert next(truncated_audio(cut, landmarks())).message == "600 s of audio give no more frames than 10 s: 1000"
    assert list(truncated_audio(hop(10.0), landmarks())) == []
    for none in (hop(None), HopFit(None, 0.0, cut.points, cut_s=10.0)):  # AEC523 says that frames do not grow
        assert list(truncated_audio(none, landmarks())) == []
