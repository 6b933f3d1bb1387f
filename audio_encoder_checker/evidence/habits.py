"""Lines of the encoder's sources that work on the author's machine and may not elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from audio_encoder_checker.printable import place


class HabitKind(str, Enum):
    """Classes of such lines; each belongs to one check."""

    ABSOLUTE_PATH = "absolute path"
    WORKING_FOLDER = "path from the working folder"
    WRONG_CASE = "import in other letters"
    DEVICE = "hard-coded device"
    REMOTE_CODE = "code from elsewhere"
    UNPINNED = "download without a revision"
    PLACEHOLDER = "made-up output"
    MISSING_FILE = "file that is not there"


@dataclass(frozen=True)
class Habit:
    """One such line.

    Attributes:
        kind: the class.
        file: relative to the root.
        line: from 1.
        what: the path, module, device or repository; printable.
        text: the line, cut and made printable.
        sure: it fails wherever the encoder is used; else it may.
        better: what should stand there instead, may be empty.
    """

    kind: HabitKind
    file: str
    line: int
    what: str
    text: str = ""
    sure: bool = False
    better: str = ""

    @property
    def at(self) -> str:
        """`file.py:12`, printable."""
        return place(self.file, self.line)


@dataclass(frozen=True)
class HabitFacts:
    """Those that were found in the files that the encoder reaches, by file and line."""

    habits: tuple[Habit, ...] = ()

    def of(self, kind: HabitKind) -> tuple[Habit, ...]:
        """Those of one class."""
        return tuple(one for one in self.habits if one.kind is kind)
