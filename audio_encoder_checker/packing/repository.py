"""Whether a folder holds what git has committed: the ZIP is made of the folder."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 10.0
COMMAND = ("git", "-c", "core.fsmonitor=false", "status", "--porcelain=v1", "-z", "--untracked-files=all", "--", ".")
"""`core.fsmonitor` may name a program to run."""


def uncommitted(root: Path) -> tuple[str, ...] | None:
    """Paths below a folder that differ from git's last commit, or that git does not know; what it ignores left out.

    Returns:
        None where there is no git, or the folder is in no repository.
    """
    try:
        done = subprocess.run(COMMAND, cwd=root, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    fields = iter(done.stdout.decode("utf-8", "replace").split("\0"))
    return tuple(_paths(fields))


def _paths(fields: Iterator[str]) -> Iterator[str]:
    """The paths: of a rename the new one, behind which the old one follows."""
    for field in fields:
        if len(field) > len("XY "):
            if field[0] in "RC":
                next(fields, "")
            yield field[3:]
