"""Judge one submission in a process of its own, which ends with the process that started it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from audio_encoder_checker.organising.jobs import LIFELINE, Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from audio_encoder_checker.organising.jobs import Job

REPORT, PAGE, TEXT, LOG = "report.json", "report.html", "report.txt", "log.txt"


def judge(
    job: Job,
    *,
    cores: Collection[int] = (),
    gpu: str | None = None,
    started: Callable[[subprocess.Popen[bytes]], None] = lambda _process: None,
) -> Ended:
    """Run `aecc-check` on a job's submission; reports and what it said lie in the job's folder then.

    Args:
        job: to be done.
        cores: the only ones to be used, so that nobody takes another's; empty for any.
        gpu: what CUDA_VISIBLE_DEVICES is to say, None to leave it as it is.
        started: hears of the process, so that it can be ended.

    Raises:
        OSError: the process does not start, or the folder cannot be written.
    """
    folder = job.folder
    reports = [f"--report=json={folder / REPORT}", f"--report=html={folder / PAGE}"]
    command = [sys.executable, "-m", "audio_encoder_checker", *job.options, "--quiet", "--color=never", *reports]
    environment = {**os.environ, LIFELINE: "1", **({} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu})}
    begun = time.monotonic()
    with (folder / TEXT).open("wb") as text, (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [*command, "--", str(job.submission)],
            stdin=subprocess.PIPE,  # whose other end only we hold
            stdout=text,
            stderr=log,
            env=environment,
            start_new_session=True,  # a Ctrl-C is for us: we end it in our own time
        )
        if cores and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, cores)
        started(process)
        status = process.wait()
        if process.stdin:
            process.stdin.close()
    lost = f"the checker was ended by signal {-status}" if status < 0 else ""
    return Ended(job, None if status < 0 else status, time.monotonic() - begun, socket.gethostname(), lost)
