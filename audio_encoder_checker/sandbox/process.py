"""A box made of a plain subprocess: the weak tier, for code that the user trusts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from audio_encoder_checker.evidence.run import Isolation
from audio_encoder_checker.sandbox.box import Job, child_command

KEPT = (
    *("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("HF_HUB_CACHE", "HF_HUB_OFFLINE"),
)
"""Variables the child keeps: how to reach programs, the GPU and the network. No token is among them."""


class ProcessBox:
    """Starts children as ordinary processes with a scrubbed environment and a temporary home."""

    holds_orphans = False

    def __init__(self, why_not_stronger: str) -> None:
        self.why_not_stronger = why_not_stronger

    def start(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the child in a session of its own."""
        command = child_command(sys.executable, str(job.host_folder), job.module, job.channel)
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(job.channel,),
            env=_environment(job.scratch),
            cwd=job.repository,
            start_new_session=True,
        )

    def repository_path(self, job: Job) -> str:
        """The repository where it lies."""
        return str(job.repository.resolve())

    def isolation(self) -> Isolation:
        """Honest words about how little this is."""
        return Isolation(
            tier="weak",
            mechanisms=("plain process in its own session", "scrubbed environment", "temporary home"),
            memory="polled every 50 ms, tree killed at the limit",
            network="host",
            unprotected=(
                "everything the user may read, write or send: the encoder runs with the user's rights",
                "processes that detach and hide",
            ),
            why_not_stronger=self.why_not_stronger,
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
