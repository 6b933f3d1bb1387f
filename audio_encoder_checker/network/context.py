"""What all doors of a channel share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.network.conversation import Conversation, GoneError
from audio_encoder_checker.network.messages import RequestError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from audio_encoder_checker.network.addresses import Addresses
    from audio_encoder_checker.network.dialing import Dialer
    from audio_encoder_checker.network.faults import Mischief
    from audio_encoder_checker.network.ledger import Entry, Ledger
    from audio_encoder_checker.network.messages import Request
    from audio_encoder_checker.network.policy import Policy
    from audio_encoder_checker.network.pouring import Beginnings
    from audio_encoder_checker.network.store import Store


@dataclass(frozen=True)
class Context:
    """One channel's rules and books."""

    policy: Policy
    dialer: Dialer
    ledger: Ledger
    mischief: Mischief
    addresses: Addresses
    beginnings: Beginnings
    store: Store | None


def converse(
    connection: socket.socket, answer: Callable[[Conversation, Request], bool], begin: Callable[[str], Entry]
) -> None:
    """Answer one request after the other.

    Args:
        connection: to the box.
        answer: answers one; False if the connection ends with it.
        begin: notes a request of which only an error is known.
    """
    conversation = Conversation(connection)
    try:
        while True:
            request = conversation.request()
            if request is None or not answer(conversation, request) or not request.keep:
                return
    except RequestError as error:
        begin("?").note(refused=str(error), status=error.status)
        try:
            conversation.tell(error.status, str(error))
        except GoneError:
            return
    except GoneError:
        return
