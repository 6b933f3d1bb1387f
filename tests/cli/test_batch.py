"""Many submissions as an organiser meets them: real processes, and nothing that is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audio_encoder_checker.cli.batch import _tasks, _whole
from tests.organising.specimens import zipped
from tests.profiles import BRIEF, changed_profile

pytestmark = pytest.mark.box
NAMES = ("good-frames", "AEC402-import-failure", "AEC503-zero-frames")


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "audio_encoder_checker", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = start(folder, *arguments)
    stdout, stderr = process.communicate(timeout=280)
    return process.returncode, stdout, stderr


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in NAMES:
        zipped(name, tmp_path / "in" / f"{name}.zip")
    return tmp_path


def zips(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in (folder / "in").glob("*.zip"))


def results(folder: Path) -> dict[str, str]:
    records = [json.loads(path.read_text()) for path in (folder / "out").glob("*/record.json")]
    return {Path(one["submission"]["files"][0]).stem: one["verdict"] for one in records}


def test_all_are_judged_and_told_together(inbox: Path) -> None:
    (inbox / "in" / "copy.zip").write_bytes((inbox / "in" / "good-frames.zip").read_bytes())
    status, stdout, stderr = run(inbox, *zips(inbox), "--out", "out", "--until", "load", "--jobs", "2")
    assert status == 0, stderr
    assert results(inbox) == {"copy": "ready", "AEC402-import-failure": "not-ready", "AEC503-zero-frames": "ready"}
    assert stdout.startswith("2 READY · 1 NOT READY · 0 UNDECIDED · 0 UNJUDGED\n     1  AEC402 import-failure")
    assert stderr.startswith(("note: 2 submissions at once", "4 submissions · 3 distinct · 2 at once\n"))
    assert "identical: copy.zip, good-frames.zip\n" in stderr
    assert "[3/3]" in stderr
    assert {path.suffix for path in (inbox / "out").iterdir() if path.is_file()} == {".html", ".csv", ".json", ""}
    assert len(list((inbox / "out" / "messages").iterdir())) == 4
    again, stdout, stderr = run(inbox, *zips(inbox), "--out", "out", "--until", "load", "--resume")
    assert again == 0
    assert "3 judged already" in stderr
    assert "[" not in stderr.partition("judged already")[2]
    (inbox / "in" / "later.zip").write_bytes((inbox / "in" / "good-frames.zip").read_bytes())
    again, _, stderr = run(inbox, *zips(inbox), "--out", "out", "--until", "load", "--resume")
    assert (again, "[" in stderr) == (0, False), "one more name for a result is no submission that was judged"
    assert len(list((inbox / "out" / "messages").iterdir())) == 5
    refused, _, stderr = run(inbox, *zips(inbox), "--out", "out")
    assert refused == 2
    assert "add --resume" in stderr


def test_a_run_that_is_killed_loses_at_most_what_was_in_flight(inbox: Path) -> None:
    process = start(inbox, *zips(inbox), "--out", "out", "--until", "load", "--jobs", "1")
    end = time.monotonic() + 60
    while len(results(inbox)) < 1 and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = results(inbox)
    assert kept
    status, _, stderr = run(inbox, *zips(inbox), "--out", "out", "--until", "load", "--resume")
    assert status == 0
    assert len(results(inbox)) == 3
    assert f"{len(kept)} judged already" in stderr
    assert not (inbox / "out" / ".work").exists()


def test_an_interrupted_run_says_how_to_go_on(inbox: Path) -> None:
    zipped("AEC508-endless-forward", inbox / "in" / "endless.zip")
    process = start(inbox, "in/endless.zip", "--out", "out", "--trust", "--until", "contract")
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "0 of 1 judged; the same command with --resume goes on · board: out/index.html" in stderr
    assert (inbox / "out" / "index.html").is_file()


def test_a_folder_is_followed_and_the_board_kept_fresh(inbox: Path) -> None:
    process = start(inbox, "--out", "out", "--follow", "in", "--until", "source")
    end = time.monotonic() + 90
    while len(results(inbox)) < 3 and time.monotonic() < end:
        time.sleep(0.1)
    zipped("AEC510-squeeze-at-one", inbox / "late.zip")
    (inbox / "late.zip").rename(inbox / "in" / "late.zip")
    while len(results(inbox)) < 4 and time.monotonic() < end:
        time.sleep(0.1)
    summary = inbox / "out" / "summary.json"
    while not (summary.exists() and "late" in summary.read_text()) and time.monotonic() < end:
        time.sleep(0.1)
    assert "late" in summary.read_text(), "the board is kept fresh while nothing else happens"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert "arrived: late.zip" in stderr
    assert "stopped: 4 judged" in stderr
    assert len(json.loads((inbox / "out" / "summary.json").read_text())["submissions"]) == 4


@pytest.mark.parametrize(
    ("name", "value", "is_path"),
    [
        ("data", "xares", True),
        ("data", "s3://bucket/xares", False),
        ("profile", "own.toml", True),
        ("profile", "icme-2025", False),
        ("budget", "own.toml", True),
        ("budget", "colab-t4", False),
        ("tasks", "esc50", False),
        ("constraint", Path("pins.txt"), True),
    ],
)
def test_another_machine_and_a_later_audit_are_told_whole_paths(name: str, value: object, *, is_path: bool) -> None:
    assert _whole(name, value) == (str(Path(str(value)).absolute()) if is_path else value)


def test_tasks_may_have_blanks_between_them() -> None:
    wishes = {"until": None, "stages": (), "no_eval": False, "data": None, "mini": False}
    assert _tasks({**wishes, "tasks": "quick-words, quick-notes"}) == ["quick-words", "quick-notes"]


def test_a_new_version_takes_the_place_of_the_old_one(inbox: Path) -> None:
    process = start(inbox, "--out", "out", "--follow", "in", "--until", "source")
    summary = inbox / "out" / "summary.json"

    def shown() -> list[tuple[str, list[str]]]:
        rows = json.loads(summary.read_text())["submissions"] if summary.exists() else []
        return [(row["verdict"], [Path(file).name for file in row["files"]]) for row in rows]

    def wait_for(row: tuple[str, list[str]]) -> list[tuple[str, list[str]]]:
        end = time.monotonic() + 60
        while row not in shown() and time.monotonic() < end:
            time.sleep(0.1)
        return shown()

    first = ("ready", ["AEC503-zero-frames.zip"])
    assert first in wait_for(first)
    (inbox / "new.zip").write_bytes((inbox / "in" / "good-frames.zip").read_bytes())
    (inbox / "new.zip").rename(inbox / "in" / "AEC503-zero-frames.zip")
    both = ("ready", ["good-frames.zip", "AEC503-zero-frames.zip"])
    assert wait_for(both).count(both) == 1
    assert first not in shown()
    drafts = [path.name[:6] for path in (inbox / "out" / "messages").iterdir()]
    assert drafts.count("AEC503") == 1, "there is no second draft, of the old version"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert "judged already: AEC503-zero-frames.zip, as good-frames\n" in stderr
    assert "[4/" not in stderr


def test_two_runs_on_one_folder(inbox: Path) -> None:
    (inbox / "empty").mkdir()
    first = start(inbox, "--out", "out", "--follow", "empty")
    end = time.monotonic() + 20
    while not (inbox / "out" / ".lock").exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(1)
    status, _, stderr = run(inbox, *zips(inbox), "--out", "out", "--until", "source")
    first.send_signal(signal.SIGINT)
    first.communicate()
    assert status == 2
    assert "another run works in 'out'" in stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("in/a.zip", "in/b.zip"), "add --out DIR"),
        (("--out", "out"), "none is named"),
        (("in/a.zip", "--out", "out", "--report", "json=x"), "--report is about one submission"),
        (("in/a.zip", "--out", "out", "--jobs", "many"), "--jobs many: cannot read 'many'"),
        (("in/a.zip", "--resume"), "--resume is about many submissions"),
        (("in", "--out", "out"), "'in' is no file"),
        (("audit", "nowhere"), "there is no folder 'nowhere'"),
        (("export", "in", "--to-xares", "x"), "'in' holds no results"),
    ],
    ids=" ".join,
)
def test_wrong_usage_names_the_remedy(arguments: tuple[str, ...], said: str, inbox: Path) -> None:
    status, _, stderr = run(inbox, *arguments)
    assert status == 2
    assert said in stderr
    assert "fix: " in stderr


def test_an_audit_finds_what_was_altered_and_what_drifted(inbox: Path) -> None:
    run(inbox, *zips(inbox), "--out", "out", "--until", "load")
    status, stdout, stderr = run(inbox, "audit", "out", "--sample", "1")
    assert re.search(r"^\[1/1\] judging \S+ again; it took \d+ s$", stderr, re.MULTILINE)
    assert status == 0, stdout
    assert "3 results held against their records, 1 judged again: none drifted" in stdout
    by_name = {Path(json.loads(p.read_text())["submission"]["files"][0]).stem: p.parent for p in
               (inbox / "out").glob("*/record.json")}  # fmt: skip
    report = by_name["good-frames"] / "report.json"
    report.write_text(report.read_text().replace('"verdict": "ready"', '"verdict": "undecided"'))
    status, stdout, _ = run(inbox, "audit", "out", "--sample", "0")
    assert status == 1
    assert "good-frames: the report is not the one that the record was written for" in stdout


def test_a_result_that_comes_out_otherwise_today_is_drift(inbox: Path) -> None:
    run(inbox, "in/good-frames.zip", "--out", "out", "--until", "load")
    (path,) = (inbox / "out").glob("*/record.json")
    report = path.parent / "report.json"
    old = json.loads(report.read_text())
    old["findings"] = []
    old["verdict"], old["exit_code"] = "undecided", 3
    report.write_text(json.dumps(old))
    from audio_encoder_checker.archive.manifest import describe_file

    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "report_sha256": describe_file(report, "report.json").sha256}))
    status, stdout, _ = run(inbox, "audit", "out")
    assert status == 1
    assert "good-frames: verdict: was UNDECIDED, is READY" in stdout


CALL = """
import importlib, json, sys
import torch
sys.path.insert(0, "")
module = importlib.import_module(sys.argv[1])
names = [name for name in dir(module) if name.endswith("Encoder")]
encoder = getattr(module, names[0])()
torch.manual_seed(0)
print(json.dumps({"names": names, "shape": list(encoder(torch.randn(2, 50000)).shape)}))
"""


def test_an_export_gives_each_submission_a_folder_and_a_class_of_its_own(inbox: Path) -> None:
    """X-ARES takes the only name of the module that ends in Encoder, and keeps scores by it."""
    twin = zipped("good-frames", inbox / "in" / "twin.zip")
    import zipfile

    with zipfile.ZipFile(twin, "a") as archive:
        archive.writestr("other.txt", "another submission with the same class")
    run(inbox, *zips(inbox), "--out", "out", "--until", "load")
    status, stdout, stderr = run(inbox, "export", "out", "--to-xares", "xares")
    assert status == 0
    assert "3 submissions in xares" in stdout, stderr
    folders = sorted((inbox / "xares").iterdir())
    names = []
    for folder in folders:
        (file,) = folder.glob("*_encoder.py")
        done = subprocess.run(
            [sys.executable, "-c", CALL, file.stem], cwd=folder, capture_output=True, text=True, check=True
        )
        found = json.loads(done.stdout)
        assert len(found["names"]) == 1, "X-ARES refuses a module with two"
        names += found["names"]
        assert os.access(folder / "run.sh", os.X_OK)
        subprocess.run(["sh", "-n", str(folder / "run.sh")], check=True)
    assert len(set(names)) == 3
    assert json.loads((folders[0] / "origin.json").read_text())["verdict"] == "ready"
    assert run(inbox, "export", "out", "--to-xares", "xares")[0] == 2


def test_task_by_task_gives_the_same_scores_as_the_whole(inbox: Path) -> None:
    tasks = ("--tasks", "quick-pitch,quick-spoof", "--profile", changed_profile(inbox, **BRIEF))
    assert run(inbox, "in/good-frames.zip", "--out", "whole", *tasks)[0] == 0
    status, _, stderr = run(
        inbox, "in/good-frames.zip", "in/AEC503-zero-frames.zip", "--out", "parts", *tasks, "--by-task"
    )
    assert status == 0, stderr
    (whole,) = (inbox / "whole").glob("*/report.json")
    in_parts = json.loads((inbox / "parts" / whole.parent.name / "report.json").read_text())
    found = json.loads(whole.read_text())
    for track in ("track_a", "track_b"):  # an average of figures that are rounded already
        average = found["scores"][track].pop("weighted_average")
        assert in_parts["scores"][track].pop("weighted_average") == pytest.approx(average, abs=2e-6)
    for part in ("scores", "verdict", "findings", "skipped", "stages", "contract"):
        assert in_parts[part] == found[part], part
    (other,) = (path for path in (inbox / "parts").glob("*/report.json") if path.parent.name != whole.parent.name)
    assert json.loads(other.read_text())["scores"] is None
