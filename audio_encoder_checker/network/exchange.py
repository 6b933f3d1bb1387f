"""A host's answer on its way to the box: which fields pass, and what is noted of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audio_encoder_checker.network import limits
from audio_encoder_checker.network.conversation import REASONS, Conversation, GoneError
from audio_encoder_checker.network.dialing import TroubleError, trouble
from audio_encoder_checker.network.faults import FaultKind
from audio_encoder_checker.network.pouring import Pour, broken, kept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.network.context import Context
    from audio_encoder_checker.network.fetching import Answer
    from audio_encoder_checker.network.ledger import Entry
    from audio_encoder_checker.network.messages import Request
    from audio_encoder_checker.network.store import Incoming

HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-connection", "trailer", "transfer-encoding", "upgrade",
     "content-length", "set-cookie", "alt-svc", "strict-transport-security"}
)  # fmt: skip
"""Fields that are the next hop's own, or that make sense on an encrypted connection only."""
BODILESS = frozenset({204, 304})
BREAKABLE = (FaultKind.SLOW, FaultKind.CUT, FaultKind.WRONG_BYTES)


@dataclass
class Delivery:
    """What is to be sent to the box.

    Attributes:
        status: of HTTP.
        fields: all but those of the framing.
        length: of the body in bytes, None if only its end tells.
        pieces: the body.
        key: one for all requests for the same content of the same file; empty where no file is asked for.
        etag: without quotes.
        incoming: where to keep the body, if anywhere.
    """

    status: int
    fields: list[tuple[str, str]]
    length: int | None
    pieces: Iterator[memoryview]
    key: str = ""
    etag: str = ""
    incoming: Incoming | None = None
    own: dict[str, object] = field(default_factory=dict)


def passing(answer: Answer) -> list[tuple[str, str]]:
    """A host's fields that the box gets to see."""
    return [(name, value) for name, value in answer.fields if name.lower() not in HOP and _clean(name + value)]


def bare_etag(text: str) -> str:
    """An entity tag without its quotes and mark of weakness, as a client of the Hub keeps it."""
    return text.removeprefix("W/").strip('"')


def deliver(context: Context, conversation: Conversation, request: Request, entry: Entry, delivery: Delivery) -> bool:
    """Send it, and note what became of it.

    Returns:
        Whether the connection may serve another request.

    Raises:
        GoneError: the box went away.
    """
    try:
        return _deliver(context, conversation, request, entry, delivery)
    finally:
        if delivery.incoming:
            delivery.incoming.close()


def _deliver(context: Context, conversation: Conversation, request: Request, entry: Entry, delivery: Delivery) -> bool:
    bodiless = request.method == "HEAD" or delivery.status in BODILESS
    chunked = delivery.length is None and request.minor == 1 and not bodiless
    keep = request.keep and (chunked or delivery.length is not None or bodiless)
    framing = [] if keep else [("Connection", "close")]
    if chunked:
        framing.append(("Transfer-Encoding", "chunked"))
    elif delivery.length is not None and delivery.status not in BODILESS:
        framing.append(("Content-Length", str(delivery.length)))
    entry.note(status=delivery.status, etag=delivery.etag, **delivery.own)
    reason = REASONS.get(delivery.status, "")
    conversation.start(delivery.status, [*delivery.fields, *framing], reason)
    if bodiless:
        entry.note(whole=True)
        return keep
    first, total = _place(delivery)
    pour = Pour(conversation, length=delivery.length, chunked=chunked, first=first, total=total)
    try:
        pour.run(_prepared(context, entry, delivery), delivery.key, context.beginnings)
        if delivery.incoming:
            delivery.incoming.finish()
    except (TroubleError, OSError) as error:
        entry.note(trouble=trouble(error))
        raise GoneError from error
    finally:
        entry.note(received_bytes=pour.count, whole=pour.whole, sha256=pour.sha256)
    return keep


def _prepared(context: Context, entry: Entry, delivery: Delivery) -> Iterator[memoryview]:
    """The body with its fault, if one strikes."""
    pieces = kept(delivery.pieces, delivery.incoming) if delivery.incoming else delivery.pieces
    if delivery.status not in {200, 206} or not delivery.key or delivery.length == 0:
        return pieces
    kind = context.mischief.strikes(*BREAKABLE)
    if not kind:
        return pieces
    entry.note(fault=kind.value)
    length = delivery.length if delivery.length is not None else 2 * limits.PIECE_BYTES
    return broken(pieces, length, kind, context.mischief)


def _place(delivery: Delivery) -> tuple[int, int | None]:
    """First byte and size of the file that a body is of."""
    text = next((value for name, value in delivery.fields if name.lower() == "content-range"), "")
    part = re.fullmatch(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18})", text)
    if delivery.status == 206 and part:
        return int(part[1]), int(part[2])
    return 0, delivery.length


def _clean(text: str) -> bool:
    return not re.search(r"[\r\n\0]", text)
