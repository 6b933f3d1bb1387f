"""SHA-256 computed by a thread of its own, beside whatever else is done with the bytes."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from io import FileIO

    from typing_extensions import Self

PIECE_BYTES = 1 << 20
MOST_PENDING = 8
"""Pieces that wait to be hashed."""
SMALL_BYTES = 1 << 16
"""Hashing so little takes less than handing it over."""


class ThreadedHash:
    """Takes pieces in order; use it as a context manager.

    Args:
        digest: takes the bytes.
    """

    def __init__(self, digest: hashlib._Hash) -> None:
        self._digest = digest
        self._thread = ThreadPoolExecutor(1)
        self._pending: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    @cached_property
    def _buffers(self) -> Iterator[bytearray]:
        """The memory of the pieces, in turn; only who reads by pieces has it."""
        return cycle([bytearray(PIECE_BYTES) for _ in range(MOST_PENDING + 2)])

    def update(self, data: bytes | memoryview) -> None:
        """Hash a piece, soon; it must not change while `MOST_PENDING` more come."""
        if len(data) < SMALL_BYTES and not self._pending:
            self._digest.update(data)
            return
        self._pending.append(self._thread.submit(self._digest.update, data))
        if len(self._pending) > MOST_PENDING:
            self._pending.popleft().result()

    def pieces(self, file: FileIO) -> Iterator[memoryview]:
        """Read a file to its end and hash it; each piece is whole until the next is asked for.

        The memory of the pieces is used again and again: to ask the system for new one takes as long as to hash.
        """
        for buffer in self._buffers:
            got = file.readinto(buffer)
            if not got:
                return
            piece = memoryview(buffer)[:got]
            self.update(piece)
            yield piece

    def finish(self) -> None:
        """Wait until all that came is hashed."""
        while self._pending:
            self._pending.popleft().result()

    def digest_of_next(self) -> hashlib._Hash:
        """Finish, and hash what comes from now on anew; returns the hash of what came."""
        self.finish()
        done, self._digest = self._digest, hashlib.sha256()
        return done
