"""How a conversation with the encoder went: the box it ran in, how each call ended, what it used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Ending(str, Enum):
    """How one call to the child ended."""

    ANSWERED = "answered"
    RAISED = "raised"
    EXITED = "exited"
    KILLED = "killed"
    OUT_OF_MEMORY = "out of memory"
    TIMED_OUT = "timed out"
    FLOODED = "flooded"
    GARBLED = "garbled"

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
class Isolation:
    """The box the encoder ran in, and what it does not protect from.

    Attributes:
        tier: `strong` or `weak`.
        mechanisms: what it is made of.
        memory: how the memory limit is kept.
        network: `denied` or `host`.
        unprotected: what the box does not protect from.
        why_not_stronger: empty for the strongest tier.
    """

    tier: str
    mechanisms: tuple[str, ...]
    memory: str
    network: str
    unprotected: tuple[str, ...]
    why_not_stronger: str = ""


@dataclass(frozen=True)
class Usage:
    """What the whole session used, measured from outside.

    Attributes:
        peak_memory_bytes: of the whole process tree.
        memory_limit_bytes: what it was allowed.
        device: where the encoder ran, `cpu` or `cuda:0`.
    """

    peak_memory_bytes: int
    memory_limit_bytes: int
    device: str


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
    """

    stdout_bytes: int
    stderr_bytes: int
    output_tail: str
    ended_by: Ending
    stage: str
    detail: str
