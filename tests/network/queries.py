"""Questions to a name server, and its answers, byte by byte."""

from __future__ import annotations

import socket
import struct

A, AAAA, HTTPS = 1, 28, 65


def query(name: str, kind: int = A, *, edns: bool = False) -> bytes:
    """As resolvers of C libraries send it."""
    labels = b"".join(bytes([len(label)]) + label for label in name.rstrip(".").encode().split(b"."))
    more = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0) if edns else b""
    return struct.pack("!6H", 0x1234, 0x0100, 1, 0, 0, int(edns)) + labels + b"\0" + struct.pack("!HH", kind, 1) + more


def status_of(answer: bytes) -> int:
    """0 for no error, 3 for a name that does not exist."""
    return answer[3] & 15


def address_in(answer: bytes) -> str:
    """The one address of an answer; empty if it has none."""
    (count,) = struct.unpack_from("!H", answer, 6)
    if not count:
        return ""
    at = answer.index(b"\xc0\x0c") + 12
    return socket.inet_ntoa(answer[at : at + 4])
