"""Memory of a process tree seen from outside, and the end of the whole tree."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

POLL_SECONDS = 0.05
CAREFUL_SHARE = 0.8
"""Above this share of the limit shared pages are counted once (PSS), which costs some 50 ms per GiB."""
PR_SET_CHILD_SUBREAPER = 36


class Meter(threading.Thread):
    """Polls a process tree, remembers its peak, and kills it when it is over its memory limit."""

    def __init__(self, pid: int, limit_bytes: int) -> None:
        super().__init__(daemon=True, name="meter")
        self.root = psutil.Process(pid)
        self.limit_bytes = limit_bytes
        self.peak_bytes = 0
        self.over_limit = False
        self.seen: set[psutil.Process] = {self.root}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Poll until stopped or over the limit."""
        while not self._stopped.wait(POLL_SECONDS):
            tree = self._tree()
            used = sum(_rss(process) for process in tree)
            if used > CAREFUL_SHARE * self.limit_bytes:
                used = sum(_pss(process) for process in tree)
            self.peak_bytes = max(self.peak_bytes, used)
            if used > self.limit_bytes:
                self.over_limit = True
                kill_tree(self.seen)
                return

    def stop(self) -> None:
        """Stop polling."""
        self._stopped.set()
        self.join(timeout=5)

    def _tree(self) -> list[psutil.Process]:
        try:
            tree = [self.root, *self.root.children(recursive=True)]
        except psutil.Error:
            return []
        self.seen.update(tree)
        return tree


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _pss(process: psutil.Process) -> int:
    """Proportional set size where the system tells it, else RSS."""
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:
        return _rss(process)


def adopt_orphans() -> None:
    """Become the parent of every daemon that a child leaves behind, so that it can be found and ended (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_tree(seen: Iterable[psutil.Process], spare: Iterable[psutil.Process] = ()) -> None:
    """Kill processes and all their descendants until none is left.

    Args:
        seen: the processes.
        spare: if given, all children of our own process that are not among these are killed too.
    """
    spared = set(spare)
    victims = set(seen)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for process in list(victims):
            victims.update(_children(process))
        if spared:
            victims.update(p for p in _children(psutil.Process()) if p not in spared)
        alive = [p for p in victims if is_alive(p)]
        if not alive:
            break
        for process in alive:
            _kill(process)
        psutil.wait_procs(alive, timeout=1)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie does not."""
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return
