"""Where the launcher shows files to a user who cannot reach them; the checker has to know too."""

from __future__ import annotations

import os

STAGE = ("/mnt", "/media", "/srv")
"""Folders that exist nearly everywhere and hold nothing that a program needs; the first one is covered."""


def stage_folder() -> str:
    """The folder that is covered for staging.

    Raises:
        OSError: this system has none of the usual ones.
    """
    for path in STAGE:
        if os.path.isdir(path):
            return path
    raise OSError(f"none of {', '.join(STAGE)} exists")
