"""Start the launcher, which steps into a box and then becomes the program there (`launcher/__main__.py`)."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from audio_encoder_checker.launcher import words
from audio_encoder_checker.sandbox.box import SLACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audio_encoder_checker.sandbox.box import Job

PACKAGE = Path(__file__).parent.parent
HIGH_UIDS = (2_000_000_000, 100_000_000)
LOW_UIDS = (60_600, 4_000)
"""First and count of user ids that no system hands out; the low ones for user namespaces of 65,536 ids."""
NEVER_DUMP = {"RLIMIT_CORE": 0}


@dataclass(frozen=True)
class Plan:
    """What the launcher does before it becomes `command`.

    Attributes:
        command: program, as an absolute path, and arguments.
        cwd: where it starts.
        env: its whole environment.
        rlimits: names of `resource` to values, soft and hard.
        binds: host paths to show as `/mnt/0`, `/mnt/1`, ... to a user who cannot reach them.
        uid: user and group to become when we are root, None to stay.
        lifeline: descriptor whose other end the checker holds, None for no supervisor.
        landlock: paths by `read`, `write` and `device`, for `landlock.restrict`; None for no Landlock.
        program: system-call filter to install before exec, may be empty.
    """

    command: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    rlimits: dict[str, int] = field(default_factory=dict)
    binds: tuple[str, ...] = ()
    uid: int | None = None
    lifeline: int | None = None
    landlock: dict[str, list[str]] | None = None
    program: bytes = b""


def launch(plan: Plan, job: Job, descriptors: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    """Start the launcher with a plan.

    Args:
        plan: what it does.
        job: the child's channel and control group.
        descriptors: what the command inherits beside the channel.
    """
    passed = (job.channel, *descriptors)
    told = in_memory(words.write(_words(plan, job, passed)))
    lifeline = () if plan.lifeline is None else (plan.lifeline,)
    try:
        return subprocess.Popen(
            _launcher_command(told),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(told, *passed, *lifeline),
            env={},
            cwd="/",
            start_new_session=True,  # Ctrl-C is the checker's to handle
        )
    finally:
        os.close(told)


def _words(plan: Plan, job: Job, passed: tuple[int, ...]) -> Iterator[tuple[str, object]]:
    """The plan as the launcher reads it."""
    yield "parent", os.getpid()
    yield "cwd", plan.cwd
    lists: dict[str, Iterable[object]] = {
        "join": job.cgroup.join if job.cgroup else (),
        "rlimit": (f"{name}={value}" for name, value in {**NEVER_DUMP, **plan.rlimits}.items()),
        "bind": plan.binds,
        "uid": () if plan.uid is None else (plan.uid,),
        "lifeline": () if plan.lifeline is None else (plan.lifeline,),
        "pass": passed,
        **(plan.landlock or {}),
        "filter": (plan.program.hex(),) if plan.program else (),
        "command": plan.command,
        "env": (f"{name}={value}" for name, value in plan.env.items()),
    }
    for name, values in lists.items():
        for value in values:
            yield name, value


def _launcher_command(told: int) -> list[str]:
    start = (
        "import sys; folder = sys.argv.pop(1); sys.path.insert(0, folder); "
        "main = __import__('launcher.__main__', fromlist=['main']).main; sys.path.remove(folder); main()"
    )
    return [sys.executable, "-I", "-S", "-B", "-c", start, str(PACKAGE), str(told)]


def in_memory(data: bytes) -> int:
    """A descriptor of a file in memory that holds `data`, to be read from its start by another process."""
    descriptor = os.memfd_create("plan")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def unused_uid() -> int | None:
    """A user id for one box alone when we are root, so that its processes can be counted and own nothing; else None."""
    if os.geteuid() != 0:
        return None
    for first, count in (HIGH_UIDS, LOW_UIDS):
        if any(start <= first and first + count <= end for start, end in _mapped_uids()):
            return first + secrets.randbelow(count)
    return None


def _mapped_uids() -> list[tuple[int, int]]:
    """Ranges of user ids that exist in our user namespace, ends excluded."""
    lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    return [(int(start), int(start) + int(count)) for start, _, count in (line.split() for line in lines)]


def user_tasks() -> int:
    """Processes and threads that our user runs now: RLIMIT_NPROC counts them all."""
    found = [one.info for one in psutil.process_iter(["uids", "num_threads"])]
    return sum(one["num_threads"] or 1 for one in found if one["uids"] and one["uids"].real == os.getuid())


def nproc_limit(uid: int | None, tasks: int) -> int:
    """RLIMIT_NPROC for a box: a belt, a little past the limit, so that the meter or the group ends an overrun."""
    return round(tasks * SLACK) + (user_tasks() + 64 if uid is None else 0)
