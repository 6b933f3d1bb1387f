"""Private temporary folders, and the removal of what an earlier checker that was killed has left."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.sandbox.cgroup import sweep_cgroups

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCKS: bool = sys.platform != "win32"
"""Without locks nothing is swept."""
if LOCKS:
    import fcntl

PREFIX = "aecc-"
LOCK = "lock"
YOUNG_SECONDS = 60.0
"""A folder without a lock may be one that is being made."""


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A private folder for one run, removed at the end; while we live nobody sweeps it.

    Others may pass through it but not list it: a box may run its child under a user of its own, and what
    that user has to reach lies in here under names that only it is told.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)
    lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    if LOCKS:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel frees it when we are gone, however we end
    try:
        yield folder
    finally:
        remove(folder)
        os.close(lock)


def subfolder(folder: Path) -> Path:
    """A new folder in a workspace for one child, to be passed through as the workspace is."""
    made = Path(tempfile.mkdtemp(dir=folder))
    made.chmod(0o711)
    return made


def sweep() -> None:
    """Remove control groups and folders of checkers that are gone."""
    sweep_cgroups()
    if not LOCKS:
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            _sweep_folder(folder)


def _sweep_folder(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        if time.time() - found.st_mtime > YOUNG_SECONDS:
            remove(folder)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(folder)
    except BlockingIOError:
        return  # its checker lives
    finally:
        os.close(lock)


def remove(folder: Path) -> None:
    """Remove a folder whatever an encoder has put into it: shut folders, links, nesting deeper than a path is long.

    Every folder is lifted to the top before its contents are looked at, so that no path grows. What the system
    will not let go of stays, for the next sweep.
    """
    lifted = secrets.token_hex(8)
    number = 0
    with contextlib.suppress(OSError):
        while entries := list(os.scandir(folder)):
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    Path(entry.path).unlink()
                    continue
                Path(entry.path).chmod(0o700)
                for inner in list(os.scandir(entry.path)):
                    if inner.is_dir(follow_symlinks=False):
                        Path(inner.path).chmod(0o700)  # to move a folder is to write into it
                        Path(inner.path).rename(folder / f"{lifted}-{number}")
                        number += 1
                    else:
                        Path(inner.path).unlink()
                Path(entry.path).rmdir()
        folder.rmdir()
