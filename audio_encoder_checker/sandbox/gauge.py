"""How full the child's temporary folders are, seen from outside."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WALK_SECONDS = 0.5
"""A folder is walked so often; while its files are many, less often, so that walking takes a tenth of the time."""
ENOUGH_FILES = 200_000


class Gauge(Protocol):
    """Tells what lies in the temporary folders."""

    @property
    def in_memory(self) -> bool:
        """Whether what lies there takes RAM."""

    def read(self, pids: Iterable[int], *, now: bool) -> tuple[int, int]:
        """Bytes and files in all of them, a recent reading unless `now`; `pids` are the box's. Never raises."""


class MountGauge:
    """File systems of the box's own, asked through a process that lives in it: exact and cheap."""

    in_memory = True

    def __init__(self, folders: tuple[str, ...]) -> None:
        self.folders = folders
        self._of_host = {Path(folder).stat().st_dev for folder in folders if Path(folder).is_dir()}

    def read(self, pids: Iterable[int], *, now: bool) -> tuple[int, int]:  # noqa: ARG002 - always now
        """Bytes and files by `statvfs`."""
        pid = max(pids, default=0)  # the youngest: surely inside
        used = files = 0
        for folder in self.folders:
            place = f"/proc/{pid}/root{folder}"
            try:
                found = os.statvfs(place)
                if Path(place).stat().st_dev in self._of_host:
                    continue  # it is still on its way into the box
            except OSError:
                continue
            used += (found.f_blocks - found.f_bfree) * found.f_frsize
            files += found.f_files - found.f_ffree
        return used, files


class FolderGauge:
    """A folder on the host: walked now and then; deleted files that are still open are counted too."""

    in_memory = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._device = folder.stat().st_dev if folder.is_dir() else 0
        self._due = 0.0
        self._last = (0, 0)

    def read(self, pids: Iterable[int], *, now: bool) -> tuple[int, int]:
        """Bytes on disk and files; the last reading while the next is not due."""
        start = time.monotonic()
        if now or start >= self._due:
            sizes = [*_tree(self.folder), *_deleted(pids, self._device)]
            self._last = (sum(sizes), len(sizes))
            self._due = start + max(WALK_SECONDS, 10 * (time.monotonic() - start))
        return self._last


def _tree(folder: Path) -> Iterator[int]:
    """Bytes on disk of everything below a folder; links are not followed."""
    left = [str(folder)]
    seen = 0
    while left and seen < ENOUGH_FILES:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    seen += 1
                    found = entry.stat(follow_symlinks=False)
                    yield found.st_blocks * 512
                    if stat.S_ISDIR(found.st_mode):
                        left.append(entry.path)
        except OSError:  # gone or locked meanwhile
            continue


def _deleted(pids: Iterable[int], device: int) -> Iterator[int]:
    """Bytes on one disk of files that have no name any more but are held open."""
    seen = set()
    for pid in pids:
        try:
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                found = descriptor.stat()
                nameless = stat.S_ISREG(found.st_mode) and found.st_nlink == 0 and found.st_dev == device
                if nameless and found.st_ino not in seen:
                    seen.add(found.st_ino)
                    yield found.st_blocks * 512
        except OSError:
            continue
