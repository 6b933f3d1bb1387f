"""How far memory grows past the limit before the tree is killed: by control group, and polled where there is none.

An encoder takes memory as fast as it can, in one process and in four. What it held at most is read from outside every
millisecond; pages that forks still share count for each of them, so compare four processes with four. Target: polling
lets no more than 256 MiB through that a control group would not.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import psutil

from audio_encoder_checker.sandbox import choose, running
from audio_encoder_checker.sandbox.ask import Session
from audio_encoder_checker.sandbox.box import Box, Limits

if TYPE_CHECKING:
    from audio_encoder_checker.sandbox.cgroup import Cgroup

LIMIT_BYTES = 1 << 30
LIMITS = Limits(
    memory_bytes=LIMIT_BYTES,
    tasks=256,
    cpu_s=600,
    output_bytes=1 << 20,
    scratch_bytes=1 << 26,
    scratch_files=1000,
    home_bytes=1 << 30,
    home_files=1000,
    answer_bytes=1 << 24,
)
HOARD = """
import os
class HoardingEncoder:
    def __init__(self):
        for _ in range({forks}):
            os.fork()
        held = []
        while True:
            held.append(b"x" * (16 << 20))
"""
QUESTION = {
    "ask": "load",
    "module": "encoder",
    "class": "",
    "suffix": "Encoder",
    "device": "cpu",
    "threads": 1,
    "answer_bytes": 1 << 20,
}


class Observer(threading.Thread):
    """Sums resident bytes, less what is shared with files, of a tree every millisecond."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root = psutil.Process(pid)
        self.peak = 0
        self.done = False

    def run(self) -> None:
        """Look until told to stop."""
        while not self.done:
            total = 0
            with contextlib.suppress(psutil.Error):
                for process in (self.root, *self.root.children(recursive=True)):
                    with contextlib.suppress(psutil.Error):
                        info = process.memory_info()
                        total += info.rss - info.shared
            self.peak = max(self.peak, total)
            time.sleep(0.001)


def hoarded(box: Box, forks: int) -> tuple[str, int]:
    """How the encoder ended, and the most it held."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        repository, workspace = Path(folder, "repository"), Path(folder, "workspace")
        repository.mkdir()
        workspace.mkdir(mode=0o711)
        (repository / "encoder.py").write_text(HOARD.format(forks=forks), encoding="utf-8")
        with Session(box, repository, workspace, LIMITS) as session:
            session.greeting(120)
            observer = Observer(session._child.process.pid)  # noqa: SLF001 - to look at it from outside
            observer.start()
            answer = session.ask({**QUESTION, "root": session.repository_path}, timeout_s=60)
            observer.done = True
            observer.join()
        return answer.outcome.ending.value, observer.peak


def no_cgroup(_memory: int, _tasks: int) -> tuple[Cgroup | None, str]:
    """As on a machine where none can be made."""
    return None, "left out"


def main() -> None:
    """Both ways, in both confined boxes."""
    compare()
    choose._machine.cache_clear()  # noqa: SLF001 - what this machine can do is another now
    choose._surveyed.cache_clear()  # noqa: SLF001 - same
    with mock.patch.object(running, "make_cgroup", no_cgroup), mock.patch.object(choose, "make_cgroup", no_cgroup):
        compare()


def compare() -> None:
    """One line for each confined box and number of processes."""
    for one in choose.survey()[:2]:
        if one.box is None or one.isolation is None:
            continue
        for forks in (0, 2):
            ending, peak = hoarded(one.box, forks)
            over = (peak - LIMIT_BYTES) / 2**20
            print(f"{one.tier:<7} {one.isolation.memory:<56} {2**forks} process(es): {ending}, {over:+.0f} MiB")


if __name__ == "__main__":
    main()
