"""One connection from the box: requests in, answers out, with limits on both."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from audio_encoder_checker.network import limits
from audio_encoder_checker.network.messages import Request, RequestError, request_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

REASONS = {
    200: "OK", 206: "Partial Content", 304: "Not Modified", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 411: "Length Required", 413: "Content Too Large", 416: "Range Not Satisfiable",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error",
    502: "Bad Gateway", 504: "Gateway Timeout",
}  # fmt: skip


class GoneError(Exception):
    """The box closed its end, or took too long."""


class Conversation:
    """Reads and writes one connection.

    Args:
        connection: to the box; closed by whoever made it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._left = bytearray()

    def request(self) -> Request | None:
        """The next request; None if the box closed the connection, or was silent for long, before one began.

        Raises:
            RequestError: what came is none.
            GoneError: its head ended half-way.
        """
        if not self._left and not self._more(limits.IDLE_S):
            return None
        deadline = time.monotonic() + limits.HEAD_S
        while True:
            while self._left.startswith(b"\r\n"):  # RFC 9112, 2.2: clients of old send one after a body
                del self._left[:2]
            end = self._left.find(b"\r\n\r\n")
            if end >= 0:
                break
            if len(self._left) > limits.HEAD_BYTES:
                raise RequestError(431, "the header fields are too long")
            if not self._more(deadline - time.monotonic()):
                raise GoneError
        head = bytes(self._left[:end])
        del self._left[: end + 4]
        if len(head) > limits.HEAD_BYTES:
            raise RequestError(431, "the header fields are too long")
        request = request_of(head)
        if request.length and request.get("expect").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return request

    def _more(self, seconds: float) -> bool:
        if seconds <= 0:
            return False
        self.connection.settimeout(seconds)
        try:
            piece = self.connection.recv(limits.PIECE_BYTES)
        except OSError:
            return False
        self._left += piece
        return bool(piece)

    def body(self, length: int) -> Iterator[bytes]:
        """The body of the request that was read last, in pieces.

        Raises:
            GoneError: it ended early.
        """
        while length:
            if not self._left and not self._more(limits.READ_S):
                raise GoneError
            piece = bytes(self._left[:length])
            del self._left[: len(piece)]
            length -= len(piece)
            yield piece

    def start(self, status: int, fields: Iterable[tuple[str, str]], reason: str = "") -> None:
        """Send the head of an answer."""
        lines = [
            f"HTTP/1.1 {status} {reason or REASONS.get(status, '')}",
            *(f"{name}: {value}" for name, value in fields),
        ]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))

    def tell(
        self,
        status: int,
        text: str,
        *,
        close: bool = True,
        head_only: bool = False,
        more: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Answer with a line of plain text."""
        body = (text.rstrip() + "\n").encode()
        fields = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), *more]
        self.start(status, [*fields, *([("Connection", "close")] if close else [])])
        if not head_only:
            self.send(body)

    def send(self, data: bytes | memoryview) -> None:
        """Send all of it.

        Raises:
            GoneError: the box does not take it.
        """
        self.connection.settimeout(limits.READ_S)
        try:
            self.connection.sendall(data)
        except OSError as error:
            raise GoneError from error

    def some(self, seconds: float) -> bytes:
        """Bytes as they come, of a connection that is no HTTP any more.

        Raises:
            GoneError: none came in time.
        """
        if not self._more(seconds):
            raise GoneError
        return self.left()

    def left(self) -> bytes:
        """What came after the request that was read last, taken out."""
        data = bytes(self._left)
        self._left.clear()
        return data
