"""What a mending would change, as data: nothing here reads or writes a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.syntax import NEWLINE
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONTEXT = 3
"""Unchanged lines shown around a change."""


@dataclass(frozen=True)
class LeftOut:
    """Files that the new ZIP does not get: one of this name, or all below a folder (then `/` ends the name)."""

    name: str
    files: int
    size_bytes: int

    @property
    def line(self) -> str:
        """For the user."""
        files = f"{self.files} files, " if self.files > 1 else ""
        return f"{printable(self.name)}  ({files}{size_words(self.size_bytes)})"


@dataclass(frozen=True)
class Renamed:
    """A file, or a folder whose name ends in `/`, under another name; `./` is the top."""

    old: str
    new: str

    @property
    def line(self) -> str:
        """For the user."""
        return f"{printable(self.old)} -> {printable(self.new)}"


@dataclass(frozen=True)
class Rewritten:
    """A file whose record in the ZIP is written anew; its contents stay."""

    name: str
    what: str

    @property
    def line(self) -> str:
        """For the user."""
        return f"{printable(self.name)}: {printable(self.what)}"


@dataclass(frozen=True)
class Added:
    """A new text file."""

    name: str
    text: str

    @property
    def line(self) -> str:
        """For the user."""
        return f"{printable(self.name)}  ({len(NEWLINE.findall(self.text))} lines)"


@dataclass(frozen=True)
class Edited:
    """A source with some lines changed and none added or taken away; `encoding` is that of both texts."""

    name: str
    before: bytes
    after: bytes
    encoding: str

    def difference(self) -> Iterator[str]:
        """A unified diff, with whatever steers a terminal escaped; no line is cut.

        The lines of both sides belong together one by one, so that no search for what is common is needed.
        """
        old, new = self._lines()
        changed = [number for number, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
        yield f"--- {printable(self.name)}"
        yield f"+++ {printable(self.name)}"
        for hunk in _hunks(changed):
            first, last = max(0, hunk[0] - CONTEXT), min(len(old), hunk[-1] + 1 + CONTEXT)
            last -= last == len(old) and not old[-1]  # behind the last line end there is no line
            yield f"@@ -{first + 1},{last - first} +{first + 1},{last - first} @@"
            yield from _hunk(old, new, range(first, last))

    def _lines(self) -> tuple[list[str], list[str]]:
        old, new = (NEWLINE.split(data.decode(self.encoding)) for data in (self.before, self.after))
        return old, new


def _hunks(changed: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of changed lines, those together whose contexts meet."""
    hunk: list[int] = []
    for number in changed:
        if hunk and number - hunk[-1] > 2 * CONTEXT + 1:
            yield hunk
            hunk = []
        hunk.append(number)
    if hunk:
        yield hunk


def _hunk(old: Sequence[str], new: Sequence[str], lines: range) -> Iterator[str]:
    taken: list[str] = []
    given: list[str] = []
    for number in lines:
        if old[number] != new[number]:
            taken.append(f"-{_whole(old[number])}")
            given.append(f"+{_whole(new[number])}")
            continue
        yield from [*taken, *given]
        taken, given = [], []
        yield f" {_whole(old[number])}"
    yield from [*taken, *given]


def _whole(line: str) -> str:
    return printable(line, limit=10 * len(line) + 1, keep="\t")


Change = LeftOut | Renamed | Rewritten | Added | Edited


@dataclass(frozen=True)
class Mending:
    """One thing that is mended.

    Attributes:
        check_id: the check that asks for it, empty if none does.
        what: in words, with what becomes of it.
        changes: file by file.
    """

    check_id: str
    what: str
    changes: tuple[Change, ...]
