"""What was handed in, found on disk and hashed."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.window import opened_plainly
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

NOT_HASHED = {".git", ".venv", "__pycache__"}
"""Folders that differ from machine to machine and are no part of a submission."""
CHUNK_BYTES = 1 << 20


def read_submission(path: Path, *, hashed: bool = True) -> Submission:
    """Find and hash a submission.

    Args:
        path: as the user gave it.
        hashed: False leaves the hash of an archive to whoever reads it.

    Returns:
        A folder's hash covers its sorted relative names and their contents; symbolic links count by their
        target text, and `.git`, `.venv` and `__pycache__` do not count.

    Raises:
        UsageError: the path does not exist, cannot be read, or is neither file nor folder.
    """
    shown = printable(str(path), limit=300)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return _folder(path)
        if stat.S_ISREG(mode):
            return _file(path, hashed=hashed)
    except FileNotFoundError:
        raise UsageError(f"there is no {shown!r}", _nearby(path)) from None
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise UsageError(f"cannot read {shown!r}: {why}", f"try `ls -la {shown}`") from None
    kind = "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "a pipe or socket"
    raise UsageError(f"{shown!r} is {kind}", "name a ZIP archive, a folder or a Python file")


def _nearby(path: Path) -> str:
    """What the user may have meant."""
    folder = path.parent
    try:
        close = sorted(p.name for p in folder.iterdir() if p.suffix in {".zip", ".py"} or p.is_dir())
    except OSError:
        return f"there is no folder {printable(str(folder), limit=200)!r} either; check the path"
    alike = [name for name in close if name.casefold().startswith(path.stem.casefold())] if path.stem else []
    if alike:
        return f"did you mean {printable(alike[0], limit=200)!r}?"
    return "name a ZIP archive, a folder or a Python file"


def _file(path: Path, *, hashed: bool) -> Submission:
    kind = SubmissionKind.FILE if path.suffix == ".py" else SubmissionKind.ARCHIVE
    if kind is SubmissionKind.ARCHIVE and not hashed:
        with path.open("rb") as file:  # it is told now if it cannot be read
            return Submission(str(path), kind, "", file.seek(0, os.SEEK_END))
    digest = hashlib.sha256()
    size = feed(digest, path)
    return Submission(str(path), kind, digest.hexdigest(), size)


def _folder(path: Path) -> Submission:
    digest = hashlib.sha256()
    size = 0
    for name, found in sorted(_members(path)):
        digest.update(os.fsencode(name) + b"\0")
        if found.is_symlink():
            digest.update(b"link\0" + os.fsencode(found.readlink()))
        else:
            own = hashlib.sha256()
            size += feed(own, found)
            digest.update(own.digest())
    return Submission(str(path), SubmissionKind.FOLDER, digest.hexdigest(), size)


def _members(root: Path) -> Iterator[tuple[str, Path]]:
    """Relative name and path of every regular file and symbolic link."""
    for folder, folders, files in os.walk(root, onerror=_raise):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = [name for name in folders if name not in NOT_HASHED and name not in links]
        for name in [*files, *(link for link in links if link not in NOT_HASHED)]:
            found = Path(folder) / name
            if found.is_symlink() or found.is_file():
                yield found.relative_to(root).as_posix(), found


def _raise(error: OSError) -> None:
    raise error


def feed(digest: hashlib._Hash, path: Path, opened: Callable[[Path], BinaryIO] = opened_plainly) -> int:
    """Add a file's bytes to a hash, and count them."""
    size = 0
    with opened(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return size
