"""SHA-256 computed by a thread of its own, beside whatever else is done with the bytes."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from typing_extensions import Self

MOST_PENDING = 8
"""Chunks that wait to be hashed."""
SMALL_BYTES = 1 << 16
"""Hashing so little takes less than handing it over."""


class ThreadedHash:
    """Takes chunks in order; use it as a context manager.

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

    def update(self, data: bytes) -> None:
        """Hash a chunk, soon."""
        if len(data) < SMALL_BYTES and not self._pending:
            self._digest.update(data)
            return
        self._pending.append(self._thread.submit(self._digest.update, data))
        if len(self._pending) > MOST_PENDING:
            self._pending.popleft().result()

    def finish(self) -> None:
        """Wait until all that came is hashed."""
        while self._pending:
            self._pending.popleft().result()

    def digest_of_next(self) -> hashlib._Hash:
        """Finish, and hash what comes from now on anew; returns the hash of what came."""
        self.finish()
        done, self._digest = self._digest, hashlib.sha256()
        return done
