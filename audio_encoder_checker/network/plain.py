"""Requests over plain HTTP to declared hosts: seen in full, and passed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.network.dialing import TroubleError
from audio_encoder_checker.network.exchange import Delivery, bare_etag, deliver, passing
from audio_encoder_checker.network.fetching import Question, fetch
from audio_encoder_checker.network.policy import Origin, host_name

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.network import Way
    from audio_encoder_checker.network.context import Context
    from audio_encoder_checker.network.conversation import Conversation
    from audio_encoder_checker.network.messages import Request

METHODS = frozenset({"GET", "HEAD", "POST"})
PORT = 80


class Plain:
    """Passes requests on.

    Args:
        context: of the channel.
        way: how they come.
    """

    def __init__(self, context: Context, way: Way) -> None:
        self.context = context
        self.way = way

    def answer(self, conversation: Conversation, request: Request, asked: str, port: int) -> bool:
        """Answer one request; False if the connection ends with it.

        Args:
            conversation: with the box.
            request: its target is path and query.
            asked: the host as it was written.
            port: of that host.
        """
        host = host_name(asked)
        entry = self.context.ledger.begin(
            self.way, host or asked, port, request.method,
            path=request.path, token=request.token, sent_bytes=request.length,
        )  # fmt: skip
        status, refused, text = self._refusal(request, asked, host, port)
        if refused:
            entry.note(refused=refused, status=status)
            conversation.tell(status, text, head_only=request.method == "HEAD")
            return False
        body = conversation.body(request.length) if request.length else None
        origin = Origin("http", host, port)
        question = Question(request.method, origin, request.target, request.forwarded, request.length, body)
        try:
            answer = fetch(self.context.dialer, question)
        except TroubleError as error:
            entry.note(trouble=str(error), status=error.status)
            conversation.tell(error.status, f"the checker's machine got no answer: {error}")
            return False
        etag = bare_etag(answer.get("ETag"))
        key = "" if answer.get("Content-Encoding") else f"{host} {request.target} {etag}"
        try:
            return deliver(
                self.context,
                conversation,
                request,
                entry,
                Delivery(answer.status, passing(answer), answer.length, answer.pieces(), key, etag),
            )
        finally:
            answer.close()

    def _refusal(self, request: Request, asked: str, host: str, port: int) -> tuple[int, str, str]:
        """Status, why, and what the box is told; an empty why if nothing speaks against it."""
        why, text = self.context.policy.refuses(asked, host)
        if why:
            return 403, why, text
        if port != PORT:
            return 403, f"port {port}", f"port {port} of {host} is closed; use https://{host}/"
        if request.method not in METHODS:
            return 405, f"method {request.method}", "only GET, HEAD and POST are passed on"
        return 0, "", ""
