"""Connections to hosts, from the machine that has the network: never to its own, or to its neighbours'."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.network import limits
from audio_encoder_checker.network.corporate import CorporateError, through
from audio_encoder_checker.network.policy import Policy, origin_of
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESSES = 4
"""Of a host that are tried, one after the other."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: an IPv4 address stands in the last four bytes."""


class TroubleError(Exception):
    """A host gave no answer, as this machine met it.

    Attributes:
        status: of HTTP, for the box.
    """

    def __init__(self, message: str, status: int = 502) -> None:
        super().__init__(printable(message))
        self.status = status


class Dialer:
    """Connects to hosts. Safe in threads.

    Args:
        policy: whose `upstream` may be on a private network, and whose `dial` leads anywhere.

    Raises:
        OSError: the policy's certificates cannot be read.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        origin = origin_of(policy.upstream)
        self._own = origin.host if origin else ""
        self._tls = _context(policy.roots)

    def connect(self, host: str, port: int, *, tls: bool = False) -> socket.socket:
        """A connection to a host, by the address that was looked at.

        Args:
            host: a name, or the address of the policy's `upstream`.
            port: of that host.
            tls: whether to encrypt, and to see the host's certificate.

        Raises:
            TroubleError: nobody there, nobody safe, or the wrong certificate.
        """
        connection = self._plain(host, port, tls=tls)
        connection.settimeout(limits.READ_S)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not tls:
            return connection
        try:
            return self._tls.wrap_socket(connection, server_hostname=host)
        except (OSError, ValueError) as error:
            connection.close()
            raise TroubleError(f"TLS with {host}: {trouble(error)}", _status(error)) from error

    def _plain(self, host: str, port: int, *, tls: bool) -> socket.socket:
        if host in self.policy.dial:
            return _first_of(host, [self.policy.dial[host]])
        try:
            connection = None if is_private_literal(host) else through(host, port, tls=tls)
        except CorporateError as error:
            raise TroubleError(str(error)) from error
        return connection or _first_of(host, list(self._addresses(host, port)))

    def _addresses(self, host: str, port: int) -> Iterator[tuple[str, int]]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise TroubleError(f"{host} has no address: {trouble(error)}") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        safe = [one for one in addresses if host == self._own or is_public(one)]
        if not safe:
            raise TroubleError(f"{host} stands for an address of a private network", 403)
        yield from ((one, port) for one in safe[:ADDRESSES])


def is_public(text: str) -> bool:
    """Whether an address is somebody's on the internet, whatever way it is wrapped."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not is_public(str(inner)):
            return False
        if address.ipv4_mapped:
            return True
    return address.is_global and not address.is_multicast


def is_private_literal(host: str) -> bool:
    """Whether a host is this machine or an address of its own network."""
    if host == "localhost":
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def trouble(error: BaseException) -> str:
    """What an error of the network says, in a line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return printable(getattr(error, "strerror", None) or str(error)) or type(error).__name__


def _status(error: BaseException) -> int:
    return 504 if isinstance(error, TimeoutError) else 502


def _first_of(host: str, addresses: list[tuple[str, int]]) -> socket.socket:
    last: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection(address, timeout=limits.CONNECT_S)
        except OSError as error:
            last = error
    raise TroubleError(f"{host}: {trouble(last)}", _status(last))


def _context(roots: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not (paths.cafile or (paths.capath and any(Path(paths.capath).iterdir()))):
        import requests.utils  # a machine without certificates of its own, such as a slim container

        context.load_verify_locations(requests.utils.DEFAULT_CA_BUNDLE_PATH)
    if roots:
        context.load_verify_locations(roots)
    return context
