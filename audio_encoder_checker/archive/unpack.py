"""Write the files of an archive into an empty folder, and nothing outside it.

Python's `extractall` believes what the archive says. Here every file is made new (`O_EXCL`), relative to the
descriptor of its folder, through no symbolic link (`O_NOFOLLOW`), with a mode of ours; writing stops at the
declared size and the CRC is verified on the way.
"""

from __future__ import annotations

import errno
import os
import re
import zlib
from contextlib import closing, nullcontext, suppress
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.checksum import crc32_of
from audio_encoder_checker.archive.layout import is_macos_metadata
from audio_encoder_checker.archive.window import Hashed
from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.archive import DamagedMember, EntryKind, LeftPacked, LfsPointer, UnpackFacts

if TYPE_CHECKING:
    import hashlib
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from audio_encoder_checker.evidence.archive import ArchiveListing, Entry

    Readable = BinaryIO | Hashed

CHUNK_BYTES = 1 << 20
LARGE_BYTES = 16 << 20
"""Larger files may stay packed."""
SPARE_BYTES = 64 << 20
"""What has to stay free on the disk."""
MAX_FOLDERS = 20_000
"""Of all paths together: a path of a few bytes may take many."""
FILE_MODE, FOLDER_MODE, ROOT_MODE = 0o644, 0o755, 0o700
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
POINTER_START = b"version https://git-lfs.github.com/spec/"
POINTER_BYTES = 1024
"""A Git LFS pointer is a text smaller than this."""
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENFILE, errno.EMFILE}


class MemberError(Exception):
    """One file of the archive is not what its entry promises."""


def unpack(
    path: Path,
    listing: ArchiveListing,
    into: Path,
    *,
    digest: hashlib._Hash | None = None,
    leave_packed: bool = False,
) -> UnpackFacts:
    """Unpack an archive whose listing no check objected to.

    Args:
        path: the archive.
        listing: what `read_listing` said of it.
        into: a folder that does not exist yet; it is made with mode 0700.
        digest: takes all bytes of the archive, so that it is read only once.
        leave_packed: large files that are stored are only verified. In place of each lies an empty one of its size.

    Returns:
        What was written. A file that is damaged is left out and named.

    Raises:
        MachineError: the disk has no room for the declared sizes, or cannot be written.
    """
    into.mkdir(mode=ROOT_MODE)
    job = _Job(os.open(into, FOLDER), leave_packed=leave_packed)
    with closing(job), path.open("rb") as file, Hashed(file, digest) if digest else nullcontext(file) as archive:
        _room_for(sum(entry.unpacked_bytes for entry in listing.entries if not job.stays_packed(entry)), into)
        for entry in sorted(listing.entries, key=lambda entry: entry.data_offset):
            job.member(archive, entry)
    place = {entry.name: entry.index for entry in listing.entries}
    return UnpackFacts(
        files=job.files,
        unpacked_bytes=job.unpacked_bytes,
        damaged=tuple(sorted(job.damaged, key=lambda one: place[one.name])),
        skipped=tuple(sorted(job.skipped, key=place.__getitem__)),
        pointers=tuple(sorted(job.pointers, key=lambda one: place[one.name])),
        left_packed=tuple(sorted(job.left_packed, key=lambda one: place[one.name])),
    )


def _room_for(size: int, into: Path) -> None:
    disk = os.statvfs(into)
    free = disk.f_bavail * disk.f_frsize
    needed = size + SPARE_BYTES
    if free < needed:
        raise MachineError(
            f"unpacking needs {needed / 2**20:.0f} MiB in {into.parent}, {free / 2**20:.0f} MiB are free",
            "free some space, or set TMPDIR to a folder on a larger disk",
        )


class _Job:
    """One archive being unpacked below the open folder `root`."""

    def __init__(self, root: int, *, leave_packed: bool) -> None:
        self.root = root
        self.leave_packed = leave_packed
        self.left_packed: list[LeftPacked] = []
        self.files = 0
        self.folders = 0
        self.unpacked_bytes = 0
        self.damaged: list[DamagedMember] = []
        self.skipped: list[str] = []
        self.pointers: list[LfsPointer] = []

    def close(self) -> None:
        os.close(self.root)

    def stays_packed(self, entry: Entry) -> bool:
        """Whether a file is read where it lies."""
        return self.leave_packed and entry.method == 0 and entry.unpacked_bytes > LARGE_BYTES

    def member(self, archive: Readable, entry: Entry) -> None:
        """Write one entry, or note why not."""
        if is_macos_metadata(entry.name):
            self.skipped.append(entry.name)
            return
        try:
            if entry.kind is EntryKind.FOLDER:
                os.close(self._folder(_parts(entry)))
            else:
                self._file(archive, entry)
        except (MemberError, zlib.error) as error:
            self.damaged.append(DamagedMember(entry.name, _words(error)))
        except OSError as error:
            if error.errno in DISK_ERRORS:
                raise MachineError(f"cannot unpack: {error.strerror}", "set TMPDIR to a disk with room") from None
            self.damaged.append(DamagedMember(entry.name, f"it cannot be written: {error.strerror}"))

    def _folder(self, parts: list[str]) -> int:
        """An open descriptor of a folder below the root, made where it is missing."""
        if self.folders >= MAX_FOLDERS:
            raise MemberError(f"all paths together have more than {MAX_FOLDERS} folders")
        at = os.dup(self.root)
        for part in parts:
            with closing(_Descriptor(at)):
                with suppress(FileExistsError):
                    os.mkdir(part, FOLDER_MODE, dir_fd=at)
                    self.folders += 1
                at = os.open(part, FOLDER, dir_fd=at)
        return at

    def _file(self, archive: Readable, entry: Entry) -> None:
        *folders, name = _parts(entry)
        with closing(_Descriptor(self._folder(folders))) as folder:
            target = os.open(name, NEW_FILE, FILE_MODE, dir_fd=folder.number)
            try:
                with os.fdopen(target, "wb") as file:
                    if self.stays_packed(entry):
                        start = _verify(archive, entry)
                        file.truncate(entry.unpacked_bytes)
                        self.left_packed.append(LeftPacked(entry.name, entry.data_offset, entry.unpacked_bytes))
                    else:
                        start = _write(archive, entry, file)
            except BaseException:
                os.unlink(name, dir_fd=folder.number)
                raise
        self.files += 1
        self.unpacked_bytes += entry.unpacked_bytes
        if entry.unpacked_bytes < POINTER_BYTES and start.startswith(POINTER_START):
            size = re.search(rb"^size (\d{1,18})$", start, re.MULTILINE)
            self.pointers.append(LfsPointer(entry.name, int(size[1]) if size else 0))


class _Descriptor:
    """A file descriptor that `closing` can close."""

    def __init__(self, number: int) -> None:
        self.number = number

    def close(self) -> None:
        os.close(self.number)


def _parts(entry: Entry) -> list[str]:
    """The parts of an entry's path; the checks refused unsafe ones before, and so does this.

    Raises:
        MemberError: the entry would not become a file or folder below the root.
    """
    parts = entry.name.rstrip("/").split("/")
    if entry.kind not in (EntryKind.FILE, EntryKind.FOLDER) or entry.encrypted:
        raise MemberError("it is no plain file")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise MemberError("its path is not a plain relative one")
    return parts


def _verify(archive: Readable, entry: Entry) -> bytes:
    """Verify a stored entry where it lies; it is too large for how it starts to matter.

    Raises:
        MemberError: size or CRC are not as declared.
    """
    if isinstance(archive, Hashed):
        return _write(archive, entry, None)
    checksum, size = crc32_of(archive.fileno(), entry.data_offset, entry.packed_bytes)
    _compare(entry, size, checksum)
    return b""


def _write(archive: Readable, entry: Entry, file: BinaryIO | None) -> bytes:
    """Write an entry's data, if there is a file for it, and return how it starts.

    Raises:
        MemberError: size or CRC are not as declared.
        zlib.error: the compressed data is damaged.
    """
    start, size, checksum = b"", 0, 0
    for piece in _pieces(archive, entry):
        size += len(piece)
        if size > entry.unpacked_bytes:
            raise MemberError(f"it should have {entry.unpacked_bytes} bytes and unpacks to more")
        checksum = zlib.crc32(piece, checksum)
        start += piece[: max(0, POINTER_BYTES - len(start))]
        if file:
            file.write(piece)
    _compare(entry, size, checksum)
    return start


def _compare(entry: Entry, size: int, checksum: int) -> None:
    if size != entry.unpacked_bytes:
        raise MemberError(f"it should have {entry.unpacked_bytes} bytes and unpacks to {size}")
    if checksum != entry.crc32:
        raise MemberError(f"its CRC-32 should be {entry.crc32:08x} and is {checksum:08x}")


def _pieces(archive: Readable, entry: Entry) -> Iterator[bytes]:
    """An entry's unpacked data, in pieces of bounded size."""
    archive.seek(entry.data_offset)
    if entry.method == 0:
        yield from _packed(archive, entry)
    elif entry.method == 8:
        yield from _inflated(archive, entry)
    else:
        raise MemberError(f"compression method {entry.method} cannot be read")


def _packed(archive: Readable, entry: Entry) -> Iterator[bytes]:
    left = entry.packed_bytes
    while left:
        chunk = archive.read(min(left, CHUNK_BYTES))
        if not chunk:
            raise MemberError("the archive ends inside its data")
        left -= len(chunk)
        yield chunk


def _inflated(archive: Readable, entry: Entry) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    for chunk in _packed(archive, entry):
        if inflate.eof:
            raise MemberError("there are bytes behind the end of its compressed data")
        pending = chunk
        while pending and not inflate.eof:
            yield inflate.decompress(pending, CHUNK_BYTES)
            pending = inflate.unconsumed_tail
        if inflate.unused_data:
            raise MemberError(f"there are {len(inflate.unused_data)} bytes behind the end of its compressed data")
    while not inflate.eof and (piece := inflate.decompress(b"", CHUNK_BYTES)):
        yield piece
    if not inflate.eof:
        raise MemberError("its compressed data breaks off")


def _words(error: Exception) -> str:
    """What is wrong, for people: zlib's own words stand behind ours."""
    return f"its compressed data is damaged ({error})" if isinstance(error, zlib.error) else str(error)
