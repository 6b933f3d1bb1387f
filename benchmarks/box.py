"""What each box adds to starting a child: seconds from start to its first word.

Two children: one that says a word as soon as Python runs, and the real one, which imports torch first. Runs alternate
between a plain interpreter and the boxes, so that load of the machine hits all alike. Targets: a box adds less than
60 ms to the first, less than 0.2 s to the second.
"""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.child import wire
from audio_encoder_checker.sandbox.ask import Session
from audio_encoder_checker.sandbox.box import Box, Limits, child_command
from audio_encoder_checker.sandbox.choose import survey
from audio_encoder_checker.sandbox.running import CHILD, Running

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK_RUNS, RUNS = 25, 9
LIMITS = Limits(
    memory_bytes=8 << 30,
    tasks=256,
    cpu_s=600,
    output_bytes=1 << 20,
    scratch_bytes=1 << 26,
    scratch_files=1000,
    home_bytes=1 << 30,
    home_files=1000,
    answer_bytes=1 << 24,
)
GREETER = """
import socket, sys
from . import guard, wire
def main():
    channel = socket.socket(fileno=int(sys.argv[1]))
    _, program = wire.receive(channel, 1 << 16)
    if program:
        guard.hand_over(channel, guard.install(bytes(program)))
    wire.send(channel, {"hello": 1})
"""


def greeter(folder: Path) -> Path:
    """A child's package that greets and does no more."""
    package = folder / "greeter"
    package.mkdir()
    for name in ("__init__.py", "wire.py", "guard.py"):
        shutil.copy(CHILD / name, package)
    (package / "__main__.py").write_text(GREETER, encoding="utf-8")
    return package


def plain_greeting(package: Path) -> float:
    """The greeter in a plain interpreter."""
    near, far = socket.socketpair()
    start = time.perf_counter()
    command = child_command(sys.executable, str(package.parent), package.name, far.fileno())
    with subprocess.Popen(command, pass_fds=(far.fileno(),)):
        wire.send(near, {})
        wire.receive(near, 0)
        return time.perf_counter() - start


def boxed_greeting(box: Box, package: Path) -> float:
    """The greeter in a box, all that surrounds it included."""
    with tempfile.TemporaryDirectory() as folder:
        repository, workspace = _folders(folder)
        start = time.perf_counter()
        running = Running(box, repository, workspace, LIMITS, gpu=False, package=package)
        try:
            running.begin()
            wire.receive(running.channel, 0, deadline=time.monotonic() + 60)
            return time.perf_counter() - start
        finally:
            running.close()


def plain_torch() -> float:
    """From the start of a plain interpreter to the end of `import torch`."""
    start = time.perf_counter()
    code = "import torch, numpy; print('here', flush=True); import os; os._exit(0)"
    with subprocess.Popen([sys.executable, "-I", "-B", "-c", code], stdout=subprocess.PIPE) as process:
        if process.stdout is None or process.stdout.readline() != b"here\n":
            raise RuntimeError("torch cannot be imported")
        return time.perf_counter() - start


def boxed_torch(box: Box) -> float:
    """From start to greeting of the real child in a box."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with Session(box, *_folders(folder), LIMITS) as session:
            session.greeting(120)
            return time.perf_counter() - start


def _folders(folder: str) -> tuple[Path, Path]:
    Path(folder).chmod(0o711)  # a user of the box's own passes through
    repository, workspace = Path(folder, "repository"), Path(folder, "workspace")
    repository.mkdir()
    workspace.mkdir(mode=0o711)
    return repository, workspace


def compare(title: str, runs: int, plain: Callable[[], float], boxed: Callable[[Box], float]) -> None:
    """Print median and minimum of plain runs and of each box, and what the box adds."""
    boxes = {one.tier: one.box for one in survey() if one.box}
    times: dict[str, list[float]] = {name: [] for name in ("plain", *boxes)}
    for _ in range(runs):
        times["plain"].append(plain())
        for name, box in boxes.items():
            times[name].append(boxed(box))
    base = {"median": statistics.median(times["plain"]), "min": min(times["plain"])}
    print(title)
    for name, values in times.items():
        median, least = statistics.median(values) * 1000, min(values) * 1000
        added = f"added {median - base['median'] * 1000:+.0f} / {least - base['min'] * 1000:+.0f} ms"
        print(f"  {name:<7} median {median:.0f} ms   min {least:.0f} ms   {added if name != 'plain' else ''}")


def main() -> None:
    """Both comparisons."""
    with tempfile.TemporaryDirectory() as folder:
        package = greeter(Path(folder))
        compare(
            f"a child that greets, {QUICK_RUNS} runs",
            QUICK_RUNS,
            lambda: plain_greeting(package),
            lambda box: boxed_greeting(box, package),
        )
    compare(f"a child that imports torch, {RUNS} runs", RUNS, plain_torch, boxed_torch)


if __name__ == "__main__":
    main()
