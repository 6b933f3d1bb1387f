"""Which submissions there are: by content, so that the same one is judged once however many teams send it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.archive.manifest import describe_file
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SETTLED_S = 3.0
"""A file that did not change for so long is whole."""


@dataclass
class Submitted:
    """One content, and the files that have it.

    Attributes:
        sha256: of it, in hexadecimal.
        size_bytes: of it.
        files: where it lies, as given; the first one is judged.
    """

    sha256: str
    size_bytes: int
    files: list[Path]

    def as_data(self) -> dict[str, Any]:
        """As it stands in a record."""
        names = [printable(str(path), limit=1000) for path in self.files]
        return {"sha256": self.sha256, "size_bytes": self.size_bytes, "files": names}


def take_in(paths: Iterable[Path]) -> dict[str, Submitted]:
    """Read every file, and put those with the same content together.

    Raises:
        UsageError: one is no file, or cannot be read.
    """
    found: dict[str, Submitted] = {}
    for path in dict.fromkeys(paths):
        if not path.is_file():
            message = f"{printable(str(path))!r} is no file"
            raise UsageError(message, "many submissions are judged as ZIPs: `aecc-check inbox/*.zip --out results`")
        add(found, path)
    return found


def add(known: dict[str, Submitted], path: Path) -> Submitted:
    """Read one more file."""
    file = describe_file(path, str(path))
    one = known.setdefault(file.sha256, Submitted(file.sha256, file.size_bytes, []))
    if path not in one.files:
        one.files.append(path)
    return one


def part_files(record: Mapping[str, Any], latest: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """A record's files that may hold its content still, and those in whose place a newer version was sent.

    Args:
        record: of a submission.
        latest: SHA-256 of what was last found in each file.
    """
    sha256, files = record["submission"]["sha256"], record["submission"]["files"]
    gone = [file for file in files if latest.get(file, sha256) != sha256]
    return [file for file in files if file not in gone], gone


class Watch:
    """The ZIPs of a folder as they arrive; one that is still being written is waited for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[Path, tuple[int, int]] = {}
        self._since: dict[Path, float] = {}
        self._taken: dict[Path, tuple[int, int]] = {}

    def arrived(self) -> Iterator[Path]:
        """Files that are new, or changed, since they were told last, and have settled."""
        now = time.monotonic()
        for path in sorted(path for path in self.folder.glob("*") if path.suffix.lower() == ".zip"):
            try:
                status = path.stat()
            except OSError:  # it went away
                continue
            state = (status.st_size, status.st_mtime_ns)
            if self._seen.get(path) != state:
                self._seen[path], self._since[path] = state, now
            elif self._taken.get(path) != state and now - self._since[path] >= SETTLED_S:
                self._taken[path] = state
                yield path
