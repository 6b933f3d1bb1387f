"""Requests to hosts in the box's name, over connections that the dialer made."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.network import limits
from audio_encoder_checker.network.dialing import Dialer, TroubleError, trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audio_encoder_checker.network.policy import Origin


@dataclass(frozen=True)
class Question:
    """What to ask of a host.

    Attributes:
        method: of HTTP.
        origin: scheme, host and port.
        target: path and query.
        fields: to pass on; `Host`, `Connection` and `Accept-Encoding` are set here.
        length: of the body, in bytes; 0 for none.
        body: its pieces.
    """

    method: str
    origin: Origin
    target: str
    fields: Mapping[str, str]
    length: int = 0
    body: Iterator[bytes] | None = None


class Answer:
    """A host's answer: its head, and its body as it comes. Close it."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.fields = response.getheaders()
        self._connection = connection
        self._response = response

    def get(self, name: str) -> str:
        """A field's value; empty if there is none."""
        return next((value for other, value in self.fields if other.lower() == name.lower()), "")

    @property
    def length(self) -> int | None:
        """Of the body as announced, in bytes, also of one that does not follow; None if only its end will tell."""
        text = self.get("Content-Length")
        known = re.fullmatch(r"[0-9]{1,18}", text) and not self.get("Transfer-Encoding")
        return int(text) if known else None

    def pieces(self) -> Iterator[memoryview]:
        """The body, in pieces that are valid until the next one.

        Raises:
            TroubleError: it ends early, or stops coming.
        """
        buffer = memoryview(bytearray(limits.PIECE_BYTES))
        got = 0
        while True:
            try:
                count = self._response.readinto(buffer)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise TroubleError(f"the answer broke off: {trouble(error)}") from error
            if not count:
                break
            got += count
            yield buffer[:count]
        if self.length is not None and got < self.length:
            raise TroubleError(f"the answer broke off after {got} of {self.length} bytes")

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()
        self._connection.close()


def fetch(dialer: Dialer, question: Question) -> Answer:
    """Ask, and wait for the head of the answer.

    Raises:
        TroubleError: there is none.
    """
    origin = question.origin
    connection = http.client.HTTPConnection(origin.host, origin.port)
    connection.auto_open = 0
    connection.sock = dialer.connect(origin.host, origin.port, tls=origin.scheme == "https")
    try:
        connection.putrequest(question.method, question.target, skip_host=True, skip_accept_encoding=True)
        own = {"Host": origin.authority, "Connection": "close", "Accept-Encoding": "identity"}
        if question.length or question.method == "POST":
            own["Content-Length"] = str(question.length)
        for name, value in {**question.fields, **own}.items():
            connection.putheader(name, value)
        connection.endheaders()
        for piece in question.body or ():
            connection.send(piece)
        return Answer(connection, connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        status = 504 if isinstance(error, TimeoutError) else 502
        raise TroubleError(f"{origin.host}: {trouble(error)}", status) from error
    except BaseException:  # the box went away while its body was passed on
        connection.close()
        raise
