"""The head of an HTTP request, read strictly: what two readers could understand in two ways is not understood."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from audio_encoder_checker.network import limits

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.([01])")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*")
FIELDS = 200
ONCE = frozenset({"host", "content-length", "transfer-encoding", "range", "authorization"})
"""Fields that may stand there only once: the second is a way to smuggle a request."""
HOP = frozenset({"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"})
"""Fields for the next hop alone (RFC 9110, 7.6.1), with those that are none of a request."""
HOP_TOO = frozenset({"trailer", "transfer-encoding", "upgrade", "expect", "content-length", "host", "accept-encoding"})
"""Fields that whoever forwards a request sets by itself."""


class RequestError(Exception):
    """No request to be answered but with an error: the box's fault, never shown as ours.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    """What was asked.

    Attributes:
        method: such as `GET`.
        target: as it stands in the first line.
        fields: names in lower case, in order.
        length: of the body that follows, in bytes.
        keep: whether the connection may serve another request.
        minor: of the version of HTTP/1.
    """

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    length: int
    keep: bool
    minor: int

    def get(self, name: str) -> str:
        """A field's value; empty if there is none."""
        return next((value for other, value in self.fields if other == name), "")

    def at(self, target: str) -> Request:
        """The same with another target."""
        return replace(self, target=target)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def forwarded(self) -> dict[str, str]:
        """The fields to pass on: none for this hop, and no token. Cookies stay in the box too."""
        named = {name.strip().lower() for name in self.get("connection").split(",")}
        dropped = HOP | HOP_TOO | named | {"authorization", "cookie"}
        return {name: value for name, value in self.fields if name not in dropped}

    @property
    def token(self) -> bool:
        """Whether something secret was sent along."""
        return bool(self.get("authorization") or self.get("cookie"))


def request_of(head: bytes) -> Request:
    """Read a head without its last empty line.

    Raises:
        RequestError: it is malformed, ambiguous, or asks for something that is not offered.
    """
    first, *lines = head.split(b"\r\n")
    line = _LINE.fullmatch(first)
    if not line:
        raise RequestError(400, "this is no request of HTTP/1.1")
    if len(lines) > FIELDS:
        raise RequestError(431, "too many header fields")
    fields = []
    for text in lines:
        field = _FIELD.fullmatch(text)
        if not field:
            raise RequestError(400, "a header field is malformed")
        fields.append((field[1].decode("ascii").lower(), field[2].decode("latin-1")))
    names = [name for name, _ in fields]
    if any(names.count(name) > 1 for name in ONCE):
        raise RequestError(400, "a header field stands there twice")
    minor = int(line[3])
    values = dict(fields)
    keep = _keeps(values.get("connection", ""), minor)
    return Request(line[1].decode(), line[2].decode(), tuple(fields), _length(values), keep, minor)


def _length(fields: dict[str, str]) -> int:
    if "transfer-encoding" in fields:
        raise RequestError(411, "a request's body has to have a Content-Length")
    text = fields.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise RequestError(400, "Content-Length is no number")
    if int(text) > limits.BODY_BYTES:
        raise RequestError(413, f"a request's body may have {limits.BODY_BYTES >> 20} MiB")
    return int(text)


def _keeps(connection: str, minor: int) -> bool:
    words = {word.strip().lower() for word in connection.split(",")}
    return "close" not in words if minor else "keep-alive" in words
