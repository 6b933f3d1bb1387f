"""A conversation with one child in a box: questions out, honest outcomes back."""

from __future__ import annotations

import shutil
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from audio_encoder_checker.child import wire
from audio_encoder_checker.evidence.run import CodeFrame, Conduct, Ending, Outcome, Raised, Usage
from audio_encoder_checker.printable import printable
from audio_encoder_checker.sandbox.box import Job
from audio_encoder_checker.sandbox.drain import Drain
from audio_encoder_checker.sandbox.meter import Meter, adopt_orphans, kill_tree

if TYPE_CHECKING:
    import subprocess
    from types import TracebackType

    from audio_encoder_checker.sandbox.box import Box, Limits

CHILD = Path(__file__).parent.parent / "child"
NEUTRAL_NAME = "w_host"
GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class Answer:
    """How a question ended, and what came back if it was answered or raised."""

    outcome: Outcome
    header: dict[str, Any] = field(default_factory=dict)
    payload: bytearray = field(default_factory=bytearray)


class Session:
    """One child from start to end; use it as a context manager.

    Args:
        box: where the child runs.
        repository: the submission's folder.
        workspace: a private folder of the caller, for the child's package and scratch.
        limits: what the box enforces.
        device: `cpu` or `cuda:N`; the GPU is passed through for the latter.
    """

    def __init__(self, box: Box, repository: Path, workspace: Path, limits: Limits, device: str = "cpu") -> None:
        self.box = box
        self.repository = repository
        self.workspace = workspace
        self.limits = limits
        self.stage = "load"
        self.device = device
        self.ended: Outcome | None = None
        self._bystanders: set[psutil.Process] = set()

    def __enter__(self) -> Session:
        """Copy the child into the workspace under a neutral name, and start it."""
        host_folder = self.workspace / "host"
        scratch = self.workspace / "scratch"
        scratch.mkdir()
        shutil.copytree(CHILD, host_folder / NEUTRAL_NAME, ignore=shutil.ignore_patterns("__pycache__"))
        if not self.box.holds_orphans:
            adopt_orphans()
            self._bystanders = {*psutil.Process().children(recursive=True), psutil.Process()}
        self._channel, far_end = socket.socketpair()
        with far_end:
            self._job = Job(
                repository=self.repository,
                host_folder=host_folder,
                module=NEUTRAL_NAME,
                channel=far_end.fileno(),
                scratch=scratch,
                scratch_bytes=self.limits.scratch_bytes,
                gpu=self.device != "cpu",
            )
            self._process: subprocess.Popen[bytes] = self.box.start(self._job)
        self._meter = Meter(self._process.pid, self.limits.memory_bytes)
        streams = (self._process.stdout, self._process.stderr)
        self._drains = [Drain(s, self.limits.output_bytes, self._kill) for s in streams if s is not None]
        for thread in (self._meter, *self._drains):
            thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End the child and everything it started."""
        self.close()

    @property
    def repository_path(self) -> str:
        """The repository as the child sees it."""
        return self.box.repository_path(self._job)

    def greeting(self, timeout_s: float) -> Answer:
        """Wait for the child's first words: versions, and whether CUDA is there."""
        return self._receive(time.monotonic(), timeout_s)

    def ask(self, question: dict[str, Any], payload: bytes | memoryview = b"", *, timeout_s: float) -> Answer:
        """Ask one question and wait for its answer, at most `timeout_s` seconds.

        A child that did not survive an earlier question gives that outcome again.
        """
        if self.ended is not None:
            return Answer(self.ended)
        start = time.monotonic()
        try:
            wire.send(self._channel, question, payload, deadline=start + timeout_s)
        except (wire.ClosedError, TimeoutError) as error:
            return self._end(start, timeout_s, error)
        return self._receive(start, timeout_s)

    def close(self) -> None:
        """Say goodbye, kill what is left, and stop watching. Safe to call twice."""
        if self.ended is None:
            self._say_goodbye()
        self._kill()
        for drain in self._drains:
            drain.join(timeout=5)
            if not drain.is_alive():  # in a weak box a hidden process may still hold the other end
                drain.stream.close()
        self._meter.stop()
        self._channel.close()

    def conduct(self) -> Conduct:
        """How the child behaved; complete once the session is closed."""
        flooded = any(drain.flooded for drain in self._drains)
        ended = self.ended or Outcome(Ending.FLOODED if flooded else Ending.ANSWERED, 0.0)
        return Conduct(
            stdout_bytes=self._drains[0].count,
            stderr_bytes=self._drains[1].count,
            output_tail=printable("".join(drain.tail for drain in self._drains), limit=4000, keep="\n\t"),
            ended_by=ended.ending,
            stage=self.stage,
            detail=ended.detail,
        )

    def usage(self) -> Usage:
        """What the child used so far."""
        return Usage(
            device=self.device,
            peak_memory_bytes=self._meter.peak_bytes,
            memory_limit_bytes=self.limits.memory_bytes,
            peak_tasks=0,
            tasks_limit=self.limits.tasks,
            peak_scratch_bytes=0,
            scratch_limit_bytes=self.limits.scratch_bytes,
            peak_scratch_files=0,
            scratch_limit_files=self.limits.scratch_files,
            cpu_seconds=0.0,
            cpu_limit_s=self.limits.cpu_s,
        )

    def _receive(self, start: float, timeout_s: float) -> Answer:
        try:
            header, payload = wire.receive(self._channel, self.limits.answer_bytes, deadline=start + timeout_s)
        except (wire.ClosedError, wire.GarbledError, TimeoutError) as error:
            return self._end(start, timeout_s, error)
        seconds = time.monotonic() - start
        if "raised" in header:
            raised = read_raised(header["raised"])
            return Answer(Outcome(Ending.RAISED, seconds, raised=raised), header)
        return Answer(Outcome(Ending.ANSWERED, seconds), header, payload)

    def _end(self, start: float, timeout_s: float, error: Exception) -> Answer:
        """The child gave no answer: find out why, and end it."""
        seconds = time.monotonic() - start
        status = self._wait_for_exit() if isinstance(error, wire.ClosedError) else None
        if self._meter.over_limit:
            ending, detail = Ending.OUT_OF_MEMORY, f"more than {self.limits.memory_bytes / 2**30:.3g} GiB"
        elif any(drain.flooded for drain in self._drains):
            ending, detail = Ending.FLOODED, f"more than {self.limits.output_bytes / 2**20:.3g} MiB printed"
        elif isinstance(error, TimeoutError):
            ending, detail = Ending.TIMED_OUT, f"no answer within {timeout_s:g} s"
        elif status is None:
            ending, detail = Ending.GARBLED, str(error)
        elif status < 0 or status > 128:
            ending, detail = Ending.KILLED, f"signal {-status if status < 0 else status - 128}"
        else:
            ending, detail = Ending.EXITED, f"exit status {status}"
        self.ended = Outcome(ending, seconds, detail)
        self._kill()
        return Answer(self.ended)

    def _wait_for_exit(self) -> int | None:
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            status = self._process.poll()
            if status is not None:
                return status
            time.sleep(0.01)
        return None

    def _say_goodbye(self) -> None:
        try:
            wire.send(self._channel, {"ask": "bye"}, deadline=time.monotonic() + GRACE_SECONDS)
        except (wire.ClosedError, TimeoutError):
            return
        self._wait_for_exit()

    def _kill(self) -> None:
        """Kill the child's whole tree; where the box holds no orphans, also those that became our own children."""
        kill_tree(self._meter.seen, spare=self._bystanders)
        self._process.wait()


def read_raised(data: object) -> Raised:
    """An exception as the child told it: every field is checked, cut and made printable.

    A child that forges this can only worsen its own verdict's wording.
    """
    source = data if isinstance(data, dict) else {}
    frames = source.get("frames")
    chain = source.get("chain")
    return Raised(
        type=_word(source.get("type"), 100) or "Exception",
        message=_word(source.get("message"), 600),
        chain=tuple(_word(name, 100) for name in chain[:10]) if isinstance(chain, list) else (),
        frames=tuple(_frame(f) for f in frames[:8] if isinstance(f, dict)) if isinstance(frames, list) else (),
        missing_module=_word(source.get("missing_module"), 100),
    )


def _frame(data: dict[str, Any]) -> CodeFrame:
    line = data.get("line")
    return CodeFrame(
        file=_word(data.get("file"), 300),
        line=line if isinstance(line, int) else 0,
        function=_word(data.get("function"), 100),
        text=_word(data.get("text"), 200),
    )


def _word(value: object, limit: int) -> str:
    return printable(value, limit=limit) if isinstance(value, str) else ""
