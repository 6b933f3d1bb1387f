"""Results are there whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.manifest import describe_file
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.organising import results as module
from audio_encoder_checker.organising.results import Results, is_sound, known_records, read_records
from tests.organising.literals import record, sha

if TYPE_CHECKING:
    from pathlib import Path


def test_a_result_appears_when_it_is_kept_and_replaces_an_earlier_one(tmp_path: Path) -> None:
    with Results(tmp_path / "out") as results:
        for verdict in ("not-ready", "ready"):
            work = results.begin(sha(1))
            (work / "log.txt").write_text(verdict)
            results.keep(work, record(1, verdict))
            assert read_records(tmp_path / "out")[sha(1)]["verdict"] == verdict
            assert (tmp_path / "out" / sha(1) / "log.txt").read_text() == verdict
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".lock", sha(1)]


def test_what_a_killed_run_left_half_done_is_cleared_away(tmp_path: Path) -> None:
    Results(tmp_path).begin(sha(1))
    with Results(tmp_path):
        assert not (tmp_path / ".work").exists()
    assert known_records(tmp_path) == {}


def full_disk(_path: Path) -> None:
    raise OSError(28, "No space left on device")


def test_a_failure_while_keeping_leaves_the_earlier_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Results(tmp_path) as results:
        results.keep(results.begin(sha(1)), record(1))
        monkeypatch.setattr(module, "_sync", full_disk)
        with pytest.raises(OSError, match="No space"):
            results.keep(results.begin(sha(1)), record(1, "not-ready"))
    assert read_records(tmp_path)[sha(1)]["verdict"] == "ready"


def test_two_runs_on_one_folder_lock_each_other_out(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from audio_encoder_checker.organising.results import Results\n"
        "with Results(Path(sys.argv[1])): print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(UsageError, match="another run works in"), Results(tmp_path):
            pass
        other.kill()
        other.wait()
    with Results(tmp_path):
        pass  # a lock ends with its owner


def test_a_folder_that_cannot_be_written_is_named() -> None:
    from pathlib import Path

    with pytest.raises(UsageError, match="cannot write to '/proc/nowhere'"):
        Results(Path("/proc/nowhere"))


@pytest.mark.parametrize("damage", ["", "{", '{"schema_version": "1"}', "[]"])
def test_a_damaged_record_is_no_result(damage: str, tmp_path: Path) -> None:
    with Results(tmp_path) as results:
        results.keep(results.begin(sha(1)), record(1))
    (tmp_path / sha(1) / "record.json").write_text(damage)
    assert known_records(tmp_path) == {}
    with pytest.raises(UsageError, match="holds no results"):
        read_records(tmp_path)


def test_a_record_of_another_submission_is_no_result(tmp_path: Path) -> None:
    (tmp_path / sha(2)).mkdir()
    (tmp_path / sha(2) / "record.json").write_text(json.dumps(record(1)))
    assert known_records(tmp_path) == {}


def test_a_report_that_was_changed_is_not_sound(tmp_path: Path) -> None:
    with Results(tmp_path) as results:
        work = results.begin(sha(1))
        (work / "report.json").write_text("{}")
        digest = describe_file(work / "report.json", "report.json").sha256
        results.keep(work, record(1, report_sha256=digest))
    kept = read_records(tmp_path)[sha(1)]
    assert is_sound(tmp_path, kept)
    (tmp_path / sha(1) / "report.json").write_text("{ }")
    assert not is_sound(tmp_path, kept)
    assert not is_sound(tmp_path, record(1))


def test_there_is_no_folder() -> None:
    from pathlib import Path

    with pytest.raises(UsageError, match="there is no folder"):
        read_records(Path("/nowhere"))
