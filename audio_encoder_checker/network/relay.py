"""The Hub in the clear: what the encoder asks of `HF_ENDPOINT`, asked of the true one without a token."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from audio_encoder_checker.evidence.network import HubFile, Way
from audio_encoder_checker.network import limits
from audio_encoder_checker.network.context import Context, converse
from audio_encoder_checker.network.dialing import TroubleError
from audio_encoder_checker.network.exchange import Delivery, bare_etag, deliver, passing
from audio_encoder_checker.network.faults import FaultKind
from audio_encoder_checker.network.fetching import Answer, Question, fetch
from audio_encoder_checker.network.hub_paths import COMMIT, hub_file, is_content
from audio_encoder_checker.network.policy import Origin, origin_of
from audio_encoder_checker.network.stored import stored
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    import socket

    from audio_encoder_checker.network.conversation import Conversation
    from audio_encoder_checker.network.ledger import Entry
    from audio_encoder_checker.network.messages import Request
    from audio_encoder_checker.network.store import Incoming

METHODS = frozenset({"GET", "HEAD", "POST"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
FOLLOWED = ("range", "user-agent", "accept")
"""Fields of the box that also the host hears whom the Hub sends to."""
TURNED_AWAY = {
    FaultKind.TOO_MANY: (429, "Too Many Requests", (("Retry-After", "1"),)),
    FaultKind.SERVER_ERROR: (500, "Internal Server Error", ()),
}


@dataclass
class Asking:
    """One request to the Hub.

    Attributes:
        linked: what the Hub itself said of a file that it keeps elsewhere: commit, entity tag, size.
    """

    conversation: Conversation
    request: Request
    entry: Entry
    hub: HubFile | None
    linked: dict[str, str]


class Relay:
    """Serves connections to `HF_ENDPOINT`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        origin = origin_of(context.policy.upstream)
        assert origin  # noqa: S101 - the policy has looked
        self.origin = origin

    def serve(self, connection: socket.socket) -> None:
        """Answer all requests of one connection."""
        converse(connection, self.answer, lambda method: self._begin(method, ""))

    def _begin(self, method: str, path: str, **known: object) -> Entry:
        return self.context.ledger.begin(Way.HUB, self.origin.host, self.origin.port, method, path=path, **known)

    def answer(self, conversation: Conversation, request: Request) -> bool:
        """Answer one request; False if the connection ends with it."""
        path = request.path
        hub = hub_file(path)
        entry = self._begin(request.method, path, hub=hub, token=request.token, sent_bytes=request.length)
        asking = Asking(conversation, request, entry, hub, {})
        kind = self.context.mischief.strikes(*TURNED_AWAY)
        if kind:
            status, text, more = TURNED_AWAY[kind]
            entry.note(fault=kind.value)
            return self._tell(asking, status, text, more)
        if request.method not in METHODS or not path.startswith("/") or path.startswith("//"):
            status, why = (405, "the Hub is only read from") if path.startswith("/") else (400, "no path of the Hub")
            entry.note(refused=why, status=status)
            conversation.tell(status, why)
            return False
        if delivery := self._from_store(asking):
            return deliver(self.context, conversation, request, entry, delivery)
        try:
            answer = self._fetch(asking)
        except TroubleError as error:
            entry.note(trouble=str(error))
            return self._tell(asking, error.status, f"the checker's machine got no answer: {error}")
        try:
            return deliver(self.context, conversation, request, entry, self._delivery(asking, answer))
        finally:
            answer.close()

    def _tell(self, asking: Asking, status: int, text: str, more: tuple[tuple[str, str], ...] = ()) -> bool:
        keep = asking.request.keep and not asking.request.length
        asking.entry.note(status=status)
        head_only = asking.request.method == "HEAD"
        asking.conversation.tell(status, text, close=not keep, head_only=head_only, more=more)
        asking.entry.note(whole=True)
        return keep

    def _from_store(self, asking: Asking) -> Delivery | None:
        """The answer, if the file is on this machine's disk."""
        hub, request, store = asking.hub, asking.request, self.context.store
        asks = request.method != "POST" and not request.length and is_content(request.path)
        found = store.find(hub) if store and hub and asks else None
        return stored(request, hub, found) if hub and found else None

    def _fetch(self, asking: Asking) -> Answer:
        """The last answer of as many hosts as have to be asked."""
        request = asking.request
        body = asking.conversation.body(request.length) if request.length else None
        question = Question(
            request.method, self.origin, self.origin.folder + request.target, request.forwarded, request.length, body
        )
        answer = fetch(self.context.dialer, question)
        for _ in range(limits.REDIRECTS):
            following = self._elsewhere(question, answer)
            if following is None:
                return answer
            if not asking.linked:
                asking.linked = _linked(answer)
                if request.method == "HEAD" and {"etag", "size"} <= set(asking.linked):
                    return answer
            answer.close()
            fields = {name: value for name, value in request.forwarded.items() if name in FOLLOWED}
            question = replace(question, origin=following[0], target=following[1], fields=fields, length=0, body=None)
            answer = fetch(self.context.dialer, question)
        answer.close()
        raise TroubleError("the Hub redirects without end")

    def _elsewhere(self, question: Question, answer: Answer) -> tuple[Origin, str] | None:
        """Where to look instead, if the box is not to go there itself."""
        location = answer.get("Location")
        if answer.status not in REDIRECTS or not location or question.method not in {"GET", "HEAD"}:
            return None
        url = urljoin(f"{question.origin.scheme}://{question.origin.authority}{question.target}", location)
        origin = origin_of(url)
        if origin is None or (question.origin.scheme == "https" and origin.scheme == "http"):
            answer.close()
            raise TroubleError("the Hub redirects to an address that is not followed")
        origin = replace(origin, folder="")
        if origin == replace(self.origin, folder=""):
            return None
        parts = urlsplit(url)
        return origin, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def _delivery(self, asking: Asking, answer: Answer) -> Delivery:
        """The answer as the box gets it."""
        status, length, fields = answer.status, answer.length, self._fields(asking, answer)
        linked = asking.linked
        commit = linked.get("commit") or answer.get("X-Repo-Commit")
        etag = linked.get("etag") or bare_etag(answer.get("X-Linked-Etag") or answer.get("ETag"))
        if status in REDIRECTS and asking.request.method == "HEAD" and "size" in linked:
            status, length = 200, int(linked["size"])
            fields = [(name, value) for name, value in fields if name.lower() != "location"]
        if linked:
            fields = _with_own(fields, commit, etag, linked.get("size", ""))
        hub = _told(asking.hub, commit, answer)
        delivery = Delivery(status, fields, length, answer.pieces(), etag=etag, own={"hub": hub})
        if hub and etag:
            plain = status in {200, 206} and not answer.get("Content-Encoding")
            delivery.key = f"{hub.kind} {hub.repository} {hub.file} {etag}" if plain and hub.file else ""
            delivery.incoming = self._incoming(asking, answer, hub, etag)
        return delivery

    def _fields(self, asking: Asking, answer: Answer) -> list[tuple[str, str]]:
        """What passes of its fields, with the relay's address for the Hub's."""
        passed = [(name, value) for name, value in passing(answer) if not name.lower().startswith("x-xet-")]
        own = [(name, self._own(name.lower(), value, asking)) for name, value in passed]
        return [(name, value) for name, value in own if value]

    def _incoming(self, asking: Asking, answer: Answer, hub: HubFile, etag: str) -> Incoming | None:
        """Where to keep what comes, if it is a whole file; what the Hub told about its revision is kept anyway."""
        store, request = self.context.store, asking.request
        if store is None or not is_content(request.path):
            return None
        store.told(hub)
        whole = request.method == "GET" and answer.status == 200 and not answer.get("Content-Encoding")
        return store.incoming(hub, etag, answer.length) if whole else None

    def _own(self, name: str, value: str, asking: Asking) -> str:
        """A field's value with the Hub's address replaced by the relay's; empty if it is not to pass."""
        if name == "location":
            return value.removeprefix(f"{self.origin.scheme}://{self.origin.authority}{self.origin.folder}") or "/"
        if name == "link":
            links = [one for one in re.split(r",\s*(?=<)", value) if "xet" not in one]
            host, port = asking.conversation.connection.getsockname()[:2]
            base = f"{self.origin.scheme}://{self.origin.authority}{self.origin.folder}"
            return ", ".join(one.replace(f"<{base}/", f"<http://{host}:{port}/") for one in links)
        return value


def _told(hub: HubFile | None, commit: str, answer: Answer) -> HubFile | None:
    """What is asked for, with what the Hub says of it."""
    error = printable(answer.get("X-Error-Code"), limit=60)
    return hub and replace(hub, commit=commit if COMMIT.fullmatch(commit) else hub.commit, error=error)


def _with_own(fields: list[tuple[str, str]], commit: str, etag: str, size: str) -> list[tuple[str, str]]:
    """The fields of another host, with what the Hub itself said of the file."""
    own = {"ETag": f'"{etag}"', "X-Repo-Commit": commit, "X-Linked-Etag": f'"{etag}"', "X-Linked-Size": size}
    said = {name.lower() for name in own}
    kept = [(name, value) for name, value in fields if name.lower() not in said]
    return kept + [(name, value) for name, value in own.items() if value.strip('"')]


def _linked(answer: Answer) -> dict[str, str]:
    size = answer.get("X-Linked-Size")
    known = {
        "commit": answer.get("X-Repo-Commit"),
        "etag": bare_etag(answer.get("X-Linked-Etag")),
        "size": size if re.fullmatch(r"[0-9]{1,18}", size) else "",
    }
    return {name: value for name, value in known.items() if value}
