"""What a check costs that runs nothing: `aecc-check ZIP --until source`.

Run it as `python benchmarks/static.py [--gigabytes N]`. Two ZIPs are made: one of 2 MB, a repository with weights, and
one of stored weights of N GB (2), which is compared with `python -m zipfile -t` on the same file. Each figure is the
median of several runs, after one that is not counted. Targets: 0.6 s of CPU; 1.3 times, with constant memory.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors.numpy

EXAMPLE = Path(__file__).parent.parent / "example_submission"
RUNS = 5
CHECK = "from audio_encoder_checker.cli.check import main; main()"


class Cost(NamedTuple):
    """Of one command: seconds by the clock and of the CPU, and the most memory in MiB."""

    wall: float
    cpu: float
    memory: float


def cost(*command: str) -> Cost:
    """Run a command that has to succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def typical(*command: str) -> Cost:
    """The median of some runs, figure by figure."""
    cost(*command)
    runs = [cost(*command) for _ in range(RUNS)]
    return Cost(*(statistics.median(figures) for figures in zip(*runs, strict=True)))


def repository(folder: Path, target: Path, numbers: int) -> None:
    """A ZIP of the example with weights of so many random numbers, stored."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    block = np.random.default_rng(0).standard_normal(min(numbers, 1 << 26)).astype("float32")
    tensors = {f"layer{at}": block[: numbers - at] for at in range(0, numbers, len(block))}
    safetensors.numpy.save_file(tensors, folder / "weights.safetensors")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)


def make(folder: str, target: Path, numbers: int) -> None:
    """The same in a process of its own, whose memory is not counted as the commands'."""
    process = get_context("spawn").Process(target=repository, args=(Path(folder, "repository"), target, numbers))
    process.start()
    process.join()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = (Path(folder, f"{name}.zip") for name in ("small", "large"))
        make(folder, small, 500_000)
        ours = typical(sys.executable, "-c", CHECK, str(small), "--until", "source", "-q")
        print(f"{small.stat().st_size / 1e6:.1f} MB: {ours.cpu:.2f} s of CPU, {ours.wall:.2f} s, {ours.memory:.0f} MiB")
        make(folder, large, int(options.gigabytes * 1e9) // 4)
        theirs = typical(sys.executable, "-m", "zipfile", "-t", str(large))
        ours = typical(sys.executable, "-c", CHECK, str(large), "--until", "source", "-q")
        print(f"{large.stat().st_size / 1e9:.1f} GB: python -m zipfile -t {theirs.wall:.2f} s, {theirs.memory:.0f} MiB")
        print(f"  aecc-check {ours.wall:.2f} s ({ours.wall / theirs.wall:.2f} times), {ours.memory:.0f} MiB")


if __name__ == "__main__":
    main()
