"""How a conversation with the encoder went: the box it ran in, how each call ended, what it used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ending(str, Enum):
    """How one call to the child ended."""

    ANSWERED = "answered"
    RAISED = "raised"
    EXITED = "exited"
    KILLED = "killed"
    OUT_OF_MEMORY = "out of memory"
    MACHINE_OUT_OF_MEMORY = "the machine is out of memory"
    MACHINE_OUT_OF_DISK = "the machine's disk is full"
    TIMED_OUT = "timed out"
    FLOODED = "flooded"
    GARBLED = "garbled"
    TOO_MANY_TASKS = "too many processes"
    SCRATCH_FULL = "scratch full"
    OUT_OF_CPU_TIME = "out of CPU time"
    STAGE_TIMED_OUT = "stage timed out"

    @property
    def by_limit(self) -> bool:
        """Whether a limit on the whole session ended it: a check of the limit's own says so, and no other."""
        return self in (
            Ending.FLOODED,
            Ending.OUT_OF_MEMORY,
            Ending.TOO_MANY_TASKS,
            Ending.SCRATCH_FULL,
            Ending.OUT_OF_CPU_TIME,
            Ending.STAGE_TIMED_OUT,
        )

    @property
    def alive(self) -> bool:
        """Whether the child can still be asked."""
        return self in (Ending.ANSWERED, Ending.RAISED)


@dataclass(frozen=True)
class CodeFrame:
    """One line of the participant's own code in a traceback; `file` is relative to the repository."""

    file: str
    line: int
    function: str
    text: str


@dataclass(frozen=True)
class Raised:
    """An exception of the submission, as the child told it.

    Attributes:
        type: class name of the exception.
        message: its text, cut and made printable.
        chain: class names of the exception and its causes, outermost first.
        frames: the participant's own lines, innermost last.
        missing_module: top-level module that could not be found, may be empty.
    """

    type: str
    message: str
    chain: tuple[str, ...] = ()
    frames: tuple[CodeFrame, ...] = ()
    missing_module: str = ""

    @property
    def at(self) -> str:
        """`file:line` of the innermost own line, or empty."""
        return f"{self.frames[-1].file}:{self.frames[-1].line}" if self.frames else ""

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True)
class Outcome:
    """How one call ended, after how long; `detail` names the exit code, signal or limit."""

    ending: Ending
    seconds: float
    detail: str = ""
    raised: Raised | None = None

    @property
    def at(self) -> str:
        """Where in the participant's code, if an exception says so."""
        return self.raised.at if self.raised else ""

    def __str__(self) -> str:
        if self.raised:
            return str(self.raised)
        return f"{self.ending.value}: {self.detail}" if self.detail else self.ending.value


@dataclass(frozen=True)
class Probe:
    """One attempt to get out of the box, made by the checker itself before the box was trusted.

    Attributes:
        name: what was tried.
        shut: whether the box held.
        detail: the error met inside, or what was reached.
    """

    name: str
    shut: bool
    detail: str = ""


@dataclass(frozen=True)
class Isolation:
    """The box the encoder ran in, and what it does not protect from.

    Attributes:
        tier: `strong`, `medium` or `weak`.
        mechanisms: what it is made of, the most important first.
        memory: how the memory limit is kept.
        network: `denied` or `host`.
        unprotected: what the box does not protect from.
        why_not_stronger: empty for the strongest tier.
        remedy: the one command that would make it stronger, may be empty.
        probes: attempts to get out, made before the box was trusted; none for the weak tier.
    """

    tier: str
    mechanisms: tuple[str, ...]
    memory: str
    network: str
    unprotected: tuple[str, ...]
    why_not_stronger: str = ""
    remedy: str = ""
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True)
class Usage:
    """What the whole session used, measured from outside.

    Attributes:
        device: where the encoder ran, `cpu` or `cuda:0`.
        peak_memory_bytes: of the whole process tree.
        memory_limit_bytes: what it was allowed.
        peak_tasks: most processes and threads at once.
        tasks_limit: what was allowed.
        peak_scratch_bytes: most that lay in the temporary folders at once.
        scratch_limit_bytes: what was allowed.
        peak_scratch_files: the same, in files.
        scratch_limit_files: what was allowed.
        cpu_seconds: of all processes together.
        cpu_limit_s: what was allowed.
    """

    device: str
    peak_memory_bytes: int
    memory_limit_bytes: int
    peak_tasks: int
    tasks_limit: int
    peak_scratch_bytes: int
    scratch_limit_bytes: int
    peak_scratch_files: int
    scratch_limit_files: int
    cpu_seconds: float
    cpu_limit_s: float


class AttemptKind(str, Enum):
    """What sort of thing was tried."""

    CONNECT = "connect"
    LOOK_UP = "look up"
    WRITE = "write"
    CALL = "call"


@dataclass(frozen=True)
class Attempt:
    """Something that the encoder asked the kernel for and that the box refuses; the kernel tells, not the child.

    Attributes:
        kind: a connection, a host name, a file to write, or a system call of no use to an encoder.
        target: `address:port` or a socket's path; the name; the path; the call's name. Printable.
        count: how often.
        stage: the stage in which it was tried first.
    """

    kind: AttemptKind
    target: str
    count: int
    stage: str


@dataclass(frozen=True)
class Conduct:
    """How the encoder behaved in the box beside answering.

    Attributes:
        stdout_bytes: how much it printed.
        stderr_bytes: the same for stderr.
        output_tail: the end of both, made printable.
        ended_by: how the session ended if the child did not live to the end, else `answered`.
        stage: the stage in which it ended.
        detail: exit code, signal or limit.
        doing: what was asked of it when it ended, may be empty.
        control_characters: terminal controls and text-direction marks in the output, colours not counted.
        watched: whether the box saw what was tried and refused.
        attempts: what was tried, most frequent first.
        left_behind: names of processes that still ran when the encoder was done.
        exit_blocked_by: what kept the interpreter from ending by itself; empty if it ended.
    """

    stdout_bytes: int
    stderr_bytes: int
    output_tail: str
    ended_by: Ending
    stage: str
    detail: str
    doing: str = ""
    control_characters: int = 0
    watched: bool = False
    attempts: tuple[Attempt, ...] = ()
    left_behind: tuple[str, ...] = ()
    exit_blocked_by: str = ""


def with_attempts(conduct: Conduct, others: Iterable[Conduct]) -> Conduct:
    """The conduct of a process, and what further processes of the same encoder tried or left that it did not."""
    for other in others:
        known = {(attempt.kind, attempt.target) for attempt in conduct.attempts}
        tried = tuple(attempt for attempt in other.attempts if (attempt.kind, attempt.target) not in known)
        left = conduct.left_behind or other.left_behind
        conduct = replace(conduct, attempts=conduct.attempts + tried, left_behind=left)
    return conduct
