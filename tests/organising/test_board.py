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
    assert "and 1 identical" in text
    links = {attributes.get("href") or "" for tag, attributes in elements.found if tag == "a"}
    assert f"{sha(1)}/report.html" in links
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["counts"]["ready"] == 3


def test_a_message_tells_each_finding_with_its_reason_and_its_remedy() -> None:
    text = letter("team1.zip", record(1, "not-ready"), report())
    assert text.startswith("Subject: team1.zip: NOT READY\n\nDear team,\n")
    assert "1. a batch of 1 raised x (encoder.py:12)  [AEC505 batch-size-failure]" in text
    assert "Fix: index or squeeze the dimension you mean" in text
    assert "AEC521" not in text, "what follows from another finding goes with it"
    assert max(map(len, text.splitlines())) <= 90


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
