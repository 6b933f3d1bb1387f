"""The processes below one process, by the kernel's own lists. Linux."""

from __future__ import annotations

import os


def descendants(pid: int) -> list[int]:
    """All living descendants of a process."""
    found: list[int] = []
    left = [pid]
    while left:
        one = left.pop()
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/children", encoding="ascii") as file:
                    pids = [int(word) for word in file.read().split()]
                found += pids
                left += pids
        except OSError:  # it ended meanwhile
            continue
    return found


def stat_fields(pid: int | str) -> list[str]:
    """What /proc/PID/stat (proc(5)) tells after the name, which may hold anything: state, parent, ...

    Raises:
        OSError: there is no such process.
    """
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def start_time(pid: int | str) -> str:
    """When a process started, in ticks since boot; empty if there is none."""
    try:
        return stat_fields(pid)[19]
    except (OSError, IndexError):
        return ""


def is_below(pid: int, root: int) -> bool:
    """Whether a process, or a thread of it, descends from another process."""
    while pid > 1:
        try:
            pid = int(stat_fields(pid)[1])
        except (OSError, IndexError):  # it ends just now
            return False
        if pid == root:
            return True
    return False
