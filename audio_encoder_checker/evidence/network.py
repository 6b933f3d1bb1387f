"""What the encoder asked of the network, as the checker saw it from outside the box."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.behaviour import Difference
    from audio_encoder_checker.evidence.run import Outcome
    from audio_encoder_checker.evidence.training import DataUse


class Way(str, Enum):
    """How a request left the box."""

    HUB = "Hub"
    """Through `HF_ENDPOINT`, in the clear: repository, revision and file are seen."""
    PROXY = "proxy"
    """Through `HTTP_PROXY` or `HTTPS_PROXY`: an encrypted tunnel is seen as host and bytes."""
    DIRECT = "direct"
    """A connection to an address that our own name server gave, or to one that stands in the code."""


@dataclass(frozen=True)
class Moment:
    """When something happened.

    Attributes:
        stage: such as `load`.
        call: what was asked of the encoder, such as `2 clips of 3.1 s`; empty while it is loaded.
    """

    stage: str = ""
    call: str = ""


@dataclass(frozen=True)
class HubFile:
    """What a request to the Hub was about.

    Attributes:
        repository: `OWNER/NAME`, or `NAME` of old models.
        kind: `model`, `dataset` or `space`.
        revision: as asked: a commit, a tag, a branch.
        file: path in the repository; empty of questions about the repository itself.
        commit: 40 hexadecimal digits as the Hub answered, empty if it did not.
        error: the Hub's own word for what is wrong (`X-Error-Code`), such as `GatedRepo`; empty for nothing.
    """

    repository: str
    kind: str = "model"
    revision: str = ""
    file: str = ""
    commit: str = ""
    error: str = ""

    @property
    def pinned(self) -> bool:
        """Whether a commit was asked for, which never changes."""
        return re.fullmatch("[0-9a-f]{40}", self.revision) is not None


@dataclass(frozen=True)
class Transfer:
    """One request in the clear, or one encrypted connection. All text is printable.

    Attributes:
        at: when it began.
        way: how it left the box.
        host: as the encoder knows it; the Hub's real name, not the relay's.
        port: 443 of a request to the Hub.
        method: `GET`, `HEAD`, ...; `CONNECT` of a tunnel, `TLS` of a direct encrypted connection.
        path: of the address without its query, empty where it is encrypted.
        hub: repository, revision and file, None if it is no request to the Hub.
        status: of HTTP, as the encoder got it; 0 if it got none.
        received_bytes: of the body, or of the tunnel, into the box.
        sent_bytes: the same, out of it.
        seconds: from the request to the last byte.
        sha256: of the body if all of a file was seen, in hexadecimal; else empty.
        etag: as the Hub or host sent it, without quotes; empty if it sent none or it is encrypted.
        whole: it came to its end: as many bytes as were announced.
        refused: why the checker did not let it through; empty if it did.
        trouble: why the other side gave no (whole) answer, as this machine met it; empty if it did.
        fault: the fault that the checker made on purpose; empty if none.
        cached: it came from the checker's own cache.
        token: the encoder sent a token along, which was taken away.
        began_s: on the checker's monotonic clock.
    """

    at: Moment
    way: Way
    host: str
    port: int
    method: str
    path: str = ""
    hub: HubFile | None = None
    status: int = 0
    received_bytes: int = 0
    sent_bytes: int = 0
    seconds: float = 0.0
    sha256: str = ""
    etag: str = ""
    whole: bool = False
    refused: str = ""
    trouble: str = ""
    fault: str = ""
    cached: bool = False
    token: bool = False
    began_s: float = 0.0


@dataclass(frozen=True)
class LookUp:
    """A host's name that was asked for.

    Attributes:
        at: when first.
        name: printable.
        known: whether an address was given.
        count: how often.
    """

    at: Moment
    name: str
    known: bool
    count: int = 1


@dataclass(frozen=True)
class NetworkFacts:
    """The ledger of one process of the encoder, or of several.

    Attributes:
        transfers: in the order in which they began.
        look_ups: in the order in which they were asked first.
        unrecorded: requests past the most that are kept.
        observed: whether anything could be seen; nothing could where the box has no network, or that of the host.
    """

    transfers: tuple[Transfer, ...] = ()
    look_ups: tuple[LookUp, ...] = ()
    unrecorded: int = 0
    observed: bool = True

    @property
    def passed(self) -> tuple[Transfer, ...]:
        """What was let through."""
        return tuple(one for one in self.transfers if not one.refused)

    @property
    def received_bytes(self) -> int:
        """Of everything, into the box."""
        return sum(one.received_bytes for one in self.transfers)


class Condition(str, Enum):
    """Under which the encoder was started once more."""

    CUT_OFF = "no network, cache kept"
    OFFLINE_MODE = "HF_HUB_OFFLINE=1, cache kept"
    TOO_MANY = "429 Too Many Requests, twice"
    SERVER_ERROR = "500 Internal Server Error, twice"
    SLOW = "a pause of 15 s in a file"
    CUT = "connection cut in the middle of a file"
    WRONG_BYTES = "wrong bytes in every file"
    NO_NETWORK = "no network, nothing cached"
    FULL_DISK = "a disk that is full half-way"
    TWO_AT_ONCE = "two processes at once, nothing cached"


class Went(str, Enum):
    """How such a start went."""

    WELL = "same embeddings"
    OTHERWISE = "other embeddings"
    CLEARLY = "stopped, and said why"
    UNCLEARLY = "stopped, without saying why"
    HUNG = "hung"
    NOT_MET = "did not notice"


@dataclass(frozen=True)
class Restart:
    """One further start of the encoder, with a call.

    Attributes:
        condition: what was different.
        outcome: of loading if that failed, else of the call.
        went: what came of it.
        difference: from the embeddings of the first start, None where there is nothing to compare.
        requests: of this start that were let through.
    """

    condition: Condition
    outcome: Outcome
    went: Went
    difference: Difference | None = None
    requests: int = 0


@dataclass(frozen=True)
class Restarts:
    """All of them; none for an encoder that needs no network."""

    starts: tuple[Restart, ...] = ()

    def under(self, *conditions: Condition) -> tuple[Restart, ...]:
        """Those under some conditions."""
        return tuple(one for one in self.starts if one.condition in conditions)


@dataclass(frozen=True)
class DownloadedData:
    """Evaluation data that seems to have been downloaded: from where, and what it is."""

    uses: tuple[tuple[str, DataUse], ...] = ()
