"""What a child may reach beyond its box: hosts, through the checker, and a home folder that outlives it."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audio_encoder_checker.child.doors import LISTENING
from audio_encoder_checker.network.faults import NO_FAULTS, Faults
from audio_encoder_checker.network.ledger import Ledger
from audio_encoder_checker.sandbox.launch import unused_uid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from audio_encoder_checker.network.channel import Channel
    from audio_encoder_checker.network.policy import Policy
    from audio_encoder_checker.network.store import Store

PROXY, HUB = (f"http://{host}:{port}" for host, port in LISTENING[:2])
NAME_SERVERS = "resolv.conf"
NAME_SERVER = "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n"
ENVIRONMENT = {
    "HF_ENDPOINT": HUB,
    "HF_HUB_DISABLE_XET": "1",  # its chunks come from elsewhere and could not be told apart
    "HF_HUB_DISABLE_TELEMETRY": "1",
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), PROXY),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1"),
}
"""What has libraries come to the doors."""


@dataclass(frozen=True)
class Outside:
    """What one start of the encoder may reach.

    Attributes:
        policy: which hosts.
        home: a folder on the host that is the child's home and outlives it.
        store: files of the Hub that the checker keeps, None for none.
        ledger: where everything is written down.
        faults: what is broken on purpose.
        cut: nothing is let through.
        environment: further variables for the child.
        uid: whose the home folder is when we are root and the box stops being so.
        disk_bytes: the home folder is another one, empty and on a disk of this size; 0 for no such thing.
    """

    policy: Policy
    home: Path
    store: Store | None = None
    ledger: Ledger = field(default_factory=Ledger)
    faults: Faults = NO_FAULTS
    cut: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    uid: int | None = field(default_factory=unused_uid)
    disk_bytes: int = 0

    @property
    def variables(self) -> dict[str, str]:
        """What the child finds in its environment beside what every child does."""
        return {**ENVIRONMENT, **self.environment}

    def open(self, descriptors: list[int]) -> Channel | None:
        """Serve at the doors that a child has made (`child.doors`), until the channel is closed.

        Where the network is cut nobody is behind the doors: connections are refused, and no name has an address.

        Raises:
            OSError: they are not what was agreed.
        """
        sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        if len(sockets) != 1 + len(LISTENING):
            for one in sockets:
                one.close()
            raise OSError("the box opened no doors")
        if self.cut:
            for one in sockets:
                one.close()
            return None
        from audio_encoder_checker.network.channel import Channel, Doors  # late: it loads TLS

        names, proxy, hub, *direct = sockets
        ports = [port for _, port in LISTENING[2:]]
        doors = Doors(dns=names, proxy=proxy, relay=hub, direct=dict(zip(ports, direct, strict=True)))
        channel = Channel(doors, self.policy, store=self.store, faults=self.faults, ledger=self.ledger)
        channel.start()
        return channel
