"""What lies in a repository beside its sources and weights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

OFFICIAL_CHECKER = "audio_encoder_checker.py"
"""The challenge's own checker, as its template brings it along at the root."""


class CheckerState(str, Enum):
    """What the copy of the official checker is."""

    CURRENT = "the current one"
    OLDER = "an older one"
    ALTERED = "not the official one"
    MISSING = "not there"


@dataclass(frozen=True)
class Notebook:
    """A Jupyter notebook: its path, how many of its cells hold outputs, and about how many bytes these take.

    One that is too large to be read has no cells, and its size is its file's.
    """

    path: str
    cells: int
    output_bytes: int


@dataclass(frozen=True)
class Compiled:
    """A file of machine code: its path, and what it is, as words after "is"."""

    path: str
    what: str


@dataclass(frozen=True)
class RepositoryFacts:
    """The files of a repository.

    Attributes:
        readme: path of the file that explains it, empty if there is none.
        requirements: files at the root that say what to install.
        checker: what the copy of the official checker is.
        checker_sha256: of that copy, empty if there is none.
        notebooks: those with outputs.
        compiled: machine code.
    """

    readme: str = ""
    requirements: tuple[str, ...] = ()
    checker: CheckerState = CheckerState.MISSING
    checker_sha256: str = ""
    notebooks: tuple[Notebook, ...] = ()
    compiled: tuple[Compiled, ...] = ()
