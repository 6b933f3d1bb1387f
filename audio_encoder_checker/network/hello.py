"""The first message of a TLS client (RFC 8446, 4.1.2), read for the host's name that stands in it (RFC 6066, 3)."""

from __future__ import annotations

from dataclasses import dataclass

RECORD, HANDSHAKE, CLIENT_HELLO, SERVER_NAME = 5, 22, 1, 0
TLS_MAJOR = 3
"""First byte of the version of every record since SSL 3."""


class HelloError(Exception):
    """What came is no beginning of TLS."""


@dataclass
class _Reader:
    data: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) < count:
            raise HelloError("its first message is malformed")
        self.at += count
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def block(self, size: int) -> bytes:
        """Bytes after their own length, which takes `size` bytes."""
        return self.take(self.number(size))


def server_name(data: bytes) -> str | None:
    """The name that a client says it wants.

    Args:
        data: all that came so far.

    Returns:
        The name as it stands there, empty if there is none; None if more has to come first.

    Raises:
        HelloError: it will never be a `ClientHello`.
    """
    message = b""
    at = 0
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        head = data[at : at + RECORD]
        if (head and head[0] != HANDSHAKE) or (len(head) > 1 and head[1] != TLS_MAJOR):
            raise HelloError("it is not TLS")
        size = int.from_bytes(head[3:5], "big")
        if len(head) < RECORD or len(data) < at + RECORD + size:
            return None
        if not size:
            raise HelloError("it is not TLS")
        message += data[at + RECORD : at + RECORD + size]
        at += RECORD + size
    if message[0] != CLIENT_HELLO:
        raise HelloError("it does not begin as a client does")
    return _name(_Reader(message[4 : 4 + int.from_bytes(message[1:4], "big")]))


def _name(hello: _Reader) -> str:
    hello.take(2 + 32)  # version and random
    hello.block(1)  # session
    hello.block(2)  # ciphers
    hello.block(1)  # compressions
    if hello.at == len(hello.data):
        return ""
    extensions = _Reader(hello.block(2))
    names = []
    while extensions.at < len(extensions.data):
        kind, content = extensions.number(2), extensions.block(2)
        if kind == SERVER_NAME:
            entries = _Reader(_Reader(content).block(2))
            while entries.at < len(entries.data):
                entries.take(1)
                names.append(entries.block(2).decode("latin-1"))
    if len(names) > 1:
        raise HelloError("it names several hosts")
    return names[0] if names else ""
