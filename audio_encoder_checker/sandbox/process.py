"""A box made of a plain subprocess: the weak tier, for code that the user trusts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.run import Isolation
from audio_encoder_checker.sandbox.box import LINUX, child_command
from audio_encoder_checker.sandbox.gauge import FolderGauge
from audio_encoder_checker.sandbox.launch import Plan, launch

if TYPE_CHECKING:
    from audio_encoder_checker.sandbox.box import Job
    from audio_encoder_checker.sandbox.host import Machine

KEPT = (
    *("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"),
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
    policy = None

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def start(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the child in a session of its own; on Linux under a supervisor that ends orphans."""
        command = child_command(sys.executable, str(job.host_folder), job.module, job.channel)
        environment = _environment(job.scratch)
        if LINUX:
            plan = Plan(tuple(command), str(job.repository.resolve()), environment, lifeline=job.lifeline)
            return launch(plan, job)
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(job.channel,),
            env=environment,
            cwd=job.repository,
            start_new_session=True,
        )

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


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    cache = os.environ.get("HF_HOME") or str(Path.home() / ".cache" / "huggingface")
    return {
        **kept,
        "HF_HUB_CACHE": kept.get("HF_HUB_CACHE", str(Path(cache) / "hub")),
        "HOME": str(home),
        "TMPDIR": str(home),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
