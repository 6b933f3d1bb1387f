from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from audio_encoder_checker.launcher.tree import descendants

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
PACKAGE = Path(__file__).parents[2]
PROGRAM = """
import os, sys, time
sys.path.insert(0, {package!r})
from audio_encoder_checker.launcher import supervise
supervise.become_parent_of_orphans()
child = os.fork()
if child == 0:
    {code}
    os._exit(0)
os._exit(supervise.supervise(child, int(sys.argv[1]), os.getppid(), signals_inside=False))
"""


def supervised(code: str) -> tuple[subprocess.Popen[bytes], int]:
    """A supervisor over a child that runs `code`, and the end of its lifeline that we hold."""
    far, near = os.pipe()
    program = PROGRAM.format(package=str(PACKAGE), code=code)
    process = subprocess.Popen([sys.executable, "-c", program, str(far)], pass_fds=(far,))
    os.close(far)
    return process, near


@pytest.mark.parametrize(
    ("code", "status"),
    [("os._exit(0)", 0), ("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", 137), ("os.abort()", 134)],
)
def test_it_ends_with_the_status_of_the_child(code: str, status: int) -> None:
    process, lifeline = supervised(code)
    assert process.wait(timeout=10) == status
    os.close(lifeline)


def test_when_the_lifeline_is_cut_everything_ends_daemons_too() -> None:
    mark = f"aecc-orphan-{os.getpid()}"
    daemon = f"""if os.fork() == 0:
        os.setsid()
        os.execv("/bin/sh", ["{mark}", "-c", "sleep 99; :"])
    time.sleep(99)"""
    process, lifeline = supervised(daemon)
    deadline = time.monotonic() + 10
    while not marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.close(lifeline)
    process.wait(timeout=10)
    assert not marked(mark)


def test_orphans_that_ended_are_buried_while_the_child_runs() -> None:
    process, lifeline = supervised("[os.fork() or os._exit(0) for _ in range(50)]; time.sleep(1.5)")
    time.sleep(1.0)
    assert len(descendants(process.pid)) < 55
    os.close(lifeline)
    process.wait(timeout=10)


def marked(mark: str) -> list[int]:
    return [p.pid for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]
