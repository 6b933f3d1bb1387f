"""Write a ZIP that depends on names and contents alone: the same files give the same bytes.

Entries are sorted, times and modes are fixed by repro-zipfile, and nothing of the machine gets in. What is
compressed already is stored; the rest is deflated at one level. The bytes of deflate are those of the zlib that
Python was built with.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZIP_STORED

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.manifest import MANIFEST
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from audio_encoder_checker.packing.selection import Chosen

LEVEL = 6
STORED = {
    ".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".npz", ".npy", ".onnx", ".h5", ".tflite", ".pkl", ".gguf",
    ".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".whl", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf",
    ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4",
}  # fmt: skip
"""Weights, whose bits hardly compress, and formats that are compressed already."""
EARLIEST, LATEST = 315_532_800, 4_354_819_199
"""What a ZIP can say of a time: the years 1980 to 2107, in seconds since 1970."""


def write_zip(file: BinaryIO, files: Sequence[Chosen], manifest: str = "") -> None:
    """Write files and their manifest, if there is one, sorted by name.

    Raises:
        UsageError: SOURCE_DATE_EPOCH is no time that a ZIP can hold.
        OSError: reading or writing failed.
    """
    from repro_zipfile import ReproducibleZipFile

    _refuse_bad_epoch()
    sources = {chosen.name: chosen.path for chosen in files}
    with ReproducibleZipFile(file, "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name in sorted({*sources, MANIFEST} if manifest else sources):
            if manifest and name == MANIFEST:
                archive.writestr(name, manifest)
            else:
                archive.write(sources[name], name, compress_type=_method(name))


def _method(name: str) -> int:
    return ZIP_STORED if PurePosixPath(name).suffix.lower() in STORED else ZIP_DEFLATED


def _refuse_bad_epoch() -> None:
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if text is None or (text.isascii() and text.isdigit() and EARLIEST <= int(text) <= LATEST):
        return
    message = f"SOURCE_DATE_EPOCH={printable(text)!r}: expected seconds since 1970, in the years 1980 to 2107"
    raise UsageError(message, "`unset SOURCE_DATE_EPOCH`, or `export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)`")


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
