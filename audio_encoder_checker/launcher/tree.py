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
