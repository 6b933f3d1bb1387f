"""An address of its own for every name, so that a connection to it tells which host was meant."""

from __future__ import annotations

import ipaddress
import threading

from audio_encoder_checker.network import limits

FIRST = int(ipaddress.IPv4Address("127.64.0.1"))
"""Of 127.64.0.0/10, which is loopback (RFC 1122, 3.2.1.3) and used by nothing else."""


class Addresses:
    """Names and their addresses. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._names: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The name's address, the same for as long as the channel lives; empty if there are too many names."""
        with self._lock:
            number = self._numbers.setdefault(name, len(self._numbers))
            if number >= limits.NAMES:
                del self._numbers[name]
                return ""
            address = str(ipaddress.IPv4Address(FIRST + number))
            self._names[address] = name
            return address

    def name(self, address: str) -> str:
        """Which name an address was given for; empty if none."""
        with self._lock:
            return self._names.get(address, "")
