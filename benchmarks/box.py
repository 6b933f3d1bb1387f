"""What each box adds to starting the child, which imports torch: seconds from start to its greeting.

Runs alternate between a plain interpreter and the boxes, so that load of the machine hits all alike. Target:
the strong box adds less than 0.2 s.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from audio_encoder_checker.sandbox.ask import Session
from audio_encoder_checker.sandbox.box import Box, Limits
from audio_encoder_checker.sandbox.choose import survey

RUNS = 9
LIMITS = Limits(
    memory_bytes=8 << 30,
    tasks=256,
    cpu_s=600,
    output_bytes=1 << 20,
    scratch_bytes=1 << 26,
    scratch_files=1000,
    answer_bytes=1 << 24,
)


def plain() -> float:
    """From the start of a plain interpreter to the end of `import torch`."""
    start = time.perf_counter()
    code = "import torch, numpy; print('here', flush=True); import os; os._exit(0)"
    with subprocess.Popen([sys.executable, "-I", "-B", "-c", code], stdout=subprocess.PIPE) as process:
        if process.stdout is None or process.stdout.readline() != b"here\n":
            raise RuntimeError("torch cannot be imported")
        return time.perf_counter() - start


def boxed(box: Box) -> float:
    """From start to greeting in a box."""
    with tempfile.TemporaryDirectory() as folder:
        repository, workspace = Path(folder, "repository"), Path(folder, "workspace")
        repository.mkdir()
        workspace.mkdir()
        start = time.perf_counter()
        with Session(box, repository, workspace, LIMITS) as session:
            session.greeting(120)
            return time.perf_counter() - start


def main() -> None:
    """Print median and minimum per box."""
    boxes = {one.tier: one.box for one in survey() if one.box}
    print(f"tiers that work here: {', '.join(boxes)}")
    times: dict[str, list[float]] = {name: [] for name in ("plain", *boxes)}
    for _ in range(RUNS):
        times["plain"].append(plain())
        for name, box in boxes.items():
            times[name].append(boxed(box))
    base = min(times["plain"])
    for name, values in times.items():
        added = min(values) - base
        print(f"{name:<7} median {statistics.median(values):.2f} s   min {min(values):.2f} s   added {added:+.3f} s")


if __name__ == "__main__":
    main()
