"""Which hosts the encoder may reach, and by which way."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

UPSTREAM = "https://huggingface.co"
HARD_CODED = "a hard-coded address"
"""Why there is no connection to what is no name of a host."""
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
NAME_CHARACTERS = 253
"""RFC 1035, as text without the last dot."""


@dataclass(frozen=True)
class Policy:
    """What is let through.

    Attributes:
        hosts: names, or `.suffix` or `*.suffix` for every name below it.
        upstream: the caller's `HF_ENDPOINT`: where the relay asks.
        dial: host -> where to really connect, which may be a loopback address; empty but in tests.
        roots: file with further certificates for TLS to hosts, PEM; empty for the system's alone.
    """

    hosts: tuple[str, ...]
    upstream: str = UPSTREAM
    dial: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    roots: str = ""

    def __post_init__(self) -> None:
        """Raise `UsageError` if `upstream` is no address of a Hub."""
        if not origin_of(self.upstream):
            raise UsageError(
                f"`HF_ENDPOINT` is {self.upstream!r}, which is no address of a Hub",
                f"unset it, or set it to {UPSTREAM}",
            )

    def allows(self, host: str) -> bool:
        """Whether a name, as `host_name` gives it, is one of the allowed."""
        return any(fits(host, pattern.lower()) for pattern in self.hosts)

    def refuses(self, asked: str, host: str) -> tuple[str, str]:
        """Why a host is not reached: for the ledger and for the box; both empty if it is.

        Args:
            asked: the host as it was written.
            host: the same as a name, empty if it is none.
        """
        shown = printable(host or asked)
        if not host:
            why = HARD_CODED if is_address(asked) else "no name of a host"
            return why, f"{shown}: {why}; ask for a host by its name"
        if not self.allows(host):
            return refusal(shown), f"{refusal(shown)}; {advice(shown)}"
        return "", ""


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of an address, and the folder that a mirror may live in."""

    scheme: str
    host: str
    port: int
    folder: str = ""

    @property
    def authority(self) -> str:
        """`host`, with its port where that is not the scheme's own."""
        usual = {"http": 80, "https": 443}[self.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"


def origin_of(url: str) -> Origin | None:
    """Take an address apart; None unless it is a sound one of `http` or `https`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    host = parts.hostname if is_address(parts.hostname) else host_name(parts.hostname)
    if not host:
        return None
    return Origin(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/"))


def host_name(text: str) -> str:
    """A name of a host in lower case without its last dot; empty if it is none, or an address.

    The last label of a name is never a number: `2130706433` and `0x7f.1` are ways to write addresses.
    """
    name = text.lower().removesuffix(".")
    last = name.rpartition(".")[2]
    if len(name) > NAME_CHARACTERS or not _NAME.fullmatch(name) or re.fullmatch(r"\d+|0x[0-9a-f]*", last):
        return ""
    return name


def is_address(text: str) -> bool:
    """Whether a host is written as an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def refusal(host: str) -> str:
    """What to tell whoever asks for a host that is not allowed."""
    return f"{host} is not a declared host"


def advice(host: str) -> str:
    """What a participant does about it."""
    return f'declare the host in aecc.toml: [network] hosts = ["{host}"]'


def fits(host: str, pattern: str) -> bool:
    """Whether a name is the one that a pattern names, or one of those below `.suffix` or `*.suffix`."""
    suffix = pattern.removeprefix("*")
    return host.endswith(suffix) and len(host) > len(suffix) if suffix.startswith(".") else host == suffix
