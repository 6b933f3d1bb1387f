"""What went through the channel, written down while it goes."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

from audio_encoder_checker.evidence.network import LookUp, Moment, NetworkFacts, Transfer, Way
from audio_encoder_checker.network import limits
from audio_encoder_checker.printable import printable

PATH_CHARACTERS = 500


class Ledger:
    """Written by the channel's threads, read by the parent at any time.

    Attributes:
        at: what the encoder does now; whatever begins from now on belongs to it. Set it from any thread.
    """

    def __init__(self, at: Moment | None = None) -> None:
        self.at = at or Moment()
        self._lock = threading.Lock()
        self._transfers: list[Transfer] = []
        self._look_ups: dict[str, LookUp] = {}
        self._unrecorded = 0

    def begin(self, way: Way, host: str, port: int, method: str, **known: Any) -> Entry:
        """Note a request or connection.

        Args:
            way: how it left the box.
            host: any text; made printable here, as all text of `known` is.
            port: of that host.
            method: of HTTP, or `CONNECT` or `TLS`.
            known: further attributes of a `Transfer`.
        """
        known = _safe(known) | {"began_s": time.monotonic()}
        first = Transfer(self.at, way, printable(host), port, printable(method, limit=20), **known)
        with self._lock:
            if len(self._transfers) >= limits.TRANSFERS:
                self._unrecorded += 1
                return Entry(self, -1)
            self._transfers.append(first)
            return Entry(self, len(self._transfers) - 1)

    def look_up(self, name: str, *, known: bool) -> None:
        """Note that a name was asked for."""
        name = printable(name, limit=300)
        with self._lock:
            before = self._look_ups.get(name)
            if before:
                self._look_ups[name] = replace(before, count=before.count + 1)
            elif len(self._look_ups) < limits.NAMES:
                self._look_ups[name] = LookUp(self.at, name, known)
            else:
                self._unrecorded += 1

    def facts(self) -> NetworkFacts:
        """All so far; what still goes on is not `whole`."""
        with self._lock:
            return NetworkFacts(tuple(self._transfers), tuple(self._look_ups.values()), self._unrecorded)

    def _change(self, number: int, changes: dict[str, Any]) -> None:
        with self._lock:
            self._transfers[number] = replace(self._transfers[number], **changes)


class Entry:
    """One line of the ledger that is not finished."""

    def __init__(self, ledger: Ledger, number: int) -> None:
        self._ledger = ledger
        self._number = number
        self._start = time.monotonic()

    def note(self, **changes: Any) -> None:
        """Set attributes of the `Transfer`; its seconds are those until now."""
        if self._number >= 0:
            seconds = round(time.monotonic() - self._start, 3)
            self._ledger._change(self._number, _safe(changes) | {"seconds": seconds})  # noqa: SLF001 - its own ledger


def _safe(known: dict[str, Any]) -> dict[str, Any]:
    return {k: printable(v, limit=PATH_CHARACTERS) if isinstance(v, str) else v for k, v in known.items()}
