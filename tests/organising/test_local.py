"""The engine of one machine, with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from audio_encoder_checker.organising.local import LocalEngine, Slot, make_slots
from tests.organising.specimens import ended, job, zipped

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.box
STATIC = "--until=source"


def running(engine: LocalEngine) -> psutil.Process:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if engine._running:
            return psutil.Process(next(iter(engine._running)).pid)
        time.sleep(0.01)
    raise AssertionError("nothing started")


def test_reports_and_log_lie_in_the_jobs_folder(tmp_path: Path) -> None:
    engine = LocalEngine(make_slots(1, None))
    engine.submit(job(tmp_path, "good-frames", STATIC))
    found = ended(engine)
    engine.close()
    assert (found.status, found.lost) == (0, "")
    work = found.job.folder
    assert {path.name for path in work.iterdir()} == {"report.json", "report.html", "report.txt", "log.txt"}
    report = json.loads((work / "report.json").read_text())
    assert report["submission"]["sha256"] == found.job.sha256
    assert "READY" in (work / "report.txt").read_text()


def test_a_checker_that_is_killed_is_told_and_its_neighbour_goes_on(tmp_path: Path) -> None:
    engine = LocalEngine(make_slots(1, None))
    engine.submit(job(tmp_path, "AEC508-endless-forward", "--trust", "--until=contract"))
    victim = running(engine)
    victim.kill()
    assert ended(engine).lost == "the checker was ended by signal 9"
    engine.submit(job(tmp_path, "good-frames", STATIC))
    assert ended(engine).status == 0
    engine.close()


def test_a_slot_keeps_to_its_cores(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    engine = LocalEngine([Slot((core,), "7")])
    engine.submit(job(tmp_path, "AEC508-endless-forward", "--trust", "--until=contract"))
    process = running(engine)
    begun = time.monotonic()
    while process.cpu_affinity() != [core] and time.monotonic() - begun < 20:
        time.sleep(0.01)
    assert process.cpu_affinity() == [core]
    assert process.environ()["CUDA_VISIBLE_DEVICES"] == "7"
    engine.close()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_closing_ends_what_runs_and_begins_nothing(tmp_path: Path) -> None:
    engine = LocalEngine(make_slots(1, None))
    engine.submit(job(tmp_path, "AEC508-endless-forward", "--trust", "--until=contract"))
    engine.submit(job(tmp_path, "good-frames", STATIC))
    process = running(engine)
    begun = time.monotonic()
    engine.close()
    assert time.monotonic() - begun < 20
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert list((tmp_path / "work-good-frames").iterdir()) == []


def test_a_checker_ends_with_whoever_started_it(tmp_path: Path) -> None:
    zipped("AEC508-endless-forward", tmp_path / "team.zip")
    (tmp_path / "work").mkdir()
    code = (
        "from pathlib import Path\n"
        "from audio_encoder_checker.organising.jobs import Job, Needs\n"
        "from audio_encoder_checker.organising.worker import judge\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "judge(Job('0' * 64, folder / 'team.zip', folder / 'work', ('--trust', '--until=contract'), Needs(1, 1)),\n"
        "      started=lambda process: print(process.pid, flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        checker = psutil.Process(int(parent.stdout.readline()))
        while not checker.children():  # the box
            assert checker.is_running()
            time.sleep(0.02)
        parent.send_signal(signal.SIGKILL)
    checker.wait(20)
    assert not checker.is_running()
