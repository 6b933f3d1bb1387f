"""What the channel breaks on purpose, to see whether the encoder bears it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum


class FaultKind(str, Enum):
    """What goes wrong."""

    NONE = "none"
    TOO_MANY = "too many requests"
    """Status 429 with `Retry-After: 1`."""
    SERVER_ERROR = "server error"
    """Status 500."""
    SLOW = "slow answer"
    """A pause in the middle of a body."""
    CUT = "connection cut"
    """The end in the middle of a body."""
    WRONG_BYTES = "wrong bytes"
    """A body as long as the true one, but other bytes in its middle."""


@dataclass(frozen=True)
class Faults:
    """One kind of fault.

    Attributes:
        kind: what goes wrong.
        times: how many requests or bodies meet it; `WRONG_BYTES` meets all.
        pause_s: of `SLOW`.
    """

    kind: FaultKind = FaultKind.NONE
    times: int = 0
    pause_s: float = 15.0


NO_FAULTS = Faults()


class Mischief:
    """Counts the faults that were made. Safe in threads.

    Attributes:
        closing: set when the channel closes, which ends every pause.
    """

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._left = faults.times
        self._lock = threading.Lock()
        self.closing = threading.Event()

    def strikes(self, *kinds: FaultKind) -> FaultKind | None:
        """The fault to make now, if it is one of these and some are left of it."""
        kind = self.faults.kind
        if kind is FaultKind.NONE or kind not in kinds:
            return None
        if kind is FaultKind.WRONG_BYTES:
            return kind
        with self._lock:
            if self._left <= 0:
                return None
            self._left -= 1
        return kind

    def pause(self) -> None:
        """Wait as long as a slow answer does, or until the channel closes."""
        self.closing.wait(self.faults.pause_s)
