"""Write a ZIP that depends on names and contents alone: the same files give the same bytes.

Entries are sorted, times, modes and the system are fixed, and nothing of the machine gets in. What is compressed
already is stored; the rest is deflated at zlib's own level. The bytes of deflate are those of the zlib that Python
was built with.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from audio_encoder_checker.archive.hashing import ThreadedHash
from audio_encoder_checker.archive.manifest import MANIFEST
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.manifest import PackedFile
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from io import FileIO
    from pathlib import Path
    from typing import BinaryIO

    from typing_extensions import Self

    from audio_encoder_checker.packing.selection import Chosen

    Time = tuple[int, int, int, int, int, int]

UNIX = 3
"""As the system that made an entry: it says how to read the mode."""
MODE = 0o100644
FLUSHED_BYTES = 256 << 20
STORED = {
    ".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".npz", ".npy", ".onnx", ".h5", ".tflite", ".pkl", ".gguf",
    ".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".whl", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf",
    ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4",
}  # fmt: skip
"""Weights, whose bits hardly compress, and formats that are compressed already."""
EARLIEST, LATEST = 315_532_800, 4_354_819_199
"""What a ZIP can say of a time: the years 1980 to 2107, in seconds since 1970."""
SAMPLE_DEFLATED = "0e39f4d510a6e5a33edc5f78992f959fe4b3a88d165e571fe23e0362d4daf3f2"
"""SHA-256 of a text as zlib 1.2.13 deflates it."""


def write_zip(
    file: BinaryIO,
    files: Sequence[Chosen],
    manifest: Callable[[Sequence[PackedFile]], str] | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> tuple[PackedFile, ...]:
    """Write files, sorted by name, and behind them their manifest. Each file is read once.

    Args:
        file: to write to, empty.
        files: to pack.
        manifest: makes the text of the manifest of what was packed; None for no manifest.
        told: hears of each piece that was packed, how many bytes it has.

    Returns:
        What was packed, the manifest left out.

    Raises:
        UsageError: SOURCE_DATE_EPOCH is no time that a ZIP can hold; a file cannot be read, or changed meanwhile.
        OSError: writing failed.
    """
    time = _entry_time()
    with _EarlyFlush(file) as flush, ZipFile(file, "w") as archive, ThreadedHash(hashlib.sha256()) as digest:

        def wrote(size: int) -> None:
            flush.wrote(size)
            told(size)

        packed = tuple(_pack(archive, one, time, digest, wrote) for one in sorted(files, key=_place))
        if manifest:
            archive.writestr(_entry(MANIFEST, time), manifest(packed))
    return packed


class _EarlyFlush:
    """Lets the disk write what is packed while the rest is being packed; use it as a context manager."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(1)
        self._flushes: list[Future[None]] = []
        self._waiting = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        """Wait for the disk; raises OSError if it failed, which the system tells only once."""
        self._thread.shutdown(cancel_futures=kind is not None)
        for flush in self._flushes if kind is None else ():
            flush.result()

    def wrote(self, size: int) -> None:
        """So many bytes more were written."""
        self._waiting += size
        if self._waiting >= FLUSHED_BYTES:
            self._waiting = 0
            self._flushes.append(self._thread.submit(os.fsync, self._file.fileno()))


def _place(chosen: Chosen) -> tuple[bool, str]:
    """Files by their names, a manifest behind them."""
    return chosen.name.rpartition("/")[2] == MANIFEST, chosen.name


def _entry(name: str, time: Time) -> ZipInfo:
    info = ZipInfo(name, time)
    info.compress_type = ZIP_STORED if PurePosixPath(name).suffix.lower() in STORED else ZIP_DEFLATED
    info.create_system = UNIX
    info.external_attr = MODE << 16
    return info


def _pack(
    archive: ZipFile, chosen: Chosen, time: Time, digest: ThreadedHash, told: Callable[[int], None]
) -> PackedFile:
    """Pack one file and hash what was packed.

    Raises:
        UsageError: it cannot be read, or changed on the way.
        OSError: the ZIP cannot be written.
    """
    with _opened(chosen) as file:
        before = os.fstat(file.fileno())
        info = _entry(chosen.name, time)
        info.file_size, size = before.st_size, 0
        with archive.open(info, "w") as member:
            for piece in _read(file, chosen, digest):
                size += len(piece)
                if size > before.st_size:
                    break
                member.write(piece)
                told(len(piece))
        after = os.fstat(file.fileno())
    if (size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        message = f"{printable(chosen.name)!r} changed while it was being packed"
        raise UsageError(message, "wait for whatever writes to it, a training run perhaps, and build again")
    return PackedFile(chosen.name, size, digest.digest_of_next().hexdigest())


def _opened(chosen: Chosen) -> FileIO:
    try:
        return chosen.path.open("rb", buffering=0)
    except OSError as error:
        raise _unreadable(chosen, error) from None


def _read(file: FileIO, chosen: Chosen, digest: ThreadedHash) -> Iterator[memoryview]:
    pieces = digest.pieces(file)
    while True:
        try:
            piece = next(pieces, None)
        except OSError as error:
            raise _unreadable(chosen, error) from None
        if piece is None:
            return
        yield piece


def _unreadable(chosen: Chosen, error: OSError) -> UsageError:
    hint = "make it readable, or leave it out with a line in .aeccignore"
    return UsageError(f"cannot read {printable(chosen.name)!r}: {error.strerror}", hint)


def other_zlib() -> str:
    """The version of this Python's zlib if it deflates to other bytes than zlib's own, else empty.

    zlib-ng and processors that deflate do: the contents are the same, the ZIP is not.
    """
    text = b"".join(b"frame %d of %d at %d ms\n" % (n, 7 * n % 1000, n * n % 7919) for n in range(4000))
    packer = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
    found = hashlib.sha256(packer.compress(text) + packer.flush()).hexdigest()
    return "" if found == SAMPLE_DEFLATED else zlib.ZLIB_RUNTIME_VERSION


def _entry_time() -> Time:
    """The time of all entries.

    Raises:
        UsageError: SOURCE_DATE_EPOCH is none that a ZIP can hold.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", str(EARLIEST))
    if not (text.isascii() and text.isdigit() and EARLIEST <= int(text) <= LATEST):
        message = f"SOURCE_DATE_EPOCH={printable(text)!r}: expected seconds since 1970, in the years 1980 to 2107"
        hint = "`unset SOURCE_DATE_EPOCH`, or `export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)`"
        raise UsageError(message, hint)
    moment = datetime.fromtimestamp(int(text), timezone.utc)
    return (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)


def refuse_full_disk(target: Path, needed: int) -> None:
    """Refuse to write a file where there is no room for so many bytes.

    Raises:
        MachineError: there is none.
    """
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        where = printable(str(target.parent))
        message = f"{printable(target.name)!r} may need {size_words(needed)} in {where!r}, {size_words(free)} are free"
        raise MachineError(message, "free some space, or name another place with -o")


@contextmanager
def replaced_when_done(target: Path) -> Iterator[BinaryIO]:
    """A new file beside the target that takes its place in one step, once it is whole; else nothing changes.

    Raises:
        UsageError: the folder of the target cannot be written.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.aecc-part")
    try:
        file = part.open("xb")
    except OSError as error:
        message = f"cannot write into {printable(str(target.parent))!r}: {error.strerror}"
        raise UsageError(message, "name another place with -o, or make the folder") from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
