"""Bodies on their way into the box: counted, hashed, kept, and broken where that is asked for."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any, Protocol

from audio_encoder_checker.network.conversation import GoneError
from audio_encoder_checker.network.dialing import TroubleError
from audio_encoder_checker.network.faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.network.conversation import Conversation
    from audio_encoder_checker.network.faults import Mischief

OPEN_FILES = 64
"""Of which a beginning was seen and the rest may follow."""
WRONG = 64
"""Bytes that are changed, at most."""


class Sink(Protocol):
    """Takes the true bytes of a file."""

    def write(self, piece: memoryview) -> None:
        """The next piece."""


class Beginnings:
    """Hashes of files that came in part, for those who fetch the rest with a second request. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Any]] = {}

    def take(self, key: str, first: int) -> Any:
        """A hash to go on with from this byte on; None if what came before was not seen."""
        with self._lock:
            seen, digest = self._known.pop(key, (0, None))
        if first == 0:
            return hashlib.sha256()
        return digest if seen == first else None

    def put(self, key: str, seen: int, digest: Any) -> None:
        """Keep one until somebody fetches the rest."""
        with self._lock:
            self._known[key] = (seen, digest)
            if len(self._known) > OPEN_FILES:
                del self._known[next(iter(self._known))]


class Pour:
    """One body.

    Args:
        conversation: where it goes.
        length: as announced, in bytes; None if only its end tells.
        chunked: whether to frame it so.
        first: its first byte's place in the file.
        total: of the file, in bytes; None if unknown.
    """

    def __init__(
        self, conversation: Conversation, *, length: int | None, chunked: bool, first: int = 0, total: int | None = None
    ) -> None:
        self.conversation = conversation
        self.length = length
        self.chunked = chunked
        self.first = first
        self.total = total
        self.count = 0
        self.whole = False
        self.sha256 = ""

    def run(self, pieces: Iterator[memoryview], key: str, beginnings: Beginnings) -> None:
        """Pass it on.

        Raises:
            GoneError: the box went away.
            TroubleError: the host did.
        """
        digest = beginnings.take(key, self.first) if key else None
        try:
            for piece in pieces:
                self._send(piece)
                self.count += len(piece)
                if digest:
                    digest.update(piece)
            if self.length is not None and self.count != self.length:
                raise TroubleError(f"there were {self.count} bytes of {self.length}")
            if self.chunked:
                self.conversation.send(b"0\r\n\r\n")
            self.whole = True
        finally:
            if digest:
                self._finish(key, digest, beginnings)

    def _finish(self, key: str, digest: Any, beginnings: Beginnings) -> None:
        end = self.first + self.count
        if self.whole and end == (self.total if self.total is not None else end):
            self.sha256 = digest.hexdigest()
        else:
            beginnings.put(key, end, digest)

    def _send(self, piece: memoryview) -> None:
        if not piece:  # as a chunk it would be the end
            return
        if self.chunked:
            self.conversation.send(b"%x\r\n" % len(piece))
        self.conversation.send(piece)
        if self.chunked:
            self.conversation.send(b"\r\n")


def kept(pieces: Iterator[memoryview], sink: Sink) -> Iterator[memoryview]:
    """The same pieces, written down on their way."""
    for piece in pieces:
        sink.write(piece)
        yield piece


def broken(pieces: Iterator[memoryview], length: int, kind: FaultKind, mischief: Mischief) -> Iterator[memoryview]:
    """The same pieces up to the middle, where the fault happens.

    Args:
        pieces: of the body.
        length: of it, in bytes.
        kind: `SLOW`, `CUT` or `WRONG_BYTES`.
        mischief: knows how long to pause.

    Raises:
        GoneError: after the cut.
    """
    middle, place, done = length // 2, 0, False
    for piece in pieces:
        inside = middle - place
        place += len(piece)
        if done or inside >= len(piece):
            yield piece
            continue
        done = True
        if kind is FaultKind.WRONG_BYTES:
            changed = bytearray(piece)
            for at in range(inside, min(inside + WRONG, len(piece))):
                changed[at] ^= 0xFF
            yield memoryview(changed)
            continue
        yield piece[:inside]
        if kind is FaultKind.CUT:
            raise GoneError
        mischief.pause()
        yield piece[inside:]
