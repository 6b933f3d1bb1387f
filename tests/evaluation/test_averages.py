from __future__ import annotations

import json
from pathlib import Path

import pytest

from audio_encoder_checker.evaluation.averages import weighted_average

SMALL = json.loads((Path(__file__).parent / "oracle" / "small.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("track", "expected"), list(enumerate(SMALL["weighted_average"]["out"])))
def test_averages_of_both_tracks_are_those_of_x_ares(track: int, expected: float) -> None:
    scores = [tuple(both[track]) for both in SMALL["weighted_average"]["in"].values()]
    assert weighted_average(scores) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("scores", [[], [(0.9, 0)], [(0.9, 0), (0.1, 0)]])
def test_without_any_weight_the_average_is_zero(scores: list[tuple[float, float]]) -> None:
    assert weighted_average(scores) == SMALL["weighted_average_all_zero"][0]


def test_a_task_without_weight_does_not_count() -> None:
    assert weighted_average([(0.5, 3), (1.0, 1), (0.0, 0)]) == 0.625


def test_scores_may_come_from_a_generator() -> None:
    assert weighted_average((score, 2.0) for score in (0.2, 0.4)) == pytest.approx(0.3)
