"""Control groups: the kernel itself counts and limits one box's memory, processes and processor time.

A group is made below our own (version 1), or below or beside our own where that is delegated to us (version 2); where
it is not, the user's systemd gives us a place that is (`delegation.py`). See docs.kernel.org/admin-guide/cgroup-v1 and
cgroup-v2, and systemd.io/CGROUP_DELEGATION.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from audio_encoder_checker.launcher.tree import start_time
from audio_encoder_checker.sandbox.delegation import own_groups, settle

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "aecc"
KILL_SECONDS = 5.0
REMOVE_SECONDS = 2.0


@dataclass(frozen=True)
class Counters:
    """What the kernel counted of one box; None where this kind of group does not count it.

    Attributes:
        memory_peak_bytes: most memory at once, temporary files in memory included.
        out_of_memory_kills: processes killed for want of memory, the group's or the machine's.
        memory_refused: how often the group's limit stood in the way.
        tasks_peak: most processes and threads at once.
        tasks_refused: forks refused at the limit.
        cpu_seconds: processor time of all members, ended ones included.
    """

    memory_peak_bytes: int | None = None
    out_of_memory_kills: int | None = None
    memory_refused: int | None = None
    tasks_peak: int | None = None
    tasks_refused: int | None = None
    cpu_seconds: float | None = None


class Cgroup(Protocol):
    """One box's group."""

    @property
    def name(self) -> str:
        """`cgroup v1` or `cgroup v2`."""

    @property
    def counts_memory(self) -> bool:
        """Whether it holds the memory limit."""

    @property
    def counts_tasks(self) -> bool:
        """Whether it holds the limit of processes and threads."""

    @property
    def join(self) -> tuple[str, ...]:
        """Files into which a process writes 0 to become a member."""

    def counters(self) -> Counters:
        """What was counted so far; cheap, and never raises."""

    def kill(self) -> None:
        """Kill every member until none is left. Never raises."""

    def close(self) -> None:
        """Kill, then remove the group. Safe to call twice; never raises."""


def make_cgroup(memory_bytes: int, tasks: int) -> tuple[Cgroup | None, str]:
    """A fresh group for one box that holds these limits.

    Returns:
        The group and an empty text, or None and why there is none.
    """
    own = own_groups()
    if not {"", "memory", "pids"} & own.keys():
        return None, "no control groups here"
    name = f"{PREFIX}-{os.getpid()}-{start_time(os.getpid())}-{secrets.token_hex(4)}"
    try:
        if "memory" in own or "pids" in own:
            return GroupsV1(name, own, memory_bytes, tasks), ""
        if not _parent_for_groups(own[""]) and settle():
            own = own_groups()
        return GroupV2(name, own[""], memory_bytes, tasks), ""
    except OSError as error:
        return None, f"control groups are not ours to make ({error.strerror})"


def sweep_cgroups() -> int:
    """Remove the groups of checkers that are gone, their members killed first.

    Returns:
        How many were removed.
    """
    swept = 0
    own = own_groups()
    for parent in {*own.values(), *(folder.parent for kind, folder in own.items() if not kind)}:
        for group in parent.glob(f"{PREFIX}-*-*-*"):
            _, pid, started, _ = group.name.split("-")
            if start_time(int(pid) if pid.isdigit() else 0) != started:
                _kill_members(group)
                swept += _remove(group)
    return swept


class GroupsV1:
    """One group in each of the controllers of version 1 that are there, below our own."""

    name = "cgroup v1"

    def __init__(self, name: str, own: dict[str, Path], memory_bytes: int, tasks: int) -> None:
        self.groups: dict[str, Path] = {}
        try:
            for kind in ("memory", "pids", "cpuacct"):
                if kind in own:
                    self.groups[kind] = own[kind] / name
                    self.groups[kind].mkdir(exist_ok=True)  # two controllers may share one folder
            self._limit(memory_bytes, tasks)
        except OSError:
            self.close()
            raise
        self.counts_memory = "memory" in self.groups
        self.counts_tasks = "pids" in self.groups

    def _limit(self, memory_bytes: int, tasks: int) -> None:
        if "memory" in self.groups:
            (self.groups["memory"] / "memory.limit_in_bytes").write_text(str(memory_bytes))
            with contextlib.suppress(OSError):  # only where swap is counted
                (self.groups["memory"] / "memory.memsw.limit_in_bytes").write_text(str(memory_bytes))
        if "pids" in self.groups:
            (self.groups["pids"] / "pids.max").write_text(str(tasks))

    @property
    def join(self) -> tuple[str, ...]:
        """One file for each controller."""
        return tuple(str(group / "cgroup.procs") for group in dict.fromkeys(self.groups.values()))

    def counters(self) -> Counters:
        """From the files of all controllers."""
        memory, pids, cpu = (self.groups.get(kind, Path("/none")) for kind in ("memory", "pids", "cpuacct"))
        nanoseconds = _number(cpu / "cpuacct.usage")
        return Counters(
            memory_peak_bytes=_number(memory / "memory.max_usage_in_bytes"),
            out_of_memory_kills=_field(memory / "memory.oom_control", "oom_kill"),
            tasks_peak=_number(pids / "pids.peak"),
            tasks_refused=_field(pids / "pids.events", "max"),
            cpu_seconds=None if nanoseconds is None else nanoseconds / 1e9,
        )

    def kill(self) -> None:
        """One by one: version 1 has no better way."""
        for group in dict.fromkeys(self.groups.values()):
            _kill_members(group)

    def close(self) -> None:
        """Kill, then remove."""
        self.kill()
        for group in dict.fromkeys(self.groups.values()):
            _remove(group)


class GroupV2:
    """A group of version 2, below our own or, where the folder above is ours too, beside it.

    Controllers can be handed down only from a group without members of its own, so a checker that was started
    by a shell finds its place beside: a delegated folder above belongs to the user with all that is in it.
    """

    name = "cgroup v2"
    counts_memory = counts_tasks = True

    def __init__(self, name: str, own: Path, memory_bytes: int, tasks: int) -> None:
        parent = _parent_for_groups(own)
        if parent is None:
            raise PermissionError(1, "memory and pids are not delegated")
        self.group = parent / name
        self.group.mkdir()
        try:
            limit_v2(self.group, memory_bytes, tasks)
        except OSError:
            self.close()
            raise

    @property
    def join(self) -> tuple[str, ...]:
        """One file."""
        return (str(self.group / "cgroup.procs"),)

    def counters(self) -> Counters:
        """From the group's files."""
        return counters_v2(self.group)

    def kill(self) -> None:
        """All at once where the kernel can (5.14)."""
        _kill_members(self.group)

    def close(self) -> None:
        """Kill, then remove."""
        self.kill()
        _remove(self.group)


def limit_v2(group: Path, memory_bytes: int, tasks: int) -> None:
    """Write a group's limits.

    Raises:
        OSError: a controller is not there.
    """
    (group / "memory.max").write_text(str(memory_bytes))
    (group / "pids.max").write_text(str(tasks))
    for file, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
        with contextlib.suppress(OSError):  # only where there is swap, and only newer kernels kill all at once
            (group / file).write_text(value)


def counters_v2(group: Path) -> Counters:
    """Read a group's counters; what is not there is None."""
    microseconds = _field(group / "cpu.stat", "usage_usec")
    return Counters(
        memory_peak_bytes=_number(group / "memory.peak"),
        out_of_memory_kills=_field(group / "memory.events", "oom_kill"),
        memory_refused=_field(group / "memory.events", "max"),
        tasks_peak=_number(group / "pids.peak"),
        tasks_refused=_field(group / "pids.events", "max"),
        cpu_seconds=None if microseconds is None else microseconds / 1e6,
    )


def _parent_for_groups(own: Path) -> Path | None:
    return next((folder for folder in (own, own.parent) if _hands_down(folder)), None)


def _hands_down(folder: Path) -> bool:
    """Whether groups made in a folder may be limited: both controllers are on for them, and the folder is ours."""
    try:
        on = (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
    except OSError:
        return False
    return {"memory", "pids"} <= set(on) and os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)


def _kill_members(group: Path) -> None:
    deadline = time.monotonic() + KILL_SECONDS
    with contextlib.suppress(OSError):
        (group / "cgroup.kill").write_text("1")
    while time.monotonic() < deadline and (pids := list(_members(group))):
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def _members(group: Path) -> Iterator[int]:
    for place, _, _ in os.walk(group):  # which passes over what goes away meanwhile
        with contextlib.suppress(OSError):
            for word in Path(place, "cgroup.procs").read_text(encoding="ascii").split():
                if int(word) != 0:  # 0 stands for a process that we cannot see
                    yield int(word)


def _remove(group: Path) -> bool:
    """Remove a group; the kernel needs a moment after the last member's end."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while group.is_dir():
        try:
            group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
    return True


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _field(file: Path, name: str) -> int | None:
    """One number of a file of `name number` lines."""
    try:
        fields = dict(line.split()[:2] for line in file.read_text(encoding="ascii").splitlines())
        return int(fields[name])
    except (OSError, ValueError, KeyError):
        return None
