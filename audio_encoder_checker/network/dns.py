"""The name server inside the box: declared names get an address, all others do not exist (RFC 1035, RFC 6891)."""

from __future__ import annotations

import contextlib
import ipaddress
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.network.policy import host_name

if TYPE_CHECKING:
    import socket

    from audio_encoder_checker.network.context import Context

HEADER = struct.Struct("!6H")
MOST_BYTES = 4096
"""Of a query; those of real resolvers are below 512."""
BURST = 64
"""Queries that are answered before other doors get their turn."""
A, ANY, INTERNET, OPT = 1, 255, 1, 41
NO_ERROR, NAME_ERROR, NOT_IMPLEMENTED = 0, 3, 4
RESPONSE, AUTHORITATIVE, RECURSION_DESIRED, RECURSION_AVAILABLE = 0x8000, 0x0400, 0x0100, 0x0080
TTL_S = 60
EDNS = b"\0" + struct.pack("!HHIH", OPT, 1232, 0, 0)
"""An OPT record: the root's name, our limit for UDP, no extended status, no options."""


@dataclass(frozen=True)
class Query:
    """One question.

    Attributes:
        identity: to be repeated in the answer.
        flags: of the header.
        name: as text, not yet looked at.
        kind: of record: 1 is A, 28 is AAAA.
        question: its bytes, to be repeated.
        edns: whether it carries an OPT record.
    """

    identity: int
    flags: int
    name: str
    kind: int
    question: bytes
    edns: bool


class NameServer:
    """Answers what comes to one UDP socket."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def serve(self, door: socket.socket) -> None:
        """Answer what has come, and return."""
        for _ in range(BURST):
            try:
                data, sender = door.recvfrom(MOST_BYTES)
            except OSError:
                return
            query = query_of(data)
            if query:
                with contextlib.suppress(OSError):
                    door.sendto(self.answer(query), sender)

    def answer(self, query: Query) -> bytes:
        """The answer's bytes."""
        if query.flags & 0x7800:
            return answer_of(query, NOT_IMPLEMENTED)
        name = host_name(query.name)
        known = bool(name) and self.context.policy.allows(name)
        address = self.context.addresses.of(name) if known else ""
        self.context.ledger.look_up(query.name, known=bool(address))
        if not address:
            return answer_of(query, NAME_ERROR)
        return answer_of(query, NO_ERROR, address if query.kind in {A, ANY} else "")


def query_of(data: bytes) -> Query | None:
    """Read a query; None if it is none, or malformed."""
    if not HEADER.size < len(data) < MOST_BYTES:
        return None
    identity, flags, questions, answers, authorities, more = HEADER.unpack_from(data)
    if flags & RESPONSE or (questions, answers, authorities) != (1, 0, 0):
        return None
    labels, at = [], HEADER.size
    while at < len(data) and data[at]:
        size = data[at]
        if size > 63 or at + size >= len(data) or at - HEADER.size + size > 253:
            return None
        labels.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    if len(data) < at + 5:
        return None
    kind, network = struct.unpack_from("!HH", data, at + 1)
    if network != INTERNET:
        return None
    end = at + 5
    edns = bool(more) and data[end : end + 3] == b"\0\0" + bytes([OPT])
    name = b".".join(labels).decode("latin-1")
    return Query(identity, flags, name, kind, data[HEADER.size : end], edns)


def answer_of(query: Query, status: int, address: str = "") -> bytes:
    """The bytes of an answer.

    Args:
        query: what was asked.
        status: such as `NAME_ERROR`.
        address: IPv4; empty for an answer without a record.
    """
    flags = RESPONSE | AUTHORITATIVE | RECURSION_AVAILABLE | query.flags & (0x7800 | RECURSION_DESIRED) | status
    head = HEADER.pack(query.identity, flags, 1, int(bool(address)), 0, int(query.edns))
    record = b""
    if address:
        packed = ipaddress.IPv4Address(address).packed
        record = struct.pack("!HHHIH", 0xC000 | HEADER.size, A, INTERNET, TTL_S, len(packed)) + packed
    return head + query.question + record + (EDNS if query.edns else b"")
