"""The HTTP proxy inside the box: tunnels to port 443 of declared hosts, and plain requests to their port 80."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from audio_encoder_checker.evidence.network import Way
from audio_encoder_checker.network.context import Context, converse
from audio_encoder_checker.network.dialing import TroubleError
from audio_encoder_checker.network.hello import HelloError
from audio_encoder_checker.network.plain import Plain
from audio_encoder_checker.network.policy import host_name
from audio_encoder_checker.network.tunnel import Tunnel, hello_of

if TYPE_CHECKING:
    import socket

    from audio_encoder_checker.network.conversation import Conversation
    from audio_encoder_checker.network.ledger import Entry
    from audio_encoder_checker.network.messages import Request
    from audio_encoder_checker.network.relay import Relay

TLS_PORT = 443
PLAIN_PORT = 80
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


class Proxy:
    """Serves connections to `HTTP_PROXY` and `HTTPS_PROXY`.

    Args:
        context: of the channel.
        relay: gets requests to itself that a client sends through the proxy although `NO_PROXY` says not to.
        relay_port: of that relay, in the box.
    """

    def __init__(self, context: Context, relay: Relay, relay_port: int) -> None:
        self.context = context
        self.relay = relay
        self.relay_port = relay_port
        self.plain = Plain(context, Way.PROXY)

    def serve(self, connection: socket.socket) -> None:
        """Answer all requests of one connection."""
        converse(connection, self.answer, lambda method: self._begin("", 0, method))

    def _begin(self, host: str, port: int, method: str) -> Entry:
        return self.context.ledger.begin(Way.PROXY, host, port, method)

    def answer(self, conversation: Conversation, request: Request) -> bool:
        """Answer one request; False if the connection ends with it."""
        if request.method == "CONNECT":
            self._connect(conversation, request)
            return False
        try:
            parts = urlsplit(request.target)
            host, port = parts.hostname or "", parts.port or PLAIN_PORT
        except ValueError:
            parts, host, port = urlsplit(""), "", 0
        if parts.scheme != "http" or not host or "@" in parts.netloc:
            self._begin(host, port, request.method).note(refused="no address of a host for a proxy", status=400)
            conversation.tell(400, "a proxy is asked with CONNECT host:443 or with http://host/path")
            return False
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if host in LOOPBACK and port == self.relay_port:
            return self.relay.answer(conversation, request.at(target))
        return self.plain.answer(conversation, request.at(target), host, port)

    def _connect(self, conversation: Conversation, request: Request) -> None:
        found = re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^:@/\[\]]+):([0-9]{1,5})", request.target)
        asked, port = (found[1].strip("[]"), int(found[2])) if found else (request.target, 0)
        host = host_name(asked)
        entry = self._begin(host or asked, port, "CONNECT")
        if request.length:
            refused, text = "a CONNECT with a body", "CONNECT has no body"
        else:
            refused, text = refused_connection(self.context, asked, host, port)
        if refused:
            entry.note(refused=refused, status=403)
            conversation.tell(403, text)
            return
        try:
            far = self.context.dialer.connect(host, port)
        except TroubleError as error:
            entry.note(trouble=str(error), status=error.status)
            conversation.tell(error.status, f"the checker's machine got no answer: {error}")
            return
        with far:
            conversation.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            entry.note(status=200)
            pass_on(self.context, conversation, far, entry, host)


def refused_connection(context: Context, asked: str, host: str, port: int) -> tuple[str, str]:
    """Why a host is not connected to: for the ledger and for the box; both empty if it is.

    Args:
        context: of the channel.
        asked: the host as it was written.
        host: the same as a name, empty if it is none.
        port: of that host.
    """
    why, text = context.policy.refuses(asked, host)
    if why:
        return why, text
    if port not in {TLS_PORT, PLAIN_PORT}:
        return f"port {port}", f"port {port} of {host} is closed; hosts are asked over HTTPS, port {TLS_PORT}"
    if port != TLS_PORT:
        return f"a tunnel to port {port}", f"tunnels lead to port {TLS_PORT} only"
    return "", ""


def pass_on(context: Context, conversation: Conversation, far: socket.socket, entry: Entry, host: str) -> None:
    """See that an encrypted connection says it wants the host that it leads to, and pass it on."""
    try:
        first = hello_of(conversation, host)
    except HelloError as error:
        entry.note(refused=f"an encrypted connection is not what it says: {error}")
        return
    Tunnel(conversation, far, entry, context.mischief).run(first)
