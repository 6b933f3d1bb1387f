"""The engine of a Slurm cluster: a Slurm job for each submission, by way of submitit.

The ZIP, the folder of results and this Python have to be reachable under the same paths on every node.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.organising.jobs import Ended
from audio_encoder_checker.organising.worker import judge

if TYPE_CHECKING:
    from audio_encoder_checker.organising.jobs import Job

INSTALL = 'pip install "audio-encoder-checker[slurm]"'
POLL_S = 2.0
MINUTES = 24 * 60


class SlurmEngine:
    """Jobs by `sbatch`; Slurm decides how many run at once.

    Args:
        cluster: `slurm`, or `local` to try without one.

    Raises:
        UsageError: submitit is not installed.
        MachineError: there is no Slurm here.
    """

    def __init__(self, cluster: str = "slurm") -> None:
        try:
            import submitit
        except ImportError:
            raise UsageError("the engine `slurm` is not installed", INSTALL) from None
        self._submitit = submitit
        self._cluster = cluster
        self._jobs: list[tuple[Any, Job, float]] = []
        if cluster == "slurm" and submitit.SlurmExecutor.affinity() < 0:
            raise MachineError("there is no Slurm here: `srun` is not found", "call it on a login node of the cluster")

    def submit(self, job: Job) -> None:
        """Hand a job to Slurm."""
        executor = self._submitit.AutoExecutor(folder=str(job.folder / "slurm"), cluster=self._cluster)
        executor.update_parameters(
            name=f"aecc-{job.sha256[:8]}", cpus_per_task=job.needs.cores, mem_gb=job.needs.ram_bytes / 2**30,
            gpus_per_node=1 if job.needs.vram_gb else 0, timeout_min=MINUTES,
        )  # fmt: skip
        self._jobs.append((executor.submit(judge, job), job, time.monotonic()))

    def next(self, timeout_s: float) -> Ended | None:
        """The next job that ended, waited for so long; None if none did."""
        end = time.monotonic() + timeout_s
        while True:
            for entry in self._jobs:
                if entry[0].done():
                    self._jobs.remove(entry)
                    return self._ended(*entry)
            if time.monotonic() >= end:
                return None
            time.sleep(min(POLL_S, max(end - time.monotonic(), 0.01)))

    def close(self) -> None:
        """Cancel everything."""
        for task, _, _ in self._jobs:
            task.cancel()
        self._jobs.clear()

    def _ended(self, task: Any, job: Job, begun: float) -> Ended:
        try:
            ended: Ended = task.result()
        except Exception as error:  # noqa: BLE001 - submitit raises whatever the node did: the job was lost either way
            said = str(error).strip().splitlines() or [type(error).__name__]
            return Ended(
                job, None, time.monotonic() - begun, f"slurm job {task.job_id}", f"the job was lost: {said[0]}"
            )
        return ended
