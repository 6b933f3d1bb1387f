from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.sandbox.box import Limits
from audio_encoder_checker.sandbox.cgroup import Counters
from audio_encoder_checker.sandbox.gauge import MountGauge
from audio_encoder_checker.sandbox.meter import Meter, is_alive, kill_tree

ROOMY = Limits(
    memory_bytes=1 << 30,
    tasks=500,
    cpu_s=600,
    output_bytes=1,
    scratch_bytes=1 << 30,
    scratch_files=10,
    home_bytes=1 << 30,
    home_files=1000,
    answer_bytes=1,
)


def metered(code: str, limits: Limits, seconds: float = 8.0) -> Meter:
    """A meter over an interpreter that runs `code`, polled until it is over a limit or the time is up."""
    ended = []
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", code]) as process:
        meter = Meter(process.pid, limits, MountGauge(()), None, lambda: ended.append(1))
        deadline = time.monotonic() + seconds
        while meter.look() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        tree = meter.tree()
        kill_tree(tree)
        process.wait()
    assert not [one for one in tree if is_alive(one)]
    assert len(ended) == (meter.over is not None)
    return meter


@pytest.mark.parametrize(
    ("code", "limits", "ending"),
    [
        (
            "x = b'x' * (200 << 20); import time; time.sleep(60)",
            replace(ROOMY, memory_bytes=100 << 20),
            "out of memory",
        ),
        ("while 1: pass", replace(ROOMY, cpu_s=0.5), "out of CPU time"),
        (
            "import os, time\nfor _ in range(30):\n  os.fork() or time.sleep(60)\ntime.sleep(60)",
            replace(ROOMY, tasks=20),
            "too many processes",
        ),
    ],
)
def test_a_limit_that_is_passed_is_named(code: str, limits: Limits, ending: str) -> None:
    meter = metered(code, limits)
    assert meter.over is not None
    assert meter.over[0] is Ending(ending)


def test_within_its_limits_a_tree_is_left_alone_and_its_peaks_are_kept() -> None:
    meter = metered("x = b'x' * (100 << 20); del x; import time; time.sleep(60)", ROOMY, seconds=0.6)
    assert meter.over is None
    assert 5 << 20 < meter.peak_bytes < 150 << 20
    assert meter.peak_tasks == 1


def test_memory_that_processes_share_is_counted_once_when_it_matters() -> None:
    code = "import os, time\nx = b'x' * (100 << 20)\nfor _ in range(6):\n  os.fork() or time.sleep(60)\ntime.sleep(60)"
    meter = metered(code, replace(ROOMY, memory_bytes=400 << 20), seconds=2.0)
    assert meter.over is None, "seven processes share 100 MiB"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a first thread end alone")
def test_a_process_whose_first_thread_has_ended_hides_no_memory_and_is_killed() -> None:
    code = """
import ctypes, os, platform, threading, time
def hoard():
    while open("/proc/self/stat").read().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    held = b"x" * (200 << 20)
    time.sleep(60)
if os.fork() == 0:
    threading.Thread(target=hoard).start()
    ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)
time.sleep(60)
"""
    start = time.monotonic()
    meter = metered(code, replace(ROOMY, memory_bytes=100 << 20))
    assert meter.over == (Ending.OUT_OF_MEMORY, "more than 0.0977 GiB")
    assert time.monotonic() - start < 30


class Counting:
    """A control group that has counted this."""

    name, join, counts_memory, counts_tasks = "cgroup v2", (), True, True

    def __init__(self, counted: Counters) -> None:
        self._counted = counted

    def counters(self) -> Counters:
        return self._counted

    def kill(self) -> None: ...
    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("kills", "peak_mib", "refused", "ending"),
    [
        (1, 1023, None, Ending.OUT_OF_MEMORY),
        (1, 512, 0, Ending.MACHINE_OUT_OF_MEMORY),
        (1, None, 3, Ending.OUT_OF_MEMORY),
        (1, None, 0, Ending.MACHINE_OUT_OF_MEMORY),
        (0, 1024, 9, None),
    ],
)
def test_a_kill_at_the_limit_is_told_from_one_of_a_machine_that_ran_out(
    kills: int, peak_mib: int | None, refused: int | None, ending: Ending | None
) -> None:
    peak = None if peak_mib is None else peak_mib << 20
    counted = Counters(memory_peak_bytes=peak, out_of_memory_kills=kills, memory_refused=refused)
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        meter = Meter(process.pid, ROOMY, MountGauge(()), Counting(counted), process.kill)
        over = meter.look()
        process.kill()
    assert (over[0] if over else None) is ending
    assert not meter.machine_ran_out(), "the group tells it exactly"


def test_the_time_of_children_that_ended_counts() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass"
    code = f"import subprocess, sys, time\nfor _ in range(3): subprocess.run([sys.executable, '-S', '-c', {burn!r}])"
    meter = metered(f"{code}\ntime.sleep(60)", replace(ROOMY, cpu_s=1.1))
    assert meter.over is not None
    assert meter.over[0] is Ending.OUT_OF_CPU_TIME
