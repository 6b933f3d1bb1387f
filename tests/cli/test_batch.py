"""Many submissions as an organiser meets them: real processes, and nothing that is lost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from audio_encoder_checker.cli.batch import _tasks, _whole
from tests.organising.specimens import zipped
from tests.profiles import BRIEF, changed_profile
from tests.shards import write_task

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.box
NAMES = ("good-frames", "AEC402-import-failure", "AEC503-zero-frames")
PLAIN = ("-m", "audio_encoder_checker")
HASTY = """
from audio_encoder_checker.cli import batch
from audio_encoder_checker.cli.check import main
from audio_encoder_checker.organising import inbox
batch.BOARD_SECONDS, batch.POLL_SECONDS, inbox.SETTLED_S = 0.2, 0.05, 0.3
main()
"""
"""The same with shorter pauses."""


def start(folder: Path, *arguments: str, program: tuple[str, ...] = PLAIN) -> subprocess.Popen[str]:
    command = [sys.executable, *program, *arguments]
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


def without(name: str, inbox: Path) -> None:
    (inbox / "in" / f"{name}.zip").unlink()


def broken(target: Path) -> Path:
    """A submission that is not ready for what is seen without running it."""
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("encoder.py", "class BrokenEncoder(:\n")
    return target


def wait_until(true: Callable[[], object], within_s: float = 90) -> None:
    end = time.monotonic() + within_s
    while not true() and time.monotonic() < end:
        time.sleep(0.05)


def zips(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in (folder / "in").glob("*.zip"))


def results(folder: Path) -> dict[str, str]:
    records = [json.loads(path.read_text()) for path in (folder / "out").glob("*/record.json")]
    return {Path(one["submission"]["files"][0]).stem: one["verdict"] for one in records}


def test_all_are_judged_and_told_together(inbox: Path) -> None:
    without("AEC503-zero-frames", inbox)
    (inbox / "in" / "copy.zip").write_bytes((inbox / "in" / "good-frames.zip").read_bytes())
    status, stdout, stderr = run(inbox, *zips(inbox), "--out", "out", "--until", "load", "--jobs", "2")
    assert status == 0, stderr
    assert results(inbox) == {"copy": "ready", "AEC402-import-failure": "not-ready"}
    assert stdout.startswith("1 READY · 1 NOT READY · 0 UNDECIDED · 0 UNJUDGED\n     1  AEC402 import-failure")
    assert stderr.startswith(("note: 2 submissions at once", "3 submissions · 2 distinct · 2 at once\n"))
    assert "identical: copy.zip, good-frames.zip\n" in stderr
    assert "[2/2]" in stderr
    assert {path.suffix for path in (inbox / "out").iterdir() if path.is_file()} == {".html", ".csv", ".json", ""}
    assert len(list((inbox / "out" / "messages").iterdir())) == 3
    again, stdout, stderr = run(inbox, *zips(inbox), "--out", "out", "--until", "load", "--resume")
    assert again == 0
    assert "2 judged already" in stderr
    assert "[" not in stderr.partition("judged already")[2]
    (inbox / "in" / "later.zip").write_bytes((inbox / "in" / "good-frames.zip").read_bytes())
    again, _, stderr = run(inbox, *zips(inbox), "--out", "out", "--until", "load", "--resume")
    assert (again, "[" in stderr) == (0, False), "one more name for a result is no submission that was judged"
    assert len(list((inbox / "out" / "messages").iterdir())) == 4
    refused, _, stderr = run(inbox, *zips(inbox), "--out", "out")
    assert refused == 2
    assert "add --resume" in stderr


def test_a_run_that_is_killed_loses_at_most_what_was_in_flight(inbox: Path) -> None:
    without("AEC402-import-failure", inbox)
    process = start(inbox, *zips(inbox), "--out", "out", "--until", "load", "--jobs", "1")
    wait_until(lambda: results(inbox))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = results(inbox)
    assert kept
    status, _, stderr = run(inbox, *zips(inbox), "--out", "out", "--until", "load", "--resume")
    assert status == 0
    assert len(results(inbox)) == 2
    assert f"{len(kept)} judged already" in stderr
    assert not (inbox / "out" / ".work").exists()


def processor_seconds(parent: psutil.Process) -> float:
    """Of all that a process has started."""
    found = 0.0
    for child in parent.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found += child.cpu_times().user
    return found


def test_an_interrupted_run_says_how_to_go_on(inbox: Path) -> None:
    zipped("AEC405-endless-loading", inbox / "in" / "endless.zip")
    process = start(inbox, "in/endless.zip", "--out", "out", "--trust", "--until", "load")
    wait_until(lambda: processor_seconds(psutil.Process(process.pid)) > 2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "0 of 1 judged; the same command with --resume goes on · board: out/index.html" in stderr
    assert (inbox / "out" / "index.html").is_file()


def rows(summary: Path) -> list[tuple[str, list[str]]]:
    """Verdict and files of each submission on the board."""
    found = json.loads(summary.read_text())["submissions"] if summary.exists() else []
    return [(row["verdict"], [Path(file).name for file in row["files"]]) for row in found]


def test_a_folder_is_followed_and_a_new_version_takes_the_place_of_the_old_one(inbox: Path) -> None:
    process = start(inbox, "--out", "out", "--follow", "in", "--until", "source", program=("-c", HASTY))
    summary = inbox / "out" / "summary.json"
    wait_until(lambda: len(rows(summary)) == 3)
    zipped("AEC510-squeeze-at-one", inbox / "late.zip")
    (inbox / "late.zip").rename(inbox / "in" / "late.zip")
    wait_until(lambda: len(rows(summary)) == 4)
    assert ("ready", ["late.zip"]) in rows(summary), "the board is kept fresh while nothing else happens"
    assert (first := ("ready", ["AEC503-zero-frames.zip"])) in rows(summary)
    (inbox / "new.zip").write_bytes((inbox / "in" / "good-frames.zip").read_bytes())
    (inbox / "new.zip").rename(inbox / "in" / "AEC503-zero-frames.zip")
    both = ("ready", ["good-frames.zip", "AEC503-zero-frames.zip"])
    wait_until(lambda: both in rows(summary))
    assert rows(summary).count(both) == 1
    assert first not in rows(summary)
    drafts = [path.name[:6] for path in (inbox / "out" / "messages").iterdir()]
    assert drafts.count("AEC503") == 1, "there is no second draft, of the old version"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert "arrived: late.zip" in stderr
    assert "judged already: AEC503-zero-frames.zip, as good-frames\n" in stderr
    assert "[5/" not in stderr
    assert "stopped: 4 judged" in stderr
    assert len(rows(summary)) == 3


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


def test_two_runs_on_one_folder(inbox: Path) -> None:
    (inbox / "empty").mkdir()
    first = start(inbox, "--out", "out", "--follow", "empty")
    assert first.stderr
    assert first.stderr.readline().startswith("watching empty ")
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
    broken(inbox / "in" / "broken.zip")
    run(inbox, "in/good-frames.zip", "in/broken.zip", "--out", "out", "--until", "load")
    status, stdout, stderr = run(inbox, "audit", "out", "--sample", "2")
    assert re.search(r"^\[2/2\] judging \S+ again; it took \d+ s$", stderr, re.MULTILINE)
    assert status == 0, stdout
    assert "2 results held against their records, 2 judged again: none drifted" in stdout
    by_name = {Path(json.loads(p.read_text())["submission"]["files"][0]).stem: p.parent for p in
               (inbox / "out").glob("*/record.json")}  # fmt: skip
    report = by_name["good-frames"] / "report.json"
    report.write_text(report.read_text().replace('"verdict": "ready"', '"verdict": "undecided"'))
    status, stdout, _ = run(inbox, "audit", "out", "--sample", "0")
    assert status == 1
    assert "good-frames: the report is not the one that the record was written for" in stdout


def test_a_result_that_comes_out_otherwise_today_is_drift(inbox: Path) -> None:
    run(inbox, "in/good-frames.zip", "--out", "out", "--until", "source")
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
import importlib, json, os, pathlib, sys
import torch
sys.path.insert(0, "")
found = []
for folder in map(pathlib.Path, sys.argv[1:]):
    os.chdir(folder)
    importlib.invalidate_caches()
    (file,) = folder.glob("*_encoder.py")
    module = importlib.import_module(file.stem)
    names = [name for name in dir(module) if name.endswith("Encoder")]
    found.append({"names": names, "shape": list(getattr(module, names[0])()(torch.randn(2, 50000)).shape)})
print(json.dumps(found))
"""


def test_an_export_gives_each_submission_a_folder_and_a_class_of_its_own(inbox: Path) -> None:
    """X-ARES takes the only name of the module that ends in Encoder, and keeps scores by it."""
    without("AEC402-import-failure", inbox)
    without("AEC503-zero-frames", inbox)
    broken(inbox / "in" / "broken.zip")
    twin = zipped("good-frames", inbox / "in" / "twin.zip")
    with zipfile.ZipFile(twin, "a") as archive:
        archive.writestr("other.txt", "another submission with the same class")
    run(inbox, *zips(inbox), "--out", "out", "--until", "load")
    status, stdout, stderr = run(inbox, "export", "out", "--to-xares", "xares")
    assert status == 0
    assert "2 submissions in xares" in stdout, stderr
    folders = sorted((inbox / "xares").iterdir())
    done = subprocess.run([sys.executable, "-c", CALL, *folders], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert [len(one["names"]) for one in found] == [1, 1], "X-ARES refuses a module with two"
    assert len({one["names"][0] for one in found}) == 2
    assert [one["shape"] for one in found] == [[2, 312, 4]] * 2
    for folder in folders:
        assert os.access(folder / "run.sh", os.X_OK)
        subprocess.run(["sh", "-n", str(folder / "run.sh")], check=True)
    assert json.loads((folders[0] / "origin.json").read_text())["verdict"] == "ready"
    assert run(inbox, "export", "out", "--to-xares", "xares")[0] == 2


def test_task_by_task_gives_the_same_scores_as_the_whole(inbox: Path) -> None:
    for task in ("vocalsound", "cremad"):
        write_task(inbox / "data", task, 12)
    broken(inbox / "in" / "broken.zip")
    tasks = ("--data=data", "--no-cache", "--tasks=vocalsound,cremad", "--profile", changed_profile(inbox, **BRIEF))
    assert run(inbox, "in/good-frames.zip", "--out", "whole", *tasks)[0] == 0
    status, _, stderr = run(inbox, "in/good-frames.zip", "in/broken.zip", "--out", "parts", *tasks, "--by-task")
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
