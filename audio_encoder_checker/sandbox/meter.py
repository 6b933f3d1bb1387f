"""What a box's process tree uses, seen from outside, and the end of the whole tree."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.launcher.tree import descendants, stat_fields
from audio_encoder_checker.sandbox.box import LINUX
from audio_encoder_checker.sandbox.cgroup import Counters

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from audio_encoder_checker.sandbox.box import Limits
    from audio_encoder_checker.sandbox.cgroup import Cgroup
    from audio_encoder_checker.sandbox.gauge import FolderGauge, Gauge

POLL_SECONDS = 0.05
RESERVE_BYTES = 1 << 30
"""Of the disk that others need too: a home folder may take what its limit allows only as long as so much is left."""
LITTLE_BYTES = 64 << 20
"""In a home folder, which is not what fills a disk."""
_PAGE = os.sysconf("SC_PAGE_SIZE") if LINUX else 0
_TICKS = os.sysconf("SC_CLK_TCK") if LINUX else 1


@dataclass(frozen=True)
class Used:
    """What one process uses now, and what it and its buried children used of the processor."""

    memory_bytes: int
    tasks: int
    cpu_seconds: float


class Meter(threading.Thread):
    """Polls a process tree, remembers its peaks, and has it ended when it is over a limit.

    Args:
        pid: root of the tree.
        limits: what it may use.
        gauge: tells how full its temporary folders are.
        cgroup: counts exactly what it counts; the rest is polled.
        end: called once, from this thread or from that of `look`, when a limit is passed.
        home: tells how full its home folder is, if it has one that outlives it.
    """

    def __init__(
        self, pid: int, limits: Limits, gauge: Gauge, cgroup: Cgroup | None, end: Callable[[], None],
        home: FolderGauge | None = None,
    ) -> None:  # fmt: skip
        super().__init__(daemon=True, name="meter")
        self.root = psutil.Process(pid)
        self.limits = limits
        self.gauge = gauge
        self.home = home
        self.cgroup = cgroup
        self.peak_bytes = self.peak_tasks = self.peak_scratch_bytes = self.peak_scratch_files = 0
        self.cpu_seconds = 0.0
        self.over: tuple[Ending, str] | None = None
        self.seen: dict[int, psutil.Process] = {pid: self.root}
        self.ever = {self.root}
        self._end = end
        self._kills_before = machine_kills()
        self._stopped = threading.Event()
        self._looking = threading.Lock()

    def run(self) -> None:
        """Poll until stopped or over a limit."""
        while not self._stopped.wait(POLL_SECONDS):
            if self.look(now=False):
                return

    def look(self, *, now: bool = True) -> tuple[Ending, str] | None:
        """Look once, `now` at everything, else only at what is cheap.

        Returns:
            How the run has to end and why, or None while it is within its limits.
        """
        with self._looking:
            if self.over is None:
                self.over = self._measure(now=now)
                if self.over is not None:
                    self._end()
            return self.over

    def resident_bytes(self) -> int:
        """Sum of the resident sets of the tree now."""
        with self._looking:
            return sum(_used(process).memory_bytes for process in self.tree())

    def machine_ran_out(self) -> bool:
        """Whether the kernel has killed for want of memory anywhere on this machine since we started to look.

        Only asked of the machine where no control group tells it of this tree.
        """
        counted = self.cgroup is not None and self.cgroup.counts_memory
        return not counted and machine_kills() > self._kills_before

    def stop(self) -> None:
        """Stop polling."""
        self._stopped.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join(timeout=5)

    def tree(self) -> list[psutil.Process]:
        """The root and all its living descendants."""
        try:
            pids = [self.root.pid, *_below(self.root)]
        except psutil.Error:
            pids = []
        found = {}
        for pid in pids:
            try:
                found[pid] = self.seen.get(pid) or psutil.Process(pid)
            except psutil.Error:
                continue
        self.seen = found if LINUX else {**self.seen, **found}
        self.ever.update(found.values())
        return list(found.values())

    def _measure(self, *, now: bool) -> tuple[Ending, str] | None:
        tree = self.tree()
        used = [_used(process) for process in tree]
        scratch_bytes, scratch_files = self.gauge.read([process.pid for process in tree], now=now)
        tasks = sum(one.tasks for one in used)
        self.peak_tasks = max(self.peak_tasks, tasks)
        self.peak_scratch_bytes = max(self.peak_scratch_bytes, scratch_bytes)
        self.peak_scratch_files = max(self.peak_scratch_files, scratch_files)
        self.cpu_seconds = max(self.cpu_seconds, sum(one.cpu_seconds for one in used))
        counters = self.cgroup.counters() if self.cgroup else Counters()
        if counters.cpu_seconds is not None:
            self.cpu_seconds = max(self.cpu_seconds, counters.cpu_seconds)
        return (
            self._memory(tree, sum(one.memory_bytes for one in used), scratch_bytes, counters)
            or self._tasks(tasks, counters)
            or self._scratch(scratch_bytes, scratch_files)
            or self._home([process.pid for process in tree], now=now)
            or self._cpu()
        )

    def _memory(
        self, tree: list[psutil.Process], used: int, scratch_bytes: int, counters: Counters
    ) -> tuple[Ending, str] | None:
        limit = self.limits.memory_bytes
        if counters.out_of_memory_kills is not None:
            self.peak_bytes = max(self.peak_bytes, counters.memory_peak_bytes or used)
            over = counters.out_of_memory_kills > 0
            if over and not _was_at_limit(counters, limit):
                return Ending.MACHINE_OUT_OF_MEMORY, f"at {self.peak_bytes / 2**30:.3g} GiB"
        else:
            files = scratch_bytes if self.gauge.in_memory else 0
            used = _at_least(tree, used, limit - files) + files
            self.peak_bytes = max(self.peak_bytes, used)
            over = used > limit
        return (Ending.OUT_OF_MEMORY, f"more than {limit / 2**30:.3g} GiB") if over else None

    def _tasks(self, tasks: int, counters: Counters) -> tuple[Ending, str] | None:
        limit = self.limits.tasks
        if tasks < limit and not counters.tasks_refused:
            return None
        self.peak_tasks = max(self.peak_tasks, limit)
        return Ending.TOO_MANY_TASKS, f"{limit} processes and threads at once"

    def _scratch(self, scratch_bytes: int, scratch_files: int) -> tuple[Ending, str] | None:
        if scratch_bytes > self.limits.scratch_bytes:
            size = self.limits.scratch_bytes / 2**20
            return Ending.SCRATCH_FULL, f"more than {size:.3g} MiB in the temporary folders"
        if scratch_files > self.limits.scratch_files:
            return Ending.SCRATCH_FULL, f"more than {self.limits.scratch_files} files in the temporary folders"
        return None

    def _home(self, pids: list[int], *, now: bool) -> tuple[Ending, str] | None:
        used, files = self.home.read(pids, now=now) if self.home else (0, 0)
        if used > self.limits.home_bytes:
            return Ending.SCRATCH_FULL, f"more than {self.limits.home_bytes / 2**30:.3g} GiB in the home folder"
        if files > self.limits.home_files:
            return Ending.SCRATCH_FULL, f"more than {self.limits.home_files} files in the home folder"
        if self.home and used > LITTLE_BYTES and self.home.free_bytes() < RESERVE_BYTES:
            return (
                Ending.MACHINE_OUT_OF_DISK,
                f"less than {RESERVE_BYTES / 2**30:.3g} GiB is free in {self.home.folder}",
            )
        return None

    def _cpu(self) -> tuple[Ending, str] | None:
        if self.cpu_seconds <= self.limits.cpu_s:
            return None
        return Ending.OUT_OF_CPU_TIME, f"more than {self.limits.cpu_s:g} s of processor time"


def _used(process: psutil.Process) -> Used:
    try:
        if LINUX:
            return _used_by_stat(process.pid)
        with process.oneshot():
            times = process.cpu_times()
            return Used(process.memory_info().rss, process.num_threads(), times.user + times.system)
    except (psutil.Error, OSError, ValueError, IndexError):
        return Used(0, 0, 0.0)


def _used_by_stat(pid: int) -> Used:
    """One read of /proc/PID/stat (proc(5)) instead of psutil's four: this runs twenty times a second."""
    fields = stat_fields(pid)
    ticks = sum(int(fields[number]) for number in range(11, 15))  # utime, stime, cutime, cstime
    tasks, pages = int(fields[17]), int(fields[21])
    if fields[0] == "Z" and tasks > 1:  # its first thread ended alone: memory is told of the others only
        pages = max(_pages_by_threads(pid), default=0)
    return Used(pages * _PAGE, tasks, ticks / _TICKS)


def _pages_by_threads(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError, IndexError):  # it ended meanwhile
            yield int(stat_fields(f"{pid}/task/{thread.name}")[21])


def _was_at_limit(counters: Counters, limit: int) -> bool:
    """Whether a group used all that it may, or nearly: the last request, which was too much, is not in the peak."""
    if counters.memory_peak_bytes is not None:
        return counters.memory_peak_bytes > 0.95 * limit
    return counters.memory_refused != 0


def machine_kills() -> int:
    """Processes killed for want of memory since this machine started (Linux 4.13); 0 where that is not told."""
    try:
        text = Path("/proc/vmstat").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(text.partition("\noom_kill ")[2].partition("\n")[0] or 0)


def _at_least(tree: list[psutil.Process], used: int, limit: int) -> int:
    """Memory of a tree, exact enough to tell whether it is over a limit.

    Args:
        tree: its processes.
        used: the sum of their resident sets, which counts shared pages once for each process.
        limit: what matters. Proportional sets (PSS) tell exactly, but cost 50 ms per GiB, in which much can grow: they
            are asked only where the sum is over the limit and no process is so alone.
    """
    if used <= limit:
        return used
    alone = max((_private(process) for process in tree), default=0)
    return alone if alone > limit else sum(_pss(process) for process in tree)


def _private(process: psutil.Process) -> int:
    """Resident bytes that are no file's and no shared memory: no other process but forks can have them too."""
    try:
        info = process.memory_info()
        return int(info.rss - getattr(info, "shared", 0))
    except psutil.Error:
        return 0


def _pss(process: psutil.Process) -> int:
    """Proportional set size where the system tells it, else RSS."""
    try:
        full = process.memory_full_info()
        size = int(getattr(full, "pss", full.rss))
    except psutil.Error:
        size = 0
    return size or _used(process).memory_bytes


def _below(process: psutil.Process) -> list[int]:
    return descendants(process.pid) if LINUX else [child.pid for child in process.children(recursive=True)]


def adopt_orphans() -> None:
    """Become the parent of every daemon that a child leaves behind, so that it can be found and ended (Linux)."""
    if LINUX:
        from audio_encoder_checker.launcher.supervise import become_parent_of_orphans  # here: it wants Linux's libc

        become_parent_of_orphans()


def orphans(known: Container[psutil.Process]) -> list[psutil.Process]:
    """Our own children that are none of these and were not started by us: what boxes have left to us.

    What we start beside boxes shares our session, which nobody else can enter.
    """
    found = []
    for child in psutil.Process().children() if LINUX else ():
        with contextlib.suppress(OSError):  # it ended meanwhile
            if child not in known and os.getsid(child.pid) != os.getsid(0):
                found.append(child)
    return found


def kill_tree(seen: Iterable[psutil.Process], more: Callable[[], Iterable[psutil.Process]] = tuple) -> None:
    """Kill processes and all their descendants until none is left.

    Args:
        seen: the processes.
        more: further ones, which may come to be meanwhile.
    """
    victims = set(seen)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        victims.update(more())
        for process in list(victims):
            victims.update(_children(process))
        alive = [p for p in victims if is_alive(p)]
        if not alive:
            break
        for process in alive:
            _kill(process)
        psutil.wait_procs(alive, timeout=1)


def bury(dead: Iterable[psutil.Process]) -> None:
    """Take the exit statuses of those that became our children when their parents died: nobody else will."""
    for process in dead:
        with contextlib.suppress(psutil.Error):  # it is nobody's any more, or somebody else's
            process.wait(0)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie does not, unless only its first thread is dead."""
    try:
        return bool(process.is_running()) and (process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1)
    except psutil.Error:
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return
