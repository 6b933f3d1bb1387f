"""Many submissions: what the one who places them costs for each, and how throughput grows with the cores.

    python benchmarks/organising.py [COUNT]     # of submissions, 500 by default

Submissions are generated; each differs in a line of its README, so that none is judged twice. Throughput is measured
with what runs nothing (`--until source`), so that the checker's own start weighs most: an upper bound of what
is lost on the way.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from audio_encoder_checker.organising.batch import Batch
from audio_encoder_checker.organising.board import write_board, write_letters
from audio_encoder_checker.organising.inbox import take_in
from audio_encoder_checker.organising.jobs import Ended, Job, Needs
from audio_encoder_checker.organising.kinship import contents_of, find_kin
from audio_encoder_checker.organising.local import LocalEngine, make_slots
from audio_encoder_checker.organising.records import Setting, read_own_report
from audio_encoder_checker.organising.results import Results
from audio_encoder_checker.organising.worker import REPORT, judge

if TYPE_CHECKING:
    import subprocess

ENCODER = """import torch


class SyntheticEncoder(torch.nn.Module):
    sampling_rate, output_dim, hop_size_in_ms = 16000, 64, 20

    def __init__(self):
        super().__init__()
        self.project = torch.nn.Linear(320, 64)

    def forward(self, audio):
        frames = audio.shape[1] // 320
        return self.project(audio[:, : frames * 320].reshape(len(audio), frames, 320))
"""
OPTIONS = ("--until=source",)
NEEDS = Needs(1, 1 << 30)
CHECK_SECONDS = 60.0


def generate(folder: Path, count: int) -> list[Path]:
    """So many ZIPs of a synthetic encoder."""
    paths = []
    for number in range(count):
        path = folder / f"team{number:04}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("encoder.py", ENCODER)
            archive.writestr("requirements.txt", "torch\n")
            archive.writestr("README.md", f"The submission of team {number}.\n")
        paths.append(path)
    return paths


class Instant:
    """An engine that has every result at hand: what is left is the work of whoever places them."""

    def __init__(self, ready: Path) -> None:
        self.ready = ready
        self.sha256 = read_own_report(ready)["submission"]["sha256"]  # type: ignore[index]  # it was written before
        self.waiting: list[Job] = []

    def submit(self, job: Job) -> None:
        """Take a job."""
        self.waiting.append(job)

    def next(self, timeout_s: float) -> Ended | None:
        """End it."""
        if not self.waiting:
            time.sleep(min(timeout_s, 0.001))
            return None
        job = self.waiting.pop()
        shutil.copytree(self.ready, job.folder, dirs_exist_ok=True)
        text = (self.ready / REPORT).read_text(encoding="utf-8")
        (job.folder / REPORT).write_text(text.replace(self.sha256, job.sha256), encoding="utf-8")
        return Ended(job, 0, 0.0, "here")

    def close(self) -> None:
        """Nothing runs."""


def run(paths: list[Path], out: Path, engine: Instant | LocalEngine) -> float:
    """Judge all, with records, messages and board, and tell the seconds."""
    begun = time.perf_counter()
    known = take_in(paths)
    contents = {one.sha256: contents_of(one.files[0]) for one in known.values()}
    with Results(out) as results:
        setting = Setting("icme-2025", OPTIONS).as_data()
        told = partial(write_letters, results)
        batch = Batch(results, engine, setting=setting, options=OPTIONS, needs=NEEDS, told=told)
        batch.add(known.values())
        while batch.underway:
            batch.step(1.0)
        write_board(results, list(batch.records.values()), find_kin(contents))
    engine.close()
    return time.perf_counter() - begun


def peak_of_a_check(job: Job) -> tuple[float, float]:
    """Judge one submission up to the contract: seconds, and the most memory of all its processes together, in MiB."""
    peak = 0.0
    done = threading.Event()

    def watch(pid: int) -> None:
        nonlocal peak
        while not done.wait(0.05):
            with contextlib.suppress(psutil.Error):
                root = psutil.Process(pid)
                family = [root, *root.children(recursive=True)]
                peak = max(peak, sum(one.memory_full_info().pss for one in family) / 2**20)

    threads: list[threading.Thread] = []

    def started(process: subprocess.Popen[bytes]) -> None:
        threads.append(threading.Thread(target=watch, args=(process.pid,)))
        threads[0].start()

    seconds = judge(job, started=started).seconds
    done.set()
    threads[0].join()
    return seconds, peak


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if sys.argv[1:] else 500
    with tempfile.TemporaryDirectory(prefix="organising-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "ready").mkdir()
        paths = generate(folder / "in", count)
        seconds, peak = peak_of_a_check(Job("0" * 64, paths[0], folder / "ready", ("--until=contract",), NEEDS))
        print(f"one check that calls the encoder: {seconds:.1f} s, {peak:.0f} MiB at its peak, all processes together")
        alone = min(judge(Job("0" * 64, paths[0], folder / "ready", OPTIONS, NEEDS)).seconds for _ in range(3))
        print(f"one check alone: {alone:.2f} s")
        seconds = run(paths, folder / "instant", Instant(folder / "ready"))
        each = seconds / count
        print(f"placing {count}, results at hand: {seconds:.1f} s, {each * 1000:.1f} ms each", end="")
        print(f" ({each / CHECK_SECONDS:.2%} of a check of {CHECK_SECONDS:.0f} s)")
        print(f"memory of the one who places them: {psutil.Process().memory_info().rss / 2**20:.0f} MiB")
        cores = len(os.sched_getaffinity(0))
        for slots in sorted({1, cores}):
            some = paths if slots == cores else paths[: max(count // 4, 1)]
            seconds = run(some, folder / f"out{slots}", LocalEngine(make_slots(slots, None)))
            rate, ideal = len(some) / seconds, slots / alone
            told = f"{len(some)} in {seconds:.1f} s, {rate:.2f} a second"
            print(f"{slots} at once: {told}, {rate / ideal:.0%} of {slots} alone")


if __name__ == "__main__":
    main()
