"""What was handed in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SubmissionKind(str, Enum):
    """The three things a user may point at."""

    ARCHIVE = "archive"
    FOLDER = "folder"
    FILE = "file"


@dataclass(frozen=True)
class Submission:
    """A submission as it lies on disk.

    Attributes:
        path: as the user gave it.
        kind: archive, folder or one Python file.
        sha256: of the archive's or file's bytes, empty until they are read; of a folder, of its sorted names and
            contents.
        size_bytes: of the archive or file; of a folder, the sum of its files.
    """

    path: str
    kind: SubmissionKind
    sha256: str
    size_bytes: int
