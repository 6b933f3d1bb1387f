"""How full the child's temporary folders are, seen from outside."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from audio_encoder_checker.sandbox.box import LINUX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WALK_SECONDS = 0.5
"""A folder is walked so often; while its files are many, less often, so that walking takes a tenth of the time."""
ENOUGH_FILES = 200_000
DEEPEST = 200


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
        """Bytes and files by `statvfs`, as the youngest process that can tell sees them: a dead one cannot."""
        for pid in sorted(pids, reverse=True):
            found = [one for folder in self.folders if (one := self._usage(f"/proc/{pid}/root{folder}"))]
            if found:
                return sum(used for used, _ in found), sum(files for _, files in found)
        return 0, 0

    def _usage(self, folder: str) -> tuple[int, int] | None:
        try:
            place = os.open(folder, os.O_PATH)  # of which both questions are asked
        except OSError:
            return None
        try:
            if os.fstat(place).st_dev in self._of_host:  # the process is still on its way into the box
                return None
            found = os.statvfs(place)
            return (found.f_blocks - found.f_bfree) * found.f_frsize, found.f_files - found.f_ffree
        finally:
            os.close(place)


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

    def free_bytes(self) -> int:
        """What is left on its disk."""
        return shutil.disk_usage(self.folder).free


def _tree(folder: Path) -> Iterator[int]:
    """Bytes on disk of everything below a folder; links are not followed."""
    if LINUX:
        return itertools.islice(_below(str(folder), None, 0), ENOUGH_FILES)
    return (found.st_size for path in folder.rglob("*") if (found := _stat(path)))


def _below(name: str, above: int | None, depth: int) -> Iterator[int]:
    """Of one folder, by descriptors: no path grows too long, no link is taken for a folder that was there before.

    Folders nested deeper than any program needs count as more files than are allowed: they are not walked.
    """
    if depth > DEEPEST:
        yield from itertools.repeat(0, ENOUGH_FILES)
    try:
        place = _opened(name, above)
    except OSError:  # gone meanwhile
        return
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                found = _stat(entry)
                if found:
                    yield found.st_blocks * 512
                    if stat.S_ISDIR(found.st_mode):
                        yield from _below(entry.name, place, depth + 1)
    finally:
        os.close(place)


def _opened(name: str, above: int | None) -> int:
    """A folder, opened; one that its owner has shut against reading, which is us or our box, is unlocked."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=above)
    except PermissionError:
        place = os.open(name, flags | os.O_PATH, dir_fd=above)
    try:
        Path(f"/proc/self/fd/{place}").chmod(0o700)
        return os.open(f"/proc/self/fd/{place}", flags & ~os.O_NOFOLLOW)
    finally:
        os.close(place)


def _stat(entry: os.DirEntry[str] | Path) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except OSError:  # gone meanwhile
        return None


def _deleted(pids: Iterable[int], device: int) -> Iterator[int]:
    """Bytes on one disk of files that have no name any more but are held open."""
    seen = set()
    for found in itertools.chain.from_iterable(map(_open_files, pids)):
        nameless = stat.S_ISREG(found.st_mode) and found.st_nlink == 0 and found.st_dev == device
        if nameless and found.st_ino not in seen:
            seen.add(found.st_ino)
            yield found.st_blocks * 512


def _open_files(pid: int) -> list[os.stat_result]:
    """What a process holds open, told by a thread that lives: its first one may have ended alone."""
    found = []
    for thread in _listed(Path(f"/proc/{pid}/task")):
        for descriptor in _listed(thread / "fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                found.append(descriptor.stat())
        if found:
            break
    return found


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # gone meanwhile
        return []
