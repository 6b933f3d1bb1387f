"""Files of a repository as bytes, without ever leaving it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from audio_encoder_checker.archive.secrets import hide_secrets
from audio_encoder_checker.printable import printable

MAX_BYTES = 1 << 20
"""No honest list of requirements is larger."""
LONGEST = 2_000
"""Characters of a line that are looked at before it is cut."""
CREDENTIALS = re.compile(r"(://)(?!git@)[^/@\s]+@")


class Read(NamedTuple):
    """A file's bytes, and whether there are too many, of which none is given."""

    data: bytes
    too_large: bool = False


def read_inside(root: Path, path: str) -> Read | None:
    """A regular file of the repository; None if there is none, or a link leads out.

    Args:
        root: of the repository, without links in it.
        path: relative to it, with `/`.
    """
    try:
        real = (root / path).resolve()
        if not real.is_relative_to(root) or not real.is_file():
            return None
        with real.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that is none
        return None
    return Read(b"", too_large=True) if len(data) > MAX_BYTES else Read(data)


def inside(root: Path, folder: str, path: str) -> str | None:
    """A path that a file names, relative to the root; None if it leads out.

    Args:
        root: of the repository, without links in it.
        folder: where the path starts from, relative to the root.
        path: as it is named.
    """
    if "\0" in path or Path(path).is_absolute():
        return None
    try:
        wanted = Path(os.path.normpath(root / folder / path))
        fits = wanted.is_relative_to(root) and wanted.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return None
    return wanted.relative_to(root).as_posix() if fits else None


def shown(text: str, limit: int = 100) -> str:
    """A line for a report: credentials masked, cut and made printable."""
    return printable(CREDENTIALS.sub(r"\1***@", hide_secrets(text[:LONGEST])).strip(), limit=limit)
