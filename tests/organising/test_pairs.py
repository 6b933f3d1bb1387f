"""One submission in parts: what comes of it is what would have come of the whole."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from audio_encoder_checker.organising.jobs import Ended, Job
from audio_encoder_checker.organising.merging import merge_reports
from audio_encoder_checker.organising.pairs import ByTask
from audio_encoder_checker.rules import schema
from tests.organising.literals import NEEDS, PlayedEngine, busy, report, sha

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def ready(**changes: Any) -> dict[str, Any]:
    """A report without the evaluation that has nothing to say."""
    base = {**report(), "findings": [], "verdict": "ready", "exit_code": 0}
    return {**base, "scores": None, "stages": ["load"], **changes}


def scored(task: str, value: float, floor: float = 0.1, **changes: Any) -> dict[str, Any]:
    """A report of one task."""
    scores = copy.deepcopy(report()["scores"])
    (one, *_) = scores["track_a"]["tasks"]
    scores["track_a"]["tasks"] = [{**one, "task": task, "value": value, "low": value - 0.01, "high": value + 0.01}]
    scores["track_b"]["tasks"], scores["missing"] = [], []
    scores["reference"] = [
        {"name": "log-mel", "task": task, "metric": "accuracy", "track_a": floor, "track_b": None},
    ]
    return ready(scores=scores, stages=["evaluate"], **changes)


def test_scores_stand_together_and_averages_are_made_anew() -> None:
    merged = merge_reports(ready(), {"a": scored("a", 0.4), "b": scored("b", 0.8)})
    assert [one["task"] for one in merged["scores"]["track_a"]["tasks"]] == ["a", "b"]
    assert merged["scores"]["track_a"]["weighted_average"] == pytest.approx(0.6)
    assert merged["scores"]["track_b"]["weighted_average"] is None
    assert (merged["verdict"], merged["exit_code"]) == ("ready", 0)
    assert merged["stages"] == ["load", "evaluate"]
    jsonschema.Draft202012Validator(schema("report")).validate(merged)


def test_what_looks_at_all_tasks_is_asked_of_all() -> None:
    worse = {"a": scored("a", 0.2, floor=0.5), "b": scored("b", 0.2, floor=0.5), "c": scored("c", 0.9)}
    (found,) = merge_reports(ready(), worse)["findings"]
    assert (found["id"], found["severity"]) == ("AEC803", "warning")
    assert "below log-mel on 2 of 3 tasks" in found["message"]
    better = {"a": scored("a", 0.2, floor=0.5), "b": scored("b", 0.9), "c": scored("c", 0.9)}
    assert merge_reports(ready(), better)["findings"] == []


def test_a_task_that_was_lost_leaves_the_verdict_open() -> None:
    merged = merge_reports(ready(), {"a": scored("a", 0.4), "b": None})
    assert merged["verdict"] == "undecided"
    assert merged["scores"]["missing"] == [{"task": "b", "reason": "its worker was lost"}]


def test_a_finding_of_a_task_counts_and_one_of_the_rest_stands_once() -> None:
    error = {**report()["findings"][0], "id": "AEC801", "stage": "evaluate", "message": "task b: x", "because_of": None}
    known = {**report()["findings"][2], "id": "AEC523", "severity": "note"}
    parts = {"a": scored("a", 0.4, findings=[known]), "b": scored("b", 0.4, findings=[known, error])}
    merged = merge_reports(ready(findings=[known]), parts)
    assert [one["id"] for one in merged["findings"]] == ["AEC801", "AEC523"]
    assert merged["verdict"] == "not-ready"


def test_what_follows_from_a_finding_stays_behind_it() -> None:
    warning, other = ({**report()["findings"][2], "id": check_id} for check_id in ("AEC518", "AEC523"))
    note = {**warning, "id": "AEC522", "severity": "note", "because_of": "AEC518"}
    merged = merge_reports(ready(findings=[warning, note, other]), {"a": scored("a", 0.4)})
    assert [one["id"] for one in merged["findings"]] == ["AEC518", "AEC522", "AEC523"]


def by_task(folder: Path, outcome: Callable[[Job, int], Any]) -> tuple[Ended, PlayedEngine]:
    engine = PlayedEngine(outcome)
    pairs = ByTask(engine, ["a", "b"])
    folder.mkdir()
    pairs.submit(Job(sha(1), folder / "x.zip", folder, ("--strict", "--tasks=a,b"), NEEDS))
    for _ in range(50):
        ended = pairs.next(0.01)
        if ended:
            return ended, engine
    raise AssertionError("it never ended")


def task_of(job: Job) -> str:
    return job.folder.name.rpartition("-")[0]


def test_a_submission_goes_through_the_engine_in_parts(tmp_path: Path) -> None:
    ended, engine = by_task(
        tmp_path / "work", lambda job, _attempt: ready() if task_of(job) == "first" else scored(task_of(job), 0.5)
    )
    assert (ended.status, ended.lost, ended.seconds) == (0, "", 3.0)
    assert [job.options for job in engine.jobs] == [
        ("--strict", "--no-eval"),
        ("--strict", "--stage=evaluate", "--tasks=a"),
        ("--strict", "--stage=evaluate", "--tasks=b"),
    ]
    left = {path.name for path in (tmp_path / "work").iterdir()}
    assert left == {"report.json", "report.html", "report.txt", "log.txt"}
    merged = json.loads((tmp_path / "work" / "report.json").read_text())
    assert [one["task"] for one in merged["scores"]["track_a"]["tasks"]] == ["a", "b"]


def test_what_is_not_ready_costs_no_task(tmp_path: Path) -> None:
    ended, engine = by_task(tmp_path / "work", lambda _job, _attempt: report())
    assert len(engine.jobs) == 1
    assert ended.status == report()["exit_code"]
    assert (tmp_path / "work" / "report.json").is_file()


def test_a_part_that_is_lost_is_repeated_by_itself(tmp_path: Path) -> None:
    def outcome(job: Job, _attempt: int) -> dict[str, Any] | str:
        if job.folder.name in ("b-1", "b-2"):
            return "the worker was lost"
        return ready() if task_of(job) == "first" else scored(task_of(job), 0.5)

    ended, engine = by_task(tmp_path / "work", outcome)
    assert ended.status == 0
    assert [job.folder.name for job in engine.jobs] == ["first-1", "a-1", "b-1", "b-2", "b-3"]


def test_a_task_that_the_network_spoilt_is_repeated_by_itself(tmp_path: Path) -> None:
    def outcome(job: Job, _attempt: int) -> dict[str, Any]:
        if job.folder.name == "b-1":
            return busy()
        return ready() if task_of(job) == "first" else scored(task_of(job), 0.5)

    ended, engine = by_task(tmp_path / "work", outcome)
    assert ended.status == 0
    assert [job.folder.name for job in engine.jobs] == ["first-1", "a-1", "b-1", "b-2"]


def test_a_part_that_is_lost_for_good_leaves_the_others(tmp_path: Path) -> None:
    def outcome(job: Job, _attempt: int) -> dict[str, Any] | str:
        if task_of(job) == "b":
            return "the worker was lost"
        return ready() if task_of(job) == "first" else scored(task_of(job), 0.5)

    ended, _ = by_task(tmp_path / "work", outcome)
    assert ended.status == 3
    assert json.loads((tmp_path / "work" / "report.json").read_text())["scores"]["missing"][0]["task"] == "b"
