"""The board, the table and the messages."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from audio_encoder_checker.organising.board import as_csv, board, write_board, write_letters
from audio_encoder_checker.organising.kinship import Kin
from audio_encoder_checker.organising.letters import letter
from audio_encoder_checker.organising.results import Results
from tests.organising.literals import cause, record, report, sha, summary, task
from tests.render.html.test_page import Elements

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<script>alert(1)</script>\u202e"


def five() -> list[dict[str, Any]]:
    broken = summary(errors=1, causes=[cause()])
    return [
        record(1, summary=summary({"pitch": task(0.9)})),
        record(2, summary=summary({"pitch": task(0.5)})),
        record(3, "not-ready", summary=broken),
        record(4, "not-ready", summary={**broken, "causes": [cause(), cause("AEC402", "import-failure")]}),
        record(5, "unjudged", summary=None, reason="the worker was lost"),
    ]


def test_counts_causes_and_places() -> None:
    data = board(five(), [Kin(sha(1), sha(2), 0.9), Kin(sha(1), sha(77), 0.9)])
    assert data["counts"] == {"ready": 2, "not-ready": 2, "undecided": 0, "unjudged": 1}
    assert [(one["id"], one["teams"]) for one in data["causes"]] == [
        ("AEC503", ["team3", "team4"]),
        ("AEC402", ["team4"]),
    ]
    assert [one["team"] for one in data["leaderboards"]["track_a"]["standings"]] == ["team1", "team2"]
    assert data["nearly_the_same"] == [{"teams": ["team1", "team2"], "shared": 0.9}]


def test_the_table_has_a_row_for_each_submission_and_a_column_for_each_task() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(board(five())))))
    assert [row["team"] for row in rows] == [f"team{n}" for n in range(1, 6)]
    assert rows[0]["track_a:pitch"] == "0.9"
    assert rows[0]["track_a_place"] == "1"
    assert rows[3]["causes"] == "AEC503 AEC402"
    assert rows[4]["reason"] == "the worker was lost"


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x"])
def test_no_cell_of_the_table_is_a_formula(name: str) -> None:
    evil = record(1, submission={"sha256": sha(1), "size_bytes": 1, "files": [f"{name}.zip"]})
    (row,) = csv.DictReader(io.StringIO(as_csv(board([evil]))))
    assert row["team"] == f"'{name}"


def test_the_page_is_well_formed_and_hostile_names_are_text(tmp_path: Path) -> None:
    evil = record(9, submission={"sha256": sha(9), "size_bytes": 1, "files": [f"{HOSTILE}.zip", "b.zip"]})
    with Results(tmp_path / "out") as results:
        write_board(results, [*five(), evil])
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    elements = Elements(text)
    assert elements.open == []
    assert [tag for tag, _ in elements.found].count("script") == 1
    assert "\u202e" not in text
    assert '<span class="same">identical: <bdi>b</bdi></span>' in text, "whoever searches for a team finds it"
    links = {attributes.get("href") or "" for tag, attributes in elements.found if tag == "a"}
    assert f"{sha(1)}/report.html" in links
    assert f"messages/team1-{sha(1)[:8]}.txt" in links
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["counts"]["ready"] == 3


def test_the_page_says_how_it_came_about_and_what_is_left(tmp_path: Path) -> None:
    unscored = [
        record(number, "not-ready", summary=summary(gpu=None, encode_hours=None, causes=[cause()] * 9))
        for number in (1, 2)
    ]
    options = {"options": ["--until=contract"]}
    with Results(tmp_path / "out") as results:
        write_board(results, [{**one, **options} for one in unscored], waiting=3)
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "3 still to be judged" in text
    assert "rule book icme-2025 · <bdi>--until=contract</bdi> · written 20" in text
    assert "AEC503 zero-frames (9)" in text
    assert "track A" not in text, "no column is empty throughout"


@pytest.mark.parametrize(("sha256", "told"), [(None, True), ("d" * 64, False)])
def test_places_on_the_quick_set_are_not_taken_for_those_of_the_challenge(
    sha256: str | None, *, told: bool, tmp_path: Path
) -> None:
    with Results(tmp_path / "out") as results:
        write_board(results, [{**one, "data_sha256": sha256} for one in five()])
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert ("no scores of the challenge" in text) is told


def test_an_open_verdict_stands_with_its_reason_and_copies_are_named(tmp_path: Path) -> None:
    files = {"submission": {"sha256": sha(1), "size_bytes": 1, "files": ["a.zip", "b.zip"]}}
    one = record(1, "undecided", summary=summary(), reason="AEC509: ignored: no tensor is needed", **files)
    with Results(tmp_path / "out") as results:
        data = write_board(results, [one])
    assert data["identical"] == [["a", "b"]]
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<td><bdi>AEC509: ignored: no tensor is needed</bdi></td>" in text
    assert "<li>identical: <bdi>a, b</bdi></li>" in text


def test_a_message_tells_each_finding_with_its_reason_and_its_remedy() -> None:
    text = letter("team1.zip", record(1, "not-ready"), report())
    assert text.startswith("Subject: team1.zip: NOT READY\n\nDear team,\n")
    assert "1. a batch of 1 raised x (encoder.py:12)  [AEC505 batch-size-failure]" in text
    assert "Fix: index or squeeze the dimension you mean" in text
    assert "AEC521" not in text, "what follows from another finding goes with it"
    assert max(map(len, text.splitlines())) <= 78
    assert text.endswith("\n    aecc-check team1.zip\n\nKind regards,\nthe organisers\n")


def test_a_message_shows_the_check_that_was_made_and_a_command_that_can_be_pasted() -> None:
    options = [
        "--until=contract",
        "--profile=/home/us/our rules.toml",
        "--data=/srv/xares",
        "--hub-cache=/srv/hub",
        "--strict",
    ]
    text = letter("-team 1.zip", record(1, options=options), report(stages=["archive", "source"]))
    assert "rule book icme-2025, stages archive, source." in " ".join(text.split())
    assert "\n    aecc-check --until=contract --profile='our rules.toml' --data=DIR --strict './-team 1.zip'\n" in text


def finding(message: str, severity: str = "warning") -> dict[str, Any]:
    return {**report()["findings"][0], "message": message, "at": "a.py", "severity": severity, "because_of": ""}


def test_a_message_tells_findings_of_a_kind_together() -> None:
    found = [finding(f"entry {n} is a link in a.py", "error") for n in range(9)]
    text = letter("team1.zip", record(1, "not-ready"), report(findings=found))
    assert text.count("Why: ") == text.count("[AEC505 ") == 1
    assert "   also: entry 4 is a link in a.py\n   and 4 more\n" in text


def test_a_message_says_what_warnings_mean() -> None:
    ready = letter("team1.zip", record(1), report(findings=[finding("slow")]))
    assert "would be refused or break. What is worth mending below does not" in " ".join(ready.split())
    strict = letter("team1.zip", record(1, "not-ready"), report(findings=[finding("slow")], strict=True))
    assert "To be mended\n" in strict
    assert "Worth mending" not in strict


@pytest.mark.parametrize(
    ("reason", "options", "asked"),
    [
        ("ignored: no tensor is needed", [], True),
        ("ignored: on the command line", ["--ignore=AEC509"], False),
        ("the host has no GPU", [], False),
    ],
)
def test_a_message_of_an_open_verdict_says_what_is_open_and_whose_it_is(
    reason: str, options: list[str], *, asked: bool
) -> None:
    skipped = [
        {"id": "AEC506", "name": "x", "reason": "waits until AEC509 no-tensor is mended", "open": True},
        {"id": "AEC509", "name": "no-tensor", "reason": reason, "open": True},
        {"id": "AEC701", "name": "y", "reason": "not asked for", "open": False},
    ]
    text = letter("team1.zip", record(1, "undecided", options=options), report(verdict="undecided", skipped=skipped))
    assert f"Not judged\n----------\n- AEC509: {reason}\n" in text
    assert "AEC506" not in text
    words = " ".join(text.split())
    assert ("Please send it again without the settings" in words) is asked
    assert ("there is nothing to do for you" in words) is not asked


def test_a_message_of_what_was_not_judged_asks_nothing_of_the_team() -> None:
    text = " ".join(letter("team1.zip", record(1, "unjudged", reason="the worker was lost"), None).split())
    assert "the worker was lost. There is nothing to do for you" in text


def test_each_file_gets_a_message_and_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    files = ["in/../../evil.zip", "in/a b\u202e.zip"]
    one = record(1, submission={"sha256": sha(1), "size_bytes": 1, "files": files})
    with Results(tmp_path / "out") as results:
        write_letters(results, one, report())
    assert sorted(path.name for path in (tmp_path / "out" / "messages").iterdir()) == [
        "a_b_-00000000.txt",
        "evil-00000000.txt",
    ]
