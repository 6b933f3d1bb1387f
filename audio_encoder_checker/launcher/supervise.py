"""Stay beside the child, and end everything it started when it ends or when the checker is gone.

The supervisor adopts every process that the child's descendants leave behind. It is needed where no PID
namespace does that: a daemon would outlive a checker that is killed.
"""

from __future__ import annotations

import os
import select
import time

from . import libc
from .tree import descendants

IDLE_MS = 200
SWEEP_SECONDS = 10.0


def supervise(child: int, lifeline: int, parent: int, *, signals_inside: bool) -> int:
    """Wait for the end of the child or of the checker; then kill all that is left.

    Args:
        child: its pid.
        lifeline: descriptor of a pipe whose other end the checker alone holds.
        parent: the checker's pid.
        signals_inside: whether Landlock lets us signal the box's processes only.

    Returns:
        The child's exit status, 128 + number if a signal ended it.
    """
    at_once = signals_inside and not _may_signal(parent)
    watched = select.poll()
    watched.register(lifeline, select.POLLIN | select.POLLHUP)
    watched.register(os.pidfd_open(child), select.POLLIN)
    status = None
    while status is None:
        gone = any(descriptor == lifeline for descriptor, _ in watched.poll(IDLE_MS))
        status = _reap(child)
        if gone:
            break
    end_all(at_once=at_once)
    return 128 + libc.SIGKILL if status is None else status


def become_parent_of_orphans() -> None:
    """Adopt what descendants leave behind."""
    libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)


def end_all(*, at_once: bool) -> None:
    """Kill every descendant until none is left.

    Args:
        at_once: `kill(-1)` reaches the box's processes and nobody else: the kernel then kills all of them in
            one step, which no race of forks survives. Otherwise they are found and killed one by one.
    """
    deadline = time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < deadline:
        if at_once:
            _signal(-1)
        else:
            for pid in descendants(os.getpid()):
                _signal(pid)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def _reap(child: int) -> int | None:
    """Bury what died; the child's status once it is among them."""
    status = None
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                code = os.waitstatus_to_exitcode(ended[1])
                status = code if code >= 0 else 128 - code
    except ChildProcessError:
        return status if status is not None else 128 + libc.SIGKILL
    return status


def _may_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    except ProcessLookupError:
        return True  # unknown: the careful answer
    return True


def _signal(pid: int) -> None:
    try:
        os.kill(pid, libc.SIGKILL)
    except OSError:
        return
