"""Kill the checker at random moments and see what it leaves: `python tools/kill_storm.py [ROUNDS] [BOX] [SECONDS]`.

Every round starts `aecc-check` on an encoder that leaves daemons behind, kills it after a random time of at most
SECONDS (4 by default; a whole run takes some 15), and looks for processes. At the end one more start has to sweep all
temporary folders and control groups away.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from audio_encoder_checker.sandbox.meter import adopt_orphans, is_alive

MARK = f"aecc-storm-{os.getpid()}"
PATIENCE_SECONDS = 5.0
ENCODER = f"""
import os, subprocess, time, torch
class StormEncoder(torch.nn.Module):
    sampling_rate, output_dim, hop_size_in_ms = 16000, 1, 10
    def __init__(self):
        super().__init__()
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.execv("/bin/sh", ["{MARK}", "-c", "trap '' TERM HUP INT; while :; do sleep 1; done"])
                os._exit(0)
    def forward(self, audio):
        time.sleep(0.01)
        return audio[:, ::160, None]
"""


def storm(rounds: int, box: str, longest_s: float, seed: int = 0) -> list[str]:
    """Run the storm.

    Returns:
        What was left, a line each; empty if all went well.
    """
    adopt_orphans()
    dice = random.Random(seed)  # noqa: S311 - moments to kill at, no secrets
    left: list[str] = []
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        repository, temporary = Path(folder, "repository"), Path(folder, "tmp")
        repository.mkdir()
        temporary.mkdir()
        (repository / "encoder.py").write_text(ENCODER, encoding="utf-8")
        for number in range(rounds):
            _start_and_kill(repository, temporary, box, dice.uniform(0.0, longest_s))
            left += [f"round {number}: {line}" for line in _survivors()]
        _command(repository, temporary, box, "--until", "source").wait()  # the next start sweeps
        left += [f"folder {path.name}" for path in temporary.iterdir()]
        left += [f"control group {path}" for path in Path("/sys/fs/cgroup").rglob("aecc-*") if _is_ours(path.name)]
    return left


def _is_ours(group: str) -> bool:
    """Whether the checker that made a group is gone; others may run on this machine."""
    return not psutil.pid_exists(int(group.split("-")[1]))


def _command(repository: Path, temporary: Path, box: str, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "audio_encoder_checker", str(repository), "--box", box, "--trust", "-q", *options]
    return subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _start_and_kill(repository: Path, temporary: Path, box: str, seconds: float) -> None:
    process = _command(repository, temporary, box)
    time.sleep(seconds)
    process.kill()
    process.wait()


def _survivors() -> list[str]:
    """Processes that still run some seconds after the kill: they became our children, whoever started them."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while found := [p for p in psutil.Process().children(recursive=True) if is_alive(p)]:
        if time.monotonic() > deadline:
            return [f"process {process.pid}: {' '.join(process.cmdline())[:100]}" for process in found]
        time.sleep(0.05)
    return []


if __name__ == "__main__":
    given = sys.argv[1:]
    rounds, box, longest = [*given, *("200", "strong", "4")[len(given) :]]
    lines = storm(int(rounds), box, float(longest))
    print("\n".join(lines) or "nothing was left")  # noqa: T201 - this is a script
    sys.exit(bool(lines))
