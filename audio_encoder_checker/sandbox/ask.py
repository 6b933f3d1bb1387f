"""A conversation with one child in a box: questions out, honest outcomes back."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.child import wire
from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.network import Moment
from audio_encoder_checker.evidence.run import CodeFrame, Conduct, Ending, Outcome, Raised, Usage
from audio_encoder_checker.printable import printable, told
from audio_encoder_checker.sandbox.running import Running

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from audio_encoder_checker.sandbox.box import Box, Interpreter, Limits
    from audio_encoder_checker.sandbox.outside import Outside

GRACE_SECONDS = 2.0
NOTHING = memoryview(b"")
EXIT_SECONDS = 5.0
SIGKILL = 9
COLOURS = re.compile(r"\x1b\[[0-9;]*[mKABCDEFG]")
"""What progress bars and coloured logs send: harmless."""
LINE_ENDS = re.compile(r"\s*[\r\n]\s*")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Answer:
    """How a question ended, and what came back if it was answered or raised."""

    outcome: Outcome
    header: dict[str, Any] = field(default_factory=dict)
    payload: memoryview = NOTHING


class Session:
    """One child from start to end; use it as a context manager.

    Args:
        box: where the child runs.
        repository: the submission's folder.
        workspace: a private folder of the caller, for the child's package and scratch.
        limits: what the box enforces.
        device: `cpu` or `cuda:N`; the GPU is passed through for the latter.
        outside: what the child may reach beyond the box; None for nothing.
        interpreter: what runs the child; the checker's own if None.
    """

    def __init__(  # noqa: PLR0913 - two of them are passed by name
        self, box: Box, repository: Path, workspace: Path, limits: Limits, device: str = "cpu", *,
        outside: Outside | None = None, interpreter: Interpreter | None = None,
    ) -> None:  # fmt: skip
        self.box = box
        self.repository = repository
        self.workspace = workspace
        self.limits = limits
        self.device = device
        self.outside = outside
        self.interpreter = interpreter
        self.started = False
        self.ended: Outcome | None = None
        self.stage = ""
        self.doing = ""
        self._exit_blocked_by = ""
        self._left_behind: tuple[str, ...] = ()
        self.begin_stage("load", float("inf"))

    def __enter__(self) -> Session:
        """Copy the child into the workspace under a neutral name, and start it.

        Raises:
            MachineError: it cannot be started.
        """
        try:
            self._child = Running(
                self.box, self.repository, self.workspace, self.limits, gpu=self.device != "cpu",
                outside=self.outside, interpreter=self.interpreter,
            )  # fmt: skip
            try:
                self._child.begin()
            except BaseException:  # Ctrl-C, most likely
                self._child.close()
                raise
        except (OSError, RuntimeError) as error:  # no file, no process or no thread is to be had
            raise MachineError(f"the box did not start: {error}", "free disk space and memory, then repeat") from None
        self.started = True
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End the child and everything it started."""
        self.close()

    def beside(self, workspace: Path, device: str = "cpu", outside: Outside | None = None) -> Session:
        """One more process of the same encoder, in a box of its own, not started yet; it may reach the same if None."""
        return Session(
            self.box, self.repository, workspace, self.limits, device,
            outside=outside or self.outside, interpreter=self.interpreter,
        )  # fmt: skip

    @property
    def repository_path(self) -> str:
        """The repository as the child sees it."""
        return self.box.repository_path(self._child.job)

    @property
    def network(self) -> str:
        """`observed`, `denied` or `host`."""
        network = self.box.isolation().network
        return "denied" if network == "observed" and not self.outside else network

    def begin_stage(self, name: str, seconds: float) -> None:
        """From now on all questions belong to this stage, and together may take so long."""
        self.stage = name
        self.doing = ""
        self.stage_s = seconds
        self._stage_end = time.monotonic() + seconds

    def greeting(self, timeout_s: float) -> Answer:
        """Wait for the child's first words: versions, and whether CUDA is there."""
        answer = self._receive(time.monotonic(), timeout_s)
        self._child.remember_own()
        return answer

    def last_words(self) -> str:
        """The last line that a child that did not start left on stderr."""
        return self._child.last_words()

    def ask(self, question: dict[str, Any], payload: bytes | memoryview = b"", *, timeout_s: float) -> Answer:
        """Ask one question and wait for its answer, at most `timeout_s` seconds.

        A child that did not survive an earlier question gives that outcome again.

        Raises:
            MachineError: this machine ran out of memory.
        """
        if self.ended is not None:
            return Answer(self.ended)
        start = time.monotonic()
        self._child.tell_stage(self.stage)
        if self.outside:
            called = question["ask"] == "encode"  # anything else loads the encoder, or has nothing to do with it
            self.outside.ledger.at = Moment(self.stage, (self.doing or "a call") if called else "")
        try:
            wire.send(self._child.channel, question, payload, deadline=min(start + timeout_s, self._stage_end))
        except (wire.ClosedError, TimeoutError) as error:
            return self._end(start, timeout_s, error)
        return self._receive(start, timeout_s)

    def close(self) -> None:
        """Let the interpreter end, see what it leaves, kill what is left, stop watching. Safe to call twice."""
        try:
            if self.ended is None and self._child.alive:
                self._finish()
        finally:
            self._child.close()

    def abort(self) -> None:
        """End the child at once; whoever waits for its answer learns that it is gone. From any thread."""
        if self.started:
            self._child.kill()

    def conduct(self) -> Conduct:
        """How the child behaved; complete once the session is closed."""
        out, err = self._child.drains
        ending, detail = self._over_a_limit() or (Ending.ANSWERED, "")
        ended = self.ended or Outcome(ending, 0.0, detail)
        tail = out.tail + err.tail
        return Conduct(
            stdout_bytes=out.count,
            stderr_bytes=err.count,
            output_tail=printable(tail, limit=4000, keep="\n\t"),
            ended_by=ended.ending,
            stage=self.stage,
            detail=ended.detail,
            doing=self.doing if self.ended else "",
            control_characters=count_controls(tail),
            watched=self._child.watch is not None,
            attempts=self._child.watch.summary() if self._child.watch else (),
            left_behind=self._left_behind,
            exit_blocked_by=self._exit_blocked_by,
        )

    def usage(self) -> Usage:
        """What the child used so far."""
        meter = self._child.meter
        return Usage(
            device=self.device,
            peak_memory_bytes=meter.peak_bytes,
            memory_limit_bytes=self.limits.memory_bytes,
            peak_tasks=meter.peak_tasks,
            tasks_limit=self.limits.tasks,
            peak_scratch_bytes=meter.peak_scratch_bytes,
            scratch_limit_bytes=self.limits.scratch_bytes,
            peak_scratch_files=meter.peak_scratch_files,
            scratch_limit_files=self.limits.scratch_files,
            cpu_seconds=meter.cpu_seconds,
            cpu_limit_s=self.limits.cpu_s,
        )

    def resident_bytes(self) -> int:
        """Memory that the child's process tree holds now."""
        return self._child.meter.resident_bytes()

    def _receive(self, start: float, timeout_s: float) -> Answer:
        deadline = min(start + timeout_s, self._stage_end)
        try:
            header, payload = wire.receive(self._child.channel, self.limits.answer_bytes, deadline=deadline)
        except (wire.ClosedError, wire.GarbledError, TimeoutError) as error:
            return self._end(start, timeout_s, error)
        seconds = time.monotonic() - start
        if "raised" not in header:
            return Answer(Outcome(Ending.ANSWERED, seconds), header, payload)
        if self._child.meter.look():  # the exception may be what the limit looks like from inside
            return self._end(start, timeout_s, wire.ClosedError("over a limit"))
        return Answer(Outcome(Ending.RAISED, seconds, raised=read_raised(header["raised"])), header)

    def _end(self, start: float, timeout_s: float, error: Exception) -> Answer:
        """The child gave no answer: find out why, and end it."""
        seconds = time.monotonic() - start
        status = self._child.wait(GRACE_SECONDS) if isinstance(error, wire.ClosedError) else None
        self._child.meter.look()
        over = self._over_a_limit()
        if over:
            ending, detail = over
        elif isinstance(error, TimeoutError):
            ending, detail = self._timed_out(timeout_s)
        elif status is None:
            ending, detail = Ending.GARBLED, printable(str(error), limit=200)
        elif status < 0 or status > 128:
            ending, detail = self._killed(-status if status < 0 else status - 128)
        else:
            ending, detail = Ending.EXITED, f"exit status {status}"
        self.ended = Outcome(ending, seconds, detail)
        self._child.kill()
        if ending is Ending.MACHINE_OUT_OF_DISK:
            raise MachineError(f"this machine's disk is nearly full: {detail}", "free disk space, then repeat")
        if ending is Ending.MACHINE_OUT_OF_MEMORY:
            allowed = self.limits.memory_bytes / 2**30
            raise MachineError(
                f"this machine ran out of memory before the encoder used the {allowed:.3g} GiB it may have ({detail})",
                "end other programs, or repeat on a machine with more memory",
            )
        return Answer(self.ended)

    def _killed(self, number: int) -> tuple[Ending, str]:
        """By whom: without control groups only the whole machine's counter tells its own killing from a suicide."""
        if number == SIGKILL and self._child.meter.machine_ran_out():
            return Ending.MACHINE_OUT_OF_MEMORY, f"at {self._child.meter.peak_bytes / 2**30:.3g} GiB"
        return Ending.KILLED, f"signal {number}"

    def _over_a_limit(self) -> tuple[Ending, str] | None:
        """The limit that was passed, during a question or while the interpreter ended."""
        if self._child.meter.over:
            return self._child.meter.over
        if any(drain.flooded for drain in self._child.drains):
            return Ending.FLOODED, f"more than {self.limits.output_bytes / 2**20:.3g} MiB printed"
        return None

    def _timed_out(self, timeout_s: float) -> tuple[Ending, str]:
        if time.monotonic() >= self._stage_end:
            return Ending.STAGE_TIMED_OUT, f"the {self.stage} stage took longer than {self.stage_s:g} s"
        return Ending.TIMED_OUT, f"no answer within {timeout_s:g} s"

    def _finish(self) -> None:
        """Have the interpreter run its ending, as it will at the organisers', and note what stands in its way."""
        channel, start = self._child.channel, time.monotonic()
        threads: list[str] | None = None
        self._left_behind = self._child.left_behind()
        try:
            wire.send(channel, {"ask": "finish"}, deadline=start + GRACE_SECONDS)
            first, _ = wire.receive(channel, 0, deadline=start + GRACE_SECONDS)
            said = first.get("threads", [])
            if not isinstance(said, list):
                return
            threads = [told(name, limit=60) for name in said[:5]]
            wire.receive(channel, 0, deadline=start + EXIT_SECONDS)
        except TimeoutError:
            if threads is None:
                return  # it does not listen: nothing to be learnt
            names = f"the threads {', '.join(threads)}, which are not daemons" if threads else "an exit handler"
            self._exit_blocked_by = names
        except (wire.ClosedError, wire.GarbledError):
            return  # it ended by itself, or talks nonsense: what ran before is what it leaves
        self._left_behind = self._child.left_behind()  # exit handlers may have ended some


def count_controls(text: str) -> int:
    """Terminal controls and text-direction marks, those of colours and progress bars left out."""
    return len(CONTROLS.findall(COLOURS.sub("", text)))


def read_raised(data: object) -> Raised:
    """An exception as the child told it: every field is checked, cut and made printable.

    A child that forges this can only worsen its own verdict's wording.
    """
    source = data if isinstance(data, dict) else {}
    message = source.get("message")
    frames = source.get("frames")
    chain = source.get("chain")
    return Raised(
        type=told(source.get("type"), limit=100) or "Exception",
        message=told(LINE_ENDS.sub(" ", COLOURS.sub("", message)) if isinstance(message, str) else message, limit=600),
        chain=tuple(told(name, limit=100) for name in chain[:10]) if isinstance(chain, list) else (),
        frames=tuple(read_frame(f) for f in frames[:8] if isinstance(f, dict)) if isinstance(frames, list) else (),
        missing_module=told(source.get("missing_module"), limit=100),
    )


def read_frame(data: dict[str, Any]) -> CodeFrame:
    """One line of the participant's code as the child told it; `file` is empty if it told none."""
    line = data.get("line")
    return CodeFrame(
        file=told(data.get("file"), limit=300),
        line=line if isinstance(line, int) and 0 <= line < 1 << 31 else 0,
        function=told(data.get("function"), limit=100),
        text=told(data.get("text"), limit=200),
    )
