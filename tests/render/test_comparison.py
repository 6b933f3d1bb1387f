"""What changed between two reports."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.render import to_json
from audio_encoder_checker.render.comparison import compare_reports, read_report
from tests.render.reports import finding, full_report, poor_report

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.findings import Finding


def data(*findings: Finding) -> dict[str, Any]:
    return to_json.as_data(full_report(findings))


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    return [(change.kind, change.what) for change in compare_reports(old, new)]


def changed(**parts: Any) -> list[tuple[str, str]]:
    """What is said if these values of a report change, by their paths joined by dots."""
    old = data()
    new = copy.deepcopy(old)
    for path, value in parts.items():
        *keys, last = path.split("__")
        place = new
        for key in keys:
            place = place[key]
        place[last] = value
    return changes(old, new)


def test_a_report_is_like_itself() -> None:
    assert changes(data(finding()), data(finding())) == []


def test_findings_are_the_same_though_lines_move() -> None:
    assert changes(data(finding(at="a.py:3")), data(finding(at="a.py:30"))) == []


def test_mended_new_and_changed_findings_are_told_apart() -> None:
    old = data(finding(check_id="AEC101"), finding(message="12 of 40 calls failed"), finding(Severity.NOTE, "AEC201"))
    new = data(finding(message="3 of 40 calls failed"), finding(Severity.WARNING, "AEC201"), finding(check_id="AEC102"))
    told = changes(old, new)
    assert [kind for kind, _ in told] == ["mended", "changed", "changed", "new"]
    assert told[1][1].endswith("3 of 40 calls failed (was: 12 of 40 calls failed)")


def test_one_of_two_alike_that_is_mended_is_told() -> None:
    both, one = data(finding(at="a.py:3"), finding(at="a.py:9")), data(finding(at="a.py:9"))
    assert [kind for kind, _ in changes(both, one)] == ["mended"]


def test_what_could_not_be_judged_is_not_called_mended() -> None:
    old, new = to_json.as_data(full_report((finding(),))), to_json.as_data(poor_report())
    assert ("verdict", "was NOT READY, is UNDECIDED") in changes(old, new)
    assert [kind for kind, what in changes(old, new) if "AEC505" in what] == ["not judged now"]


def test_times_are_told_beyond_the_machines_mood() -> None:
    assert changed(timings__stages__load=2.9) == []
    assert changed(timings__stages__load=7.5) == [("slower", "stage load: 2.5 s before, 7.5 s now")]
    assert changed(timings__stages__load=0.5) == [("faster", "stage load: 2.5 s before, 0.5 s now")]
    assert changed(timings__calls={"1 x 10 s": 4.0}) == [("slower", "call of 1 x 10 s: 0.2 s before, 4.0 s now")]


def test_sizes_are_told_beyond_a_little() -> None:
    assert changed(submission__size_bytes=1_240_000) == []
    assert changed(submission__size_bytes=2_000_000) == [("larger", "size of the submission: 1.23 MB before, 2 MB now")]
    assert changed(usage__ram__peak_bytes=500_000_000)[0][0] == "smaller"
    assert changed(usage=None) == [], "what was not gathered is not compared"


def test_scores_that_left_their_interval_are_told() -> None:
    old = data()
    task = old["scores"]["track_a"]["tasks"][0]
    inside, outside = copy.deepcopy(old), copy.deepcopy(old)
    inside["scores"]["track_a"]["tasks"][0]["value"] = task["high"]
    outside["scores"]["track_a"]["tasks"][0]["value"] = task["high"] + 0.1
    assert changes(old, inside) == []
    (only,) = changes(old, outside)
    assert only[0] == "score"
    assert only[1].startswith(f"track A {task['task']}: {task['value']:.3f} before")
    outside["scores"]["data"] = "x-ares"
    assert changes(old, outside) == [], "scores on other data are other scores"
    outside["scores"] = None
    assert changes(old, outside) == []


def test_what_is_no_report_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_report(tmp_path / "gone.json")
    for content in ("", "{}", "[" * 100_000):
        (tmp_path / "x.json").write_text(content)
        with pytest.raises(UsageError, match=r"x\.json' is no report") as error:
            read_report(tmp_path / "x.json")
        assert "--report json=FILE" in error.value.hint
    (tmp_path / "x.json").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is no report"):
        read_report(tmp_path / "x.json")


def test_a_report_that_was_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(to_json.render(full_report()))
    assert read_report(tmp_path / "x.json") == json.loads(to_json.render(full_report()))
