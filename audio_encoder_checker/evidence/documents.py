"""The report paper, as another process read it: nobody rendered it, and nothing in it was run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Reading(str, Enum):
    """How reading a paper ended."""

    COMPLETE = "complete"
    NO_PDF = "no PDF"
    DAMAGED = "damaged"
    LOCKED = "encrypted"
    LIMITED = "a limit was met"


class Encryption(str, Enum):
    """Whether a paper is encrypted, and what that keeps its reader from."""

    NONE = "not encrypted"
    RESTRICTED = "opens without a password, with restrictions"
    PASSWORD = "opens with a password only"  # noqa: S105 - words, no password
    UNKNOWN = "nobody could try it here"


@dataclass(frozen=True)
class PageSize:
    """Width and height of a page in points, 72 to the inch, as it stands in the file."""

    width: float
    height: float


@dataclass(frozen=True)
class Paper:
    """One PDF.

    Attributes:
        path: as the user gave it, else relative to where it was found.
        sure: the user named it, or its name says that it is the report.
        size_bytes: of the file.
        reading: how reading it ended; what is below may be incomplete unless that is `COMPLETE`.
        detail: what was met, printable.
        encryption: what is known of it.
        pages: how many, None if that is not known.
        sizes: of its first pages, None for one whose size cannot be read.
        characters: of text that is not space on its first pages, None for one whose text cannot be read.
    """

    path: str
    sure: bool
    size_bytes: int
    reading: Reading
    detail: str = ""
    encryption: Encryption = Encryption.NONE
    pages: int | None = None
    sizes: tuple[PageSize | None, ...] = ()
    characters: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class PaperFacts:
    """The paper that was found.

    Attributes:
        paper: None where several files are equally likely.
        candidates: those files; the paper's path alone if there is one.
    """

    paper: Paper | None
    candidates: tuple[str, ...]
