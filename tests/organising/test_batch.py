"""What goes to the engine, what is kept, and what is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audio_encoder_checker.archive.manifest import parse_json
from audio_encoder_checker.organising.batch import REPLACED, Batch
from audio_encoder_checker.organising.results import Results, read_records
from tests.organising.literals import NEEDS, SETTING, PlayedEngine, busy, report, sha, submitted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audio_encoder_checker.organising.jobs import Job


def played(
    folder: Path, outcome: Callable[[Job, int], Any], count: int = 1, setting: dict[str, Any] = SETTING
) -> PlayedEngine:
    """Judge some submissions to the end."""
    engine = PlayedEngine(outcome)
    with Results(folder / "out") as results:
        batch = Batch(
            results, engine, setting=setting, options=(), needs=NEEDS, told=lambda *_: None, pauses_s=(0.0, 0.0)
        )
        batch.add(submitted(number, folder) for number in range(count))
        while batch.underway:
            batch.step(0.1)
    return engine


def test_each_submission_is_judged_once_and_its_record_fits_the_schema(tmp_path: Path) -> None:
    engine = played(tmp_path, lambda _job, _attempt: report(), count=3)
    records = read_records(tmp_path / "out")
    assert sorted(records) == sorted(engine.attempts) == [sha(0), sha(1), sha(2)]
    one = records[sha(1)]
    assert one["verdict"] == "not-ready"
    assert [found["id"] for found in one["summary"]["causes"]] == ["AEC505"]
    assert one["submission"]["files"] == [str(tmp_path / "team1.zip")]
    assert "date" not in one["environment"]
    parse_json((tmp_path / "out" / sha(1) / "record.json").read_text(), "record")


def test_what_has_a_valid_result_is_not_judged_again(tmp_path: Path) -> None:
    played(tmp_path, lambda _job, _attempt: report(), count=2)
    assert played(tmp_path, lambda _job, _attempt: report(), count=3).attempts == {sha(2): 1}


def test_a_second_file_of_known_content_is_named_in_the_result(tmp_path: Path) -> None:
    played(tmp_path, lambda _job, _attempt: report())
    told: list[tuple[Any, ...]] = []
    with Results(tmp_path / "out") as results:
        batch = Batch(results, PlayedEngine(lambda _job, _attempt: 70), setting=SETTING, options=(), needs=NEEDS,
                      told=lambda *what: told.append(what))  # fmt: skip
        one = submitted(0, tmp_path)
        one.files.insert(0, tmp_path / "copy.zip")
        assert batch.add([one]) == 1
        assert batch.add([one]) == 1
    names = [str(tmp_path / name) for name in ("team0.zip", "copy.zip")]
    assert [(record["submission"]["files"], report["verdict"]) for record, report in told] == [(names, "not-ready")]
    assert read_records(tmp_path / "out")[sha(0)]["submission"]["files"] == names


@pytest.mark.parametrize(
    "change",
    [
        {"tool": {**SETTING["tool"], "version": "0.2.0"}},
        {"profile": {"name": "icme-2025", "sha256": "c" * 64}},
        {"options": ["--strict"]},
        {"data_sha256": "d" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_setting_makes_results_stale(change: dict[str, Any], tmp_path: Path) -> None:
    played(tmp_path, lambda _job, _attempt: report())
    assert played(tmp_path, lambda _job, _attempt: report(), setting={**SETTING, **change}).attempts == {sha(0): 1}


def test_a_report_that_was_changed_is_made_anew(tmp_path: Path) -> None:
    played(tmp_path, lambda _job, _attempt: report())
    (tmp_path / "out" / sha(0) / "report.json").write_text("{}")
    assert played(tmp_path, lambda _job, _attempt: report()).attempts == {sha(0): 1}


def test_a_lost_worker_is_replaced_and_the_attempts_are_on_record(tmp_path: Path) -> None:
    played(tmp_path, lambda _job, attempt: "the worker was lost" if attempt < 3 else report())
    one = read_records(tmp_path / "out")[sha(0)]
    assert [attempt["trouble"] for attempt in one["attempts"]] == ["the worker was lost"] * 2 + [""]
    assert one["verdict"] == "not-ready"


def test_a_host_without_time_is_asked_again_and_its_last_report_is_kept(tmp_path: Path) -> None:
    engine = played(tmp_path, lambda _job, _attempt: busy())
    assert engine.attempts == {sha(0): 3}
    one = read_records(tmp_path / "out")[sha(0)]
    assert one["attempts"][2]["trouble"] == "huggingface.co: status 429"
    assert one["verdict"] == "not-ready"


def test_a_submission_that_fails_is_not_tried_again(tmp_path: Path) -> None:
    assert played(tmp_path, lambda _job, _attempt: report(verdict="not-ready", exit_code=1)).attempts == {sha(0): 1}


@pytest.mark.parametrize(("status", "attempts"), [(2, 1), (70, 1), (3, 3), (1, 3)])
def test_without_a_report_the_machine_is_asked_again_but_not_for_what_stays_wrong(
    status: int, attempts: int, tmp_path: Path
) -> None:
    engine = played(tmp_path, lambda _job, _attempt: status)
    assert engine.attempts == {sha(0): attempts}
    one = read_records(tmp_path / "out")[sha(0)]
    assert one["verdict"] == "unjudged"
    said = "error: it makes no sense; fix: mend it" if attempts == 1 else f"status {status} and no report"
    assert said in one["reason"]


def test_what_could_not_be_judged_is_tried_by_the_next_run(tmp_path: Path) -> None:
    played(tmp_path, lambda _job, _attempt: "lost")
    assert played(tmp_path, lambda _job, _attempt: report()).attempts == {sha(0): 1}


def test_one_that_is_lost_takes_no_other_along(tmp_path: Path) -> None:
    played(tmp_path, lambda job, _attempt: "lost" if job.sha256 == sha(1) else report(), count=3)
    verdicts = {name: one["verdict"] for name, one in read_records(tmp_path / "out").items()}
    assert verdicts == {sha(0): "not-ready", sha(1): "unjudged", sha(2): "not-ready"}


def test_a_file_that_was_replaced_while_it_waited_is_not_judged_in_the_name_of_the_first(tmp_path: Path) -> None:
    engine = PlayedEngine(lambda _job, _attempt: report())
    engine.sha256 = sha(7)
    with Results(tmp_path / "out") as results:
        batch = Batch(results, engine, setting=SETTING, options=(), needs=NEEDS, told=lambda *_: None)
        batch.add([submitted(0, tmp_path)])
        while batch.underway:
            batch.step(0.1)
    one = read_records(tmp_path / "out")[sha(0)]
    assert (one["verdict"], one["reason"], one["report_sha256"]) == ("unjudged", REPLACED, None)
    assert engine.attempts == {sha(0): 1}


def test_an_interrupted_report_is_none(tmp_path: Path) -> None:
    played(tmp_path, lambda _job, _attempt: report(interrupted=True))
    assert read_records(tmp_path / "out")[sha(0)]["verdict"] == "unjudged"


def test_an_open_verdict_has_a_reason(tmp_path: Path) -> None:
    skipped = [{"id": "AEC509", "name": "no-tensor", "reason": "ignored: no tensor is needed", "open": True}]
    played(tmp_path, lambda _job, _attempt: report(verdict="undecided", exit_code=3, skipped=skipped))
    assert read_records(tmp_path / "out")[sha(0)]["reason"] == "AEC509: ignored: no tensor is needed"
