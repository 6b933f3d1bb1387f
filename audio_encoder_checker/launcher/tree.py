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


def is_below(pid: int, root: int) -> bool:
    """Whether a process, or a thread of it, descends from another process."""
    while pid > 1:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, IndexError):  # it ends just now
            return False
        if pid == root:
            return True
    return False
