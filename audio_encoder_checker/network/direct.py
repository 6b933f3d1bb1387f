"""Connections that the encoder makes by itself, without the proxy: the address tells which name was looked up."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.network import Way
from audio_encoder_checker.network.context import Context, converse
from audio_encoder_checker.network.conversation import Conversation, GoneError
from audio_encoder_checker.network.dialing import TroubleError
from audio_encoder_checker.network.plain import PORT, Plain
from audio_encoder_checker.network.policy import HARD_CODED
from audio_encoder_checker.network.proxy import TLS_PORT, pass_on, refused_connection

if TYPE_CHECKING:
    import socket

    from audio_encoder_checker.network.messages import Request


class Direct:
    """Serves connections to one port of any address.

    Args:
        context: of the channel.
        port: 443 for TLS, 80 for plain HTTP; connections to any other are refused.
    """

    def __init__(self, context: Context, port: int) -> None:
        self.context = context
        self.port = port
        self.plain = Plain(context, Way.DIRECT)

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection."""
        address = str(connection.getsockname()[0]).removeprefix("::ffff:")
        host = self.context.addresses.name(address)
        if host and self.port == PORT:
            converse(
                connection,
                lambda conversation, request: self._plain(conversation, request, host),
                lambda method: self.context.ledger.begin(Way.DIRECT, host, self.port, method),
            )
            return
        with contextlib.suppress(GoneError):
            self._encrypted(connection, address, host)

    def _plain(self, conversation: Conversation, request: Request, host: str) -> bool:
        named = request.get("host").partition(":")[0].lower().removesuffix(".")
        if named != host or not request.target.startswith("/"):
            entry = self.context.ledger.begin(Way.DIRECT, host, self.port, request.method)
            entry.note(refused="the request names another host than its connection leads to", status=403)
            conversation.tell(403, "Host is not the host that was looked up")
            return False
        return self.plain.answer(conversation, request, host, self.port)

    def _encrypted(self, connection: socket.socket, address: str, host: str) -> None:
        method = "TLS" if self.port == TLS_PORT else "?"
        entry = self.context.ledger.begin(Way.DIRECT, host or address, self.port, method)
        refused = HARD_CODED if not host else refused_connection(self.context, host, host, self.port)[0]
        if refused:
            entry.note(refused=refused)
            return
        try:
            far = self.context.dialer.connect(host, self.port)
        except TroubleError as error:
            entry.note(trouble=str(error))
            return
        with far:
            pass_on(self.context, Conversation(connection), far, entry, host)
