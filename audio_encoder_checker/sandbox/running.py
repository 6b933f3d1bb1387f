"""The machinery around one running child: its channel, its streams, its meter, its watch, and its end."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from audio_encoder_checker.child import wire
from audio_encoder_checker.printable import printable
from audio_encoder_checker.sandbox.box import Job
from audio_encoder_checker.sandbox.cgroup import make_cgroup
from audio_encoder_checker.sandbox.drain import Drain
from audio_encoder_checker.sandbox.gauge import FolderGauge
from audio_encoder_checker.sandbox.host import own_interpreter
from audio_encoder_checker.sandbox.meter import Meter, adopt_orphans, bury, is_alive, kill_tree, orphans
from audio_encoder_checker.sandbox.outside import NAME_SERVER, NAME_SERVERS
from audio_encoder_checker.sandbox.seccomp import seal_program, watch_program
from audio_encoder_checker.sandbox.watch import Watch

if TYPE_CHECKING:
    from audio_encoder_checker.network.channel import Channel
    from audio_encoder_checker.sandbox.box import Box, Interpreter, Limits
    from audio_encoder_checker.sandbox.outside import Outside

CHILD = Path(__file__).parent.parent / "child"
NEUTRAL_NAME = "w_host"
BEGIN_SECONDS = 30.0
BUFFER_BYTES = 4 << 20
"""Of the channel, as far as the system allows: fewer switches between sender and receiver."""
MOST_DOORS = 16
SUPERVISOR_SECONDS = 2.0
HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Processes that Python starts for itself and that end with it."""
ROOTS: set[psutil.Process] = set()
"""Of all boxes that are not closed yet: one box's end is not another's."""


class Running:
    """One child in a box, started.

    Args:
        box: where it runs.
        repository: the submission's folder.
        workspace: a private folder of the caller, for the child's package and scratch.
        limits: what the box enforces.
        gpu: whether the GPU is passed through.
        package: folder of the child's package.
        outside: what it may reach, where the box can observe that.
        interpreter: what runs the child; the checker's own if None.
    """

    def __init__(  # noqa: PLR0913 - four of them are passed by name
        self, box: Box, repository: Path, workspace: Path, limits: Limits, *, gpu: bool, package: Path = CHILD,
        outside: Outside | None = None, interpreter: Interpreter | None = None,
    ) -> None:  # fmt: skip
        self.box = box
        self.watch: Watch | None = None
        self.network: Channel | None = None
        self._closing = threading.Lock()
        self._bystanders: set[psutil.Process] = set()
        self._own: set[int] = set()
        if not box.holds_orphans:
            adopt_orphans()
            self._bystanders = set(psutil.Process().children())
        with contextlib.ExitStack() as undo:  # of a start that fails or is interrupted half-way
            self._cgroup, _ = make_cgroup(limits.memory_bytes, limits.tasks)
            if self._cgroup:
                undo.callback(self._cgroup.close)
            self.channel, far_end = _channel()
            undo.callback(self.channel.close)
            watched_end, self._lifeline = os.pipe()
            undo.callback(self._cut_lifeline)
            with far_end, open(watched_end, "rb"):  # noqa: PTH123 - a descriptor, not a path
                self.job = Job(
                    repository=repository,
                    host_folder=_host_folder(package, workspace / "host"),
                    module=NEUTRAL_NAME,
                    channel=far_end.fileno(),
                    lifeline=watched_end,
                    scratch=_made(workspace / "scratch"),
                    limits=limits,
                    gpu=gpu,
                    interpreter=interpreter or own_interpreter(),
                    cgroup=self._cgroup,
                    outside=outside if box.observes else None,
                )
                self.process: subprocess.Popen[bytes] = box.start(self.job)
            undo.callback(self.process.kill)
            self._observe()
            undo.pop_all()

    def _observe(self) -> None:
        kept = self.job.outside is not None and not self.job.outside.disk_bytes
        self.meter = Meter(
            self.process.pid, self.job.limits, self.box.gauge(self.job), self._cgroup, self.kill,
            FolderGauge(self.job.outside.home) if self.job.outside and kept else None,
        )  # fmt: skip
        streams = (self.process.stdout, self.process.stderr)
        self.drains = [Drain(s, self.job.limits.output_bytes, self.kill) for s in streams if s is not None]
        ROOTS.add(self.meter.root)
        for thread in (self.meter, *self.drains):
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether the process that we started still runs."""
        return self.process.poll() is None

    def begin(self, purpose: str = "begin") -> None:
        """Hand the child its filter, and take the kernel's end of it; a child that does not take it is dead."""
        policy = self.box.policy
        watched = policy is not None and policy.watched
        program = watch_program(policy, platform.machine(), self.job.channel) if policy and watched else b""
        seal = seal_program(policy, platform.machine()) if policy and watched else b""
        deadline = time.monotonic() + BEGIN_SECONDS
        with contextlib.suppress(wire.ClosedError, TimeoutError, OSError):
            question = {"ask": purpose, "seal": seal.hex(), "doors": self.job.outside is not None}
            wire.send(self.channel, question, program, deadline=deadline)
            self.channel.settimeout(BEGIN_SECONDS)
            if self.job.outside:
                self.network = self.job.outside.open(self._received(MOST_DOORS))
            if policy and watched:
                for listener in self._received(1):
                    self.watch = Watch(
                        listener, policy, self.process.pid, self.box.writable(self.job),
                        observed=self.job.outside is not None,
                    )  # fmt: skip
                    self.watch.start()

    def _received(self, most: int) -> list[int]:
        """Descriptors that the child hands over with one byte."""
        _, descriptors, _, _ = socket.recv_fds(self.channel, 1, most)
        return descriptors

    def tell_stage(self, stage: str) -> None:
        """What is tried from now on belongs to this stage."""
        if self.watch:
            self.watch.stage = stage

    def remember_own(self) -> None:
        """All processes of now are the box's and the child's, not the encoder's."""
        self._own = {process.pid for process in self.meter.tree()}

    def left_behind(self) -> tuple[str, ...]:
        """Names of living processes that the encoder started and did not end."""
        names = []
        for process in self.meter.tree():
            with contextlib.suppress(psutil.Error):
                command = " ".join(process.cmdline()) or process.name()
                if process.pid not in self._own and is_alive(process) and not any(h in command for h in HELPERS):
                    names.append(printable(command, limit=100))
        return tuple(names[:20])

    def last_words(self) -> str:
        """The last line on stderr: what went wrong with a child that did not start."""
        self.drains[-1].join(timeout=1)
        lines = self.drains[-1].tail.strip().splitlines()
        return printable(lines[-1], limit=300) if lines else ""

    def wait(self, seconds: float) -> int | None:
        """The exit status, or None if it still runs after so long."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """End the child's whole tree; where the box holds no orphans, also those that became our own children."""
        with self._closing:
            if self._cut_lifeline() and not self.box.holds_orphans:
                self.wait(SUPERVISOR_SECONDS)
            if self._cgroup:
                self._cgroup.kill()
            kill_tree(self.meter.seen.values(), tuple if self.box.holds_orphans else self._orphans)
            self.process.wait()
            bury(self.meter.ever)

    def _orphans(self) -> list[psutil.Process]:
        return orphans(self._bystanders | ROOTS)

    def _cut_lifeline(self) -> bool:
        """A supervisor then kills all it has, in one step where the kernel lets it. False if it was cut before."""
        if self._lifeline < 0:
            return False
        os.close(self._lifeline)
        self._lifeline = -1
        return True

    def close(self) -> None:
        """Kill what is left and give everything back. Safe to call twice."""
        self.meter.look()
        self.kill()
        for drain in self.drains:
            drain.join(timeout=5)
            if not drain.is_alive():  # in a weak box a hidden process may still hold the other end
                drain.stream.close()
        self.meter.stop()
        if self.network:
            self.network.close()
        if self.watch:
            self.watch.stop()
        if self._cgroup:
            self._cgroup.close()
        self.channel.close()
        ROOTS.discard(self.meter.root)


def _channel() -> tuple[socket.socket, socket.socket]:
    ends = socket.socketpair()
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    return ends


def _host_folder(package: Path, folder: Path) -> Path:
    """The child's package under a neutral name, and where it finds its name server, for whatever user the box has."""
    target = folder / NEUTRAL_NAME
    shutil.copytree(package, target, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / NAME_SERVERS).write_text(NAME_SERVER, encoding="ascii")
    for path in (folder, *folder.iterdir(), *target.iterdir()):
        path.chmod(0o755)
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder
