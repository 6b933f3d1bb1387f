"""The engine of one machine: threads that wait for processes, each with cores, and a GPU, of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.organising.jobs import Ended
from audio_encoder_checker.organising.worker import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audio_encoder_checker.organising.jobs import Job

GRACE_S = 20.0
"""So long a checker may take to clear up."""


class Slot(NamedTuple):
    """What one job at a time has to itself."""

    cores: tuple[int, ...]
    gpu: str | None


def make_slots(count: int, gpus: Sequence[str] | None) -> list[Slot]:
    """Divide this machine's cores, and GPUs, into slots.

    Args:
        count: of slots; where there are fewer cores, some share one.
        gpus: as CUDA names them, one for each slot or several slots; None to hide nothing.
    """
    known = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    slots = []
    for number in range(count):
        own = tuple(known[number::count]) or (known[number % len(known)],)
        slots.append(Slot(own, gpus[number % len(gpus)] if gpus else None))
    return slots


class LocalEngine:
    """Runs as many jobs at once as it has slots."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._ended: SimpleQueue[Ended] = SimpleQueue()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._threads = [threading.Thread(target=self._work, args=(slot,), daemon=True) for slot in slots]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> None:
        """Have a job done as soon as a slot is free."""
        self._jobs.put(job)

    def next(self, timeout_s: float) -> Ended | None:
        """The next job that ended, waited for so long; None if none did."""
        with contextlib.suppress(Empty):
            return self._ended.get(timeout=timeout_s)
        return None

    def close(self) -> None:
        """End everything that runs, first kindly; what waits is not begun."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.terminate()
        for _ in self._threads:
            self._jobs.put(None)
        for process in running:
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def _work(self, slot: Slot) -> None:
        while (job := self._jobs.get()) is not None:
            if self._closed:
                return
            own: list[subprocess.Popen[bytes]] = []
            try:
                ended = judge(job, cores=slot.cores, gpu=slot.gpu, started=lambda one: self._started(one, own))  # noqa: B023 - called before the loop goes on
            except OSError as error:
                ended = Ended(job, None, 0.0, "here", f"the checker does not start: {error}")
            with self._lock:
                self._running.difference_update(own)
            self._ended.put(ended)

    def _started(self, process: subprocess.Popen[bytes], own: list[subprocess.Popen[bytes]]) -> None:
        own.append(process)
        with self._lock:
            self._running.add(process)
            if self._closed:
                process.terminate()
