"""What a check says: a problem, and the finding it becomes once it is stamped with the check's identity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(str, Enum):
    """How much a finding matters: an error would be refused or break, a warning is a risk."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, as a check sees it."""

    message: str
    """What is wrong: lower case, no full stop, expected and found both given."""
    at: str = ""
    """Where: `file.py:12`, an archive entry, or empty."""
    hint: str = ""
    """The line or command that mends it; empty means the check's own `Fix:`."""
    severity: Severity | None = None
    """Only where it differs from the check's own."""
    own_cause: bool = False
    """Whether none of the findings that the check usually follows from explains it."""


@dataclass(frozen=True)
class SourceLine:
    """One line of the submission's source, cut and made printable."""

    line: int
    text: str


@dataclass(frozen=True)
class Finding:
    """A problem with the identity of the check that found it."""

    id: str
    name: str
    severity: Severity
    stage: str
    title: str
    why: str
    message: str
    at: str
    hint: str
    because_of: str = ""
    """Id of the check whose finding explains this one: mend that first. Empty for a finding in its own right."""
    excerpt: tuple[SourceLine, ...] = ()
    """The line of source that `at` names and its neighbours, read by the parent; empty if it names none."""

    @property
    def line(self) -> int:
        """The line that `at` names, 0 if it names none."""
        number = self.at.rpartition(":")[2]
        return int(number) if self.excerpt and number.isdecimal() else 0
