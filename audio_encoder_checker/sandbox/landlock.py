"""A box made of Landlock and a system-call filter: the medium tier, for containers that refuse namespaces.

Setup, in order: a supervisor that adopts orphans and ends everything when the checker is gone; a user id of its
own when we are root and that user can reach what it needs, else no capabilities; Landlock leaves the system, the
interpreter and the repository to read and one folder to write; the filter refuses sockets of every family, other
processes' memory, acting on processes outside the box, and persistent shared memory, and answers changes of modes,
owners and times with a success that does nothing, because Landlock does not cover them.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.run import Isolation
from audio_encoder_checker.sandbox.box import SLACK, child_command
from audio_encoder_checker.sandbox.gauge import FolderGauge
from audio_encoder_checker.sandbox.host import (
    CPU_FACTS,
    OPEN_FILES,
    SETTINGS,
    SYSTEM,
    box_uid,
    neutral_environment,
    reachable,
)
from audio_encoder_checker.sandbox.launch import Plan, launch, nproc_limit
from audio_encoder_checker.sandbox.seccomp import Policy, static_program

if TYPE_CHECKING:
    import subprocess

    from audio_encoder_checker.sandbox.box import Job
    from audio_encoder_checker.sandbox.host import Machine

FACTS = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat")  # torch chooses its kernels by the first
RANDOM = ("/dev/urandom", "/dev/random", "/dev/zero", "/dev/full")
GPU_FACTS = ("/sys", "/proc/driver", "/proc/devices")
OLDEST_ABI = 3
"""Before Landlock ABI 3 (Linux 6.2) files outside could be truncated."""


class LandlockBox:
    """Starts children that have given up most rights for good.

    Args:
        machine: what else this machine lets a box do.
        abi: version of Landlock.
        drop_user: whether to stop being root where that user could reach all it needs.
    """

    tier = "medium"
    holds_orphans = False
    observes = False

    def __init__(self, machine: Machine, abi: int, *, drop_user: bool) -> None:
        self.machine = machine
        self.abi = abi
        self.drop_user = drop_user
        self.policy = Policy(
            others_refused=True,
            sockets_refused=True,
            ipc_refused=True,
            metadata_faked=True,
            memory_files_refused=not machine.counts_memory,
            watched=machine.watched,
        )
        self._dropped = os.geteuid() != 0

    def start(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the child under a supervisor."""
        uid = box_uid(job.repository) if self.drop_user and _all_reachable(job) else None
        self._dropped = uid is not None or os.geteuid() != 0
        if uid is not None:
            os.chown(job.scratch, uid, uid)
        plan = Plan(
            command=tuple(child_command(job.interpreter.python, str(job.host_folder), job.module, job.channel)),
            cwd=str(job.repository),
            env=neutral_environment(str(job.scratch), str(job.scratch)),
            rlimits={
                "RLIMIT_NPROC": nproc_limit(uid, job.limits.tasks),
                "RLIMIT_NOFILE": OPEN_FILES,
                "RLIMIT_FSIZE": round(job.limits.scratch_bytes * SLACK),
            },
            uid=uid,
            lifeline=job.lifeline,
            landlock={"read": _readable(job), "write": [str(job.scratch)], "device": _devices(gpu=job.gpu)},
            program=static_program(self.policy, platform.machine()),
        )
        return launch(plan, job)

    def repository_path(self, job: Job) -> str:
        """The repository where it lies."""
        return str(job.repository.resolve())

    def writable(self, job: Job) -> tuple[str, ...]:
        """One folder."""
        return (str(job.scratch),)

    def gauge(self, job: Job) -> FolderGauge:
        """The folder is walked."""
        return FolderGauge(job.scratch)

    def isolation(self) -> Isolation:
        """What is and what is not kept out."""
        return Isolation(
            tier=self.tier,
            mechanisms=(
                f"Landlock (ABI {self.abi})",
                "system-call filter, no sockets at all",
                "no capabilities",
                *(("a user of its own",) if self._dropped and os.geteuid() == 0 else ()),
                "read-only system and repository, one folder to write",
                "supervisor that ends orphans",
                "cleared environment",
            ),
            memory=self.machine.memory,
            network="denied",
            unprotected=(
                "names, sizes and times of the host's files (their contents are shut)",
                *(() if self._dropped else ("the encoder runs as root without capabilities",)),
                *(() if self.abi >= 6 or self.machine.watched else ("signals to other processes of the same user",)),
                "bugs of the kernel",
                "bugs of the GPU driver, when a GPU is passed through",
                "a short overrun of the temporary folder's limit between two looks",
                *self.machine.gaps,
            ),
        )


def _all_reachable(job: Job) -> bool:
    python = job.interpreter
    paths = [Path(python.python), *map(Path, python.paths), job.host_folder, job.repository]
    return reachable(job.scratch.parent.parent) and all(reachable(path) for path in paths)


def _readable(job: Job) -> list[str]:
    own = [str(job.host_folder.resolve()), str(job.repository.resolve())]
    return [
        *SYSTEM,
        *SETTINGS,
        CPU_FACTS,
        *FACTS,
        *RANDOM,
        *(GPU_FACTS if job.gpu else ()),
        *job.interpreter.paths,
        *own,
    ]


def _devices(*, gpu: bool) -> list[str]:
    found = [*Path("/dev").glob("nvidia*"), *Path("/dev/nvidia-caps").glob("*")] if gpu else []
    return ["/dev/null", *(str(path) for path in sorted(found) if not path.is_dir())]
