"""The files below a folder, in the order in which they are worth reading."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def files_below(root: Path, left_aside: Callable[[os.DirEntry[str]], bool]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything below a folder but folders, with its name relative to that: what lies at the top comes first.

    No link is followed into another folder. A folder that cannot be read, or lies too deep for a path, is empty.

    Args:
        root: the folder.
        left_aside: whether a folder is not looked into.
    """
    folders = [("", str(root))]
    for above, folder in folders:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                yield above + entry.name, entry
            elif not left_aside(entry):
                folders.append((f"{above}{entry.name}/", entry.path))


def is_environment(folder: os.DirEntry[str]) -> bool:
    """Whether a folder is a virtual environment of Python."""
    return os.path.lexists(f"{folder.path}/pyvenv.cfg")
