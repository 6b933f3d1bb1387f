"""One submission to be judged, as every engine gets it, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path


LIFELINE = "AECC_LIFELINE"
"""With this variable `aecc-check` ends, tidily, when its stdin does."""


class Needs(NamedTuple):
    """What one submission may take while it is judged.

    Attributes:
        cores: of the CPU.
        ram_bytes: of the machine's memory, the box's limit and the checker's own.
        vram_gb: of a GPU's memory, in 10^9 bytes; 0 for no GPU.
    """

    cores: int
    ram_bytes: int
    vram_gb: float = 0.0


@dataclass(frozen=True)
class Job:
    """One submission to be judged.

    Attributes:
        sha256: of the submission, in hexadecimal.
        submission: the ZIP.
        folder: an empty one, for reports and the log.
        options: of `aecc-check`.
        needs: what it may take.
    """

    sha256: str
    submission: Path
    folder: Path
    options: tuple[str, ...]
    needs: Needs


@dataclass(frozen=True)
class Ended:
    """One attempt at a job.

    Attributes:
        job: it.
        status: exit status of `aecc-check`; None where the worker was lost.
        seconds: it took.
        worker: where it ran.
        lost: why there is no status, empty if there is one.
    """

    job: Job
    status: int | None
    seconds: float
    worker: str
    lost: str = ""


class Engine(Protocol):
    """What places jobs on machines, and survives losing one."""

    def submit(self, job: Job) -> None:
        """Have a job done as soon as there is room for it."""

    def next(self, timeout_s: float) -> Ended | None:
        """The next job that ended, waited for so long; None if none did."""

    def close(self) -> None:
        """End everything that runs."""
