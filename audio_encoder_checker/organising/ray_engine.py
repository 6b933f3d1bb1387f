"""The engine of a Ray cluster: it places jobs by cores, memory and `vram_gb`, and tells which worker was lost.

The ZIP and the folder of results have to be reachable under the same path on every node. Ray carries paths and exit
statuses, never data.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.organising.jobs import Ended
from audio_encoder_checker.organising.worker import judge

if TYPE_CHECKING:
    from audio_encoder_checker.organising.jobs import Job

INSTALL = 'pip install "audio-encoder-checker[ray]"'
NEEDED_GB = "vram_gb"
CONNECT_S = 5.0


class RayEngine:
    """Jobs as Ray tasks; one that loses its worker is given back and not repeated by Ray.

    Args:
        address: of the cluster, `auto` for the one that this machine belongs to; None for a new one of this machine.
        vram_gb: of this machine's GPUs together, for a new one; the nodes of a cluster tell theirs.

    Raises:
        UsageError: Ray is not installed.
        MachineError: there is no cluster at that address.
    """

    def __init__(self, address: str | None, *, vram_gb: float = 0.0) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_TQDM_PATCH_PRINT", "0")  # `print` stays Python's own
        try:
            import ray
        except ImportError:
            raise UsageError("the engine `ray` is not installed", INSTALL) from None
        self._ray = ray
        start = "`ray start --head` on one machine, `ray start --address=HOST:6379` on the others"
        if address and ":" in address and not _answers(address):
            raise MachineError(f"nobody answers at {address!r}", start)
        resources = {NEEDED_GB: vram_gb} if vram_gb and not address else None
        handler = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(address=address, resources=resources, log_to_driver=False, configure_logging=False)
            signal.signal(signal.SIGTERM, handler)  # Ray puts one of its own in its place
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise MachineError(f"there is no Ray cluster at {address!r}: {error}", start) from None
        self._jobs: dict[Any, Job] = {}
        self._run = ray.remote(max_retries=0)(_judge)

    def submit(self, job: Job) -> None:
        """Have a job done on a node that has room for it."""
        needs = job.needs
        resources = {NEEDED_GB: needs.vram_gb} if needs.vram_gb else {}
        gpus = 1 if needs.vram_gb else 0
        task = self._run.options(
            num_cpus=needs.cores, memory=needs.ram_bytes, num_gpus=gpus, resources=resources, name=job.sha256[:12]
        )
        self._jobs[task.remote(job)] = job

    def next(self, timeout_s: float) -> Ended | None:
        """The next job that ended, waited for so long; None if none did."""
        if not self._jobs:  # all that is left waits for its next attempt
            time.sleep(timeout_s)
            return None
        ready, _ = self._ray.wait(list(self._jobs), num_returns=1, timeout=timeout_s)
        if not ready:
            return None
        job = self._jobs.pop(ready[0])
        try:
            ended: Ended = self._ray.get(ready[0])
        except self._ray.exceptions.RayError as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            return Ended(job, None, 0.0, "ray", f"the worker was lost: {said[0]}")
        return ended

    def close(self) -> None:
        """Cancel everything, and leave the cluster."""
        if self._ray.is_initialized():
            for task in self._jobs:
                self._ray.cancel(task, force=True)
            self._ray.shutdown()


def _answers(address: str) -> bool:
    """Whether anybody listens there: Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=CONNECT_S):
            return True
    except (OSError, ValueError):
        return False


def _judge(job: Job) -> Ended:
    """On a node: the cores that Ray counts there are not pinned, as nobody tells which ones they are."""
    Path(job.folder).mkdir(parents=True, exist_ok=True)
    return judge(job)
