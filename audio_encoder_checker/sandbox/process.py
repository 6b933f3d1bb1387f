"""A box made of a plain subprocess: the weak tier, for code that the user trusts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.run import Isolation
from audio_encoder_checker.sandbox.box import LINUX, child_command
from audio_encoder_checker.sandbox.gauge import FolderGauge
from audio_encoder_checker.sandbox.host import OPEN_FILES, PASSIVE, home
from audio_encoder_checker.sandbox.launch import Plan, launch, nproc_limit

if TYPE_CHECKING:
    from audio_encoder_checker.sandbox.box import Job
    from audio_encoder_checker.sandbox.host import Machine

KEPT = (
    *("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "SYSTEMROOT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("HF_HUB_CACHE", "HF_HUB_OFFLINE"),
)
"""Variables the child keeps: how to reach programs, the GPU and the network. No token is among them."""


class ProcessBox:
    """Starts children as ordinary processes with a scrubbed environment and a temporary home.

    Args:
        machine: what this machine lets every box do.
    """

    tier = "weak"
    holds_orphans = False
    observes = False
    policy = None

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def start(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the child in a session of its own; on Linux under a supervisor that ends orphans."""
        command = child_command(job.interpreter.python, str(job.host_folder), job.module, job.channel)
        environment = _environment(job.scratch)
        if not LINUX:
            return _start_elsewhere(command, environment, job)
        plan = Plan(
            command=tuple(command),
            cwd=str(job.repository.resolve()),
            env=environment,
            rlimits={"RLIMIT_NPROC": nproc_limit(None, job.limits.tasks), "RLIMIT_NOFILE": OPEN_FILES},
            lifeline=job.lifeline,
        )
        return launch(plan, job)

    def repository_path(self, job: Job) -> str:
        """The repository where it lies."""
        return str(job.repository.resolve())

    def writable(self, _job: Job) -> tuple[str, ...]:
        """Everywhere that the user may."""
        return ("/",)

    def gauge(self, job: Job) -> FolderGauge:
        """The temporary home is walked."""
        return FolderGauge(job.scratch)

    def isolation(self) -> Isolation:
        """Honest words about how little this is."""
        return Isolation(
            tier=self.tier,
            mechanisms=("plain process in its own session", "scrubbed environment", "temporary home"),
            memory=self.machine.memory,
            network="host",
            unprotected=(
                "everything the user may read, write or send: the encoder runs with the user's rights",
                "processes that detach and hide",
                *self.machine.gaps,
            ),
        )


def _start_elsewhere(command: list[str], environment: dict[str, str], job: Job) -> subprocess.Popen[bytes]:
    """On macOS and Windows, without a launcher: it speaks Linux only."""
    system: dict[str, Any]
    if sys.platform == "win32":  # handles are inherited by being named (docs.python.org, subprocess.STARTUPINFO)
        os.set_handle_inheritable(job.channel, True)
        system = {
            "startupinfo": subprocess.STARTUPINFO(lpAttributeList={"handle_list": [job.channel]}),
            "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP,
        }
    else:
        system = {"pass_fds": (job.channel,), "start_new_session": True, "preexec_fn": _limit}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=job.repository,
        **system,
    )


def _limit() -> None:
    """What a system without a launcher can limit by itself: no core dumps, no more open files than elsewhere."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    cache = os.environ.get("HF_HOME") or str(home() / ".cache" / "huggingface")
    return {
        **kept,
        "HF_HUB_CACHE": kept.get("HF_HUB_CACHE", str(Path(cache) / "hub")),
        **dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(folder)),
        **PASSIVE,
    }
