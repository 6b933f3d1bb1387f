"""Places that intervals allow."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audio_encoder_checker.organising.leaderboard import NORMAL_95, leaderboard
from tests.organising.literals import record, sha, summary, task


def ranked(*tracks: dict[str, dict[str, object]]) -> list[tuple[str, int, int, int]]:
    records = [record(n, summary=summary(track)) for n, track in enumerate(tracks)]
    return [(one.sha256, one.place, one.best, one.worst) for one in leaderboard(records, "track_a").standings]


def test_what_intervals_do_not_separate_shares_places() -> None:
    found = ranked({"t": task(0.50)}, {"t": task(0.90)}, {"t": task(0.89)}, {"t": task(0.10)})
    assert found == [(sha(1), 1, 1, 2), (sha(2), 2, 1, 2), (sha(0), 3, 3, 3), (sha(3), 4, 4, 4)]


def test_near_neighbours_chain_without_becoming_equal() -> None:
    found = ranked({"t": task(0.50)}, {"t": task(0.52)}, {"t": task(0.54)})
    assert [(best, worst) for _, _, best, worst in found] == [(1, 2), (1, 3), (2, 3)]


def test_the_average_weighs_tasks_and_turns_errors_around() -> None:
    tracks = {"a": task(0.8, weight=300), "b": task(0.2, weight=100, metric="EER")}
    (one,) = leaderboard([record(1, summary=summary(tracks))], "track_a").standings
    assert one.average == pytest.approx(0.8)


def test_the_interval_is_what_a_simulation_gives() -> None:
    tracks = {"a": task(0.8, half=0.04, weight=300), "b": task(0.5, half=0.10, weight=100)}
    (one,) = leaderboard([record(1, summary=summary(tracks))], "track_a").standings
    draw = np.random.default_rng(3)
    errors = np.array([0.04, 0.10]) / NORMAL_95
    averages = (draw.normal([0.8, 0.5], errors, (200_000, 2)) * [0.75, 0.25]).sum(axis=1)
    low, high = np.quantile(averages, [0.025, 0.975])
    assert (one.low, one.high) == pytest.approx((low, high), abs=5e-4)


def test_whoever_lacks_a_task_has_no_place_and_is_told_which() -> None:
    records = [
        record(1, summary=summary({"a": task(0.5), "b": task(0.5)})),
        record(2, summary=summary({"a": task(0.9)})),
        record(3, summary=summary({"a": task(0.9), "b": task(None)})),
        record(4, "not-ready"),
        record(5, "unjudged", summary=None),
    ]
    found = leaderboard(records, "track_a")
    assert [one.sha256 for one in found.standings] == [sha(1)]
    assert found.lacking == {sha(2): ("b",), sha(3): ("b",)}
    assert found.tasks == ("a", "b")


def test_nobody_makes_an_empty_board() -> None:
    assert leaderboard([], "track_b").standings == ()


def test_a_score_without_an_interval_counts_as_exact() -> None:
    exact = {**task(0.5), "low": None, "high": None}
    (one,) = leaderboard([record(1, summary=summary({"a": exact}))], "track_a").standings
    assert math.isclose(one.low, one.high)
