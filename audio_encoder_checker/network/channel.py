"""The only way out of a box: name server, proxy, relay to the Hub and direct connections, all served from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.network import Way
from audio_encoder_checker.network.addresses import Addresses
from audio_encoder_checker.network.context import Context
from audio_encoder_checker.network.dialing import Dialer
from audio_encoder_checker.network.direct import Direct
from audio_encoder_checker.network.dns import NameServer
from audio_encoder_checker.network.faults import NO_FAULTS, Faults, Mischief
from audio_encoder_checker.network.ledger import Ledger
from audio_encoder_checker.network.pouring import Beginnings
from audio_encoder_checker.network.proxy import Proxy
from audio_encoder_checker.network.relay import Relay
from audio_encoder_checker.network.serving import Server

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from audio_encoder_checker.network.policy import Policy
    from audio_encoder_checker.network.store import Store


@dataclass(frozen=True)
class Doors:
    """Sockets that listen inside the box; they belong to the channel, which closes them.

    Attributes:
        dns: UDP, of the name server; None if names are not served.
        proxy: TCP, of `HTTP_PROXY` and `HTTPS_PROXY`.
        relay: TCP, of `HF_ENDPOINT`.
        direct: port -> listener that gets all connections to that port; 443 takes TLS, 80 plain HTTP.
    """

    dns: socket.socket | None
    proxy: socket.socket
    relay: socket.socket
    direct: Mapping[int, socket.socket] = field(default_factory=dict)


class Channel:
    """Serves the doors of one box. A context manager.

    Args:
        doors: of the box.
        policy: what is let through.
        store: files of the Hub on this machine's disk; None for none.
        faults: what is broken on purpose.
        ledger: where all is written down; a new one if None.

    Attributes:
        ledger: see there.

    Raises:
        OSError: the certificates of `policy.roots` cannot be read.
    """

    def __init__(
        self,
        doors: Doors,
        policy: Policy,
        *,
        store: Store | None = None,
        faults: Faults = NO_FAULTS,
        ledger: Ledger | None = None,
    ) -> None:
        self.ledger = ledger or Ledger()
        self._mischief = Mischief(faults)
        context = Context(policy, Dialer(policy), self.ledger, self._mischief, Addresses(), Beginnings(), store)
        relay = Relay(context)
        proxy = Proxy(context, relay, doors.relay.getsockname()[1])
        listeners = {doors.relay: relay.serve, doors.proxy: proxy.serve}
        self._ways = {doors.relay: (Way.HUB, relay.origin.host, relay.origin.port), doors.proxy: (Way.PROXY, "", 0)}
        for port, listener in doors.direct.items():
            listeners[listener] = Direct(context, port).serve
            self._ways[listener] = (Way.DIRECT, "", port)
        datagrams = (doors.dns, NameServer(context).serve) if doors.dns else None
        self._server = Server(listeners, datagrams, self._crowded)

    def __enter__(self) -> Channel:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Serve from now on. Safe to call twice."""
        self._server.start()

    def close(self) -> None:
        """Cut all connections and close the doors. Safe to call twice."""
        self._mischief.closing.set()
        self._server.close()

    @property
    def failures(self) -> tuple[str, ...]:
        """What went wrong in the channel itself: empty if it has no bug."""
        return tuple(self._server.failures)

    def _crowded(self, listener: socket.socket) -> None:
        way, host, port = self._ways[listener]
        self.ledger.begin(way, host, port, "?", refused="too many connections at once")
