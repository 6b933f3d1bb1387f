"""Read what a child prints, so that it never blocks, and keep only the end of it."""

from __future__ import annotations

import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TAIL_BYTES = 16 * 1024


class Drain(threading.Thread):
    """Reads one stream to its end; over the limit it calls `on_flood` once and reads no further."""

    def __init__(self, stream: IO[bytes], limit_bytes: int, on_flood: Callable[[], None]) -> None:
        super().__init__(daemon=True, name="drain")
        self.stream = stream
        self.limit_bytes = limit_bytes
        self.count = 0
        self.flooded = False
        self._on_flood = on_flood
        self._tail = bytearray()

    def run(self) -> None:
        """Read until the end or the limit."""
        while block := self.stream.read1(65536):  # type: ignore[attr-defined]  # a pipe's reader has read1
            self.count += len(block)
            self._tail = (self._tail + block)[-TAIL_BYTES:]
            if self.count > self.limit_bytes:
                self.flooded = True
                self._on_flood()
                return

    @property
    def tail(self) -> str:
        """The end of what was printed; undecodable bytes are replaced."""
        return self._tail.decode("utf-8", "replace")
