"""Environments that outlive a run, in the user's cache folder: by the hash of what is in them.

A key has two locks: whoever makes or removes the environment holds `KEY.lock`; whoever runs an encoder in it holds
`KEY.use`, many at a time, so that nobody removes it meanwhile. It is made beside its place and renamed at the end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evaluation.cache import cache_folder
from audio_encoder_checker.printable import size_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOCKS: bool = sys.platform != "win32"
if LOCKS:
    import fcntl

FACTS = "facts.json"
"""Written last: an environment without it is not used."""
PART = ".part"
MOST_BYTES = 20 * 2**30
MOST_DAYS = 90.0
"""Environments that were not used for so long are removed, and beyond 20 GiB those not used for the longest time."""
WAIT_SECONDS = 3600.0
"""Another process may be installing the same set."""
FREE_BYTES = 2 * 2**30
FREE_WITH_TORCH_BYTES = 10 * 2**30
"""Room to have before installing: transformers and its like stay below 1 GiB; torch with CUDA unpacks to 6 GiB."""


def environments_folder() -> Path:
    """Where they lie; made if need be.

    Raises:
        MachineError: it cannot be made.
    """
    folder = cache_folder() / "environments"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    except OSError as error:
        raise MachineError(f"no folder for environments: {error}", "name another with AECC_CACHE_DIR") from None
    return folder


def ensure_room(folder: Path, *, torch: bool) -> None:
    """See that there is room for an environment.

    Raises:
        MachineError: there is not.
    """
    needed = FREE_WITH_TORCH_BYTES if torch else FREE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        hint = "free disk space, or name another folder with AECC_CACHE_DIR"
        raise MachineError(f"{size_words(free)} of disk are free, an environment may need {size_words(needed)}", hint)


@contextlib.contextmanager
def kept(root: Path, key: str, make: Callable[[Path], None]) -> Iterator[tuple[Path, bool]]:
    """An environment of this key, made if there is none; nobody removes it while it is used.

    Args:
        root: where environments lie.
        key: its name.
        make: fills a folder that is not there yet, of which nothing may know its own path.

    Yields:
        Its folder, and whether it was there already.

    Raises:
        MachineError: another process has been making it for too long.
    """
    from filelock import FileLock, Timeout

    folder = root / key
    try:
        with FileLock(root / f"{key}.lock", timeout=WAIT_SECONDS):
            used = os.open(root / f"{key}.use", os.O_CREAT | os.O_RDWR, 0o600)
            if LOCKS:
                fcntl.flock(used, fcntl.LOCK_SH)  # the kernel frees it when we are gone, however we end
            try:
                cached = (folder / FACTS).is_file()
                if not cached:
                    _make(folder, root / f"{key}{PART}", make)
                os.utime(folder)
            except BaseException:
                os.close(used)
                raise
    except Timeout:
        raise MachineError("another process is still installing the same packages", "try again later") from None
    try:
        yield folder, cached
    finally:
        os.close(used)


def _make(folder: Path, part: Path, make: Callable[[Path], None]) -> None:
    for left in (folder, part):  # of a process that was killed
        if left.exists():
            shutil.rmtree(left)
    try:
        make(part)
        if not (part / FACTS).is_file():
            raise MachineError("the environment has no list of its packages", "this is a bug of the checker")
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def prune(root: Path, *, most_bytes: int = MOST_BYTES, most_days: float = MOST_DAYS) -> None:
    """Remove what was not used for long, unless somebody uses it or makes it now."""
    folders = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    total = 0
    for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True):
        total += size_of(folder)
        old = time.time() - folder.stat().st_mtime > most_days * 86_400
        if total > most_bytes or old or folder.suffix == PART:
            with contextlib.suppress(OSError):
                _discard(root, folder)


def _discard(root: Path, folder: Path) -> None:
    """Remove one; the file of its lock stays, because somebody may be waiting for it."""
    from filelock import FileLock, Timeout

    key = folder.name.removesuffix(PART)
    with contextlib.suppress(Timeout), FileLock(root / f"{key}.lock", timeout=0):
        used = os.open(root / f"{key}.use", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            if LOCKS:
                fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        except BlockingIOError:
            return
        finally:
            os.close(used)


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder; links are not followed."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total
