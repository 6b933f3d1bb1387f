"""The lines of source that findings point at.

Where a finding points comes from untrusted words, names of files and what an encoder says in a traceback, so a path is
followed only to a regular file below the repository's root, and what stands there is made printable; credentials are
masked.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.secrets import OPEN_FLAGS, hide_secrets
from audio_encoder_checker.archive.syntax import NEWLINE
from audio_encoder_checker.findings import SourceLine
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audio_encoder_checker.findings import Finding

PLACE = re.compile(r"(?P<path>.+\.py):(?P<line>[1-9][0-9]{0,8})", re.DOTALL)
MAX_BYTES = 1 << 20
MAX_LINE = 160
TAB = 4


def with_excerpts(findings: Iterable[Finding], root: Path) -> tuple[Finding, ...]:
    """Findings that point at a line of a Python file of the repository, with that line and its neighbours."""
    files: dict[str, list[str]] = {}
    excerpted = []
    for finding in findings:
        place = PLACE.fullmatch(finding.at)
        if place:
            path = place["path"]
            if path not in files:
                files[path] = _read_lines(root, path)
            finding = replace(finding, excerpt=_around(files[path], int(place["line"])))  # noqa: PLW2901 - the same
        excerpted.append(finding)
    return tuple(excerpted)


def _around(lines: list[str], line: int) -> tuple[SourceLine, ...]:
    """A line, the one before and the one after; nothing if the file has no such line."""
    if line > len(lines):
        return ()
    first = max(1, line - 1)
    return tuple(SourceLine(number, _shown(text)) for number, text in enumerate(lines[first - 1 : line + 1], first))


def _shown(text: str) -> str:
    return printable(text[: MAX_LINE + 1].expandtabs(TAB).rstrip(), limit=MAX_LINE)


def _read_lines(root: Path, path: str) -> list[str]:
    """The lines of a file below the root; none if it lies elsewhere, is no regular file or too large."""
    data = b"" if Path(path).is_absolute() else _read(root.resolve(), path)
    if not data or len(data) > MAX_BYTES:
        return []
    lines = NEWLINE.split(hide_secrets(data.decode("utf-8-sig", "replace")))
    return lines if lines[-1] else lines[:-1]


def _read(root: Path, path: str) -> bytes:
    """At most one byte more than is allowed; nothing of what cannot or must not be read."""
    try:
        real = (root / path).resolve()
        descriptor = os.open(real, OPEN_FLAGS) if real.is_relative_to(root) else None
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that is none
        return b""
    if descriptor is None:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
