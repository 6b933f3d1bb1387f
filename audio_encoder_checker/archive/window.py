"""Parts of a file: one that is a file of its own to its reader, and one that is hashed while it is read."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.hashing import ThreadedHash

if TYPE_CHECKING:
    import hashlib
    from pathlib import Path
    from typing import BinaryIO

    from typing_extensions import Self

CHUNK_BYTES = 1 << 20


def opened_plainly(path: Path) -> BinaryIO:
    """A file, open for reading."""
    return path.open("rb")


class Window(io.RawIOBase):
    """Some bytes of a file, to be read as if they were all.

    Args:
        path: of the file.
        offset: of the first byte.
        size: number of bytes.
    """

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._file = path.open("rb")
        self._offset = offset
        self._size = size
        self._at = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; behind the end nothing is read."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed allows any buffer, callers pass these
        """Fill a buffer as far as there are bytes."""
        wanted = min(len(buffer), max(0, self._size - self._at))
        self._file.seek(self._offset + self._at)
        data = self._file.read(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class Hashed:
    """A file whose bytes are hashed on the way, each once and in order, wherever its reader goes.

    A thread of its own hashes, beside whatever the reader does with the bytes. Leaving the context hashes the rest.

    Args:
        file: open for reading, at its start.
        digest: takes the bytes.
    """

    def __init__(self, file: BinaryIO, digest: hashlib._Hash) -> None:
        self._file = file
        self._digest = ThreadedHash(digest)
        self._hashed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        with self._digest as digest:
            if kind is None:
                self._file.seek(self._hashed)
                while self.read(CHUNK_BYTES):
                    pass
                digest.finish()

    def seek(self, offset: int) -> int:
        """Go to a place; what is skipped for the first time is hashed."""
        if offset > self._hashed:
            self._file.seek(self._hashed)
            while self._hashed < offset and self.read(min(CHUNK_BYTES, offset - self._hashed)):
                pass
        return self._file.seek(offset)

    def read(self, size: int) -> bytes:
        """Read on."""
        at = self._file.tell()
        data = self._file.read(size)
        if at <= self._hashed < at + len(data):
            self._digest.update(data[self._hashed - at :])
            self._hashed = at + len(data)
        return data
