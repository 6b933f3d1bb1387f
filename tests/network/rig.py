"""A channel whose doors are ordinary sockets of this machine, and what surrounds a client in a box."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.network.channel import Channel, Doors
from audio_encoder_checker.network.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from audio_encoder_checker.evidence.network import NetworkFacts, Transfer

KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG")


class Rig:
    """A running channel. A context manager; leave it before you read `facts`.

    Args:
        home: an empty folder for the clients.
        policy: of the channel.
        options: further arguments of `Channel`.
    """

    def __init__(self, home: Path, policy: Policy | None = None, **options: Any) -> None:
        self.home = home
        self.dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.dns.bind(("127.0.0.1", 0))
        self.doors = Doors(self.dns, _listener(), _listener(), {443: _listener("0.0.0.0"), 80: _listener("0.0.0.0")})  # noqa: S104 - as in the box
        self.proxy, self.relay = (f"http://127.0.0.1:{port_of(door)}" for door in (self.doors.proxy, self.doors.relay))
        self.tls_port, self.plain_port = (port_of(self.doors.direct[port]) for port in (443, 80))
        self.dns_port = port_of(self.dns)
        self.proxy_port, self.relay_port = port_of(self.doors.proxy), port_of(self.doors.relay)
        self.channel = Channel(self.doors, policy or Policy(()), **options)

    def __enter__(self) -> Rig:
        self.channel.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()
        assert self.channel.failures == ()

    @property
    def facts(self) -> NetworkFacts:
        return self.channel.ledger.facts()

    @property
    def files(self) -> list[Transfer]:
        """Requests for files of the Hub."""
        return [one for one in self.facts.transfers if one.hub and one.hub.file]

    def transfer(self, method: str, part: str = "") -> Transfer:
        """The last one of a method whose path has this in it."""
        return [one for one in self.facts.transfers if one.method == method and part in one.path][-1]

    def environment(self, roots: Path | None = None) -> dict[str, str]:
        """As in the box."""
        values = {name: os.environ[name] for name in KEPT if name in os.environ}
        values |= {"HOME": str(self.home), "HF_HOME": str(self.home / "hf"), "TORCH_HOME": str(self.home / "torch")}
        values |= {"HF_ENDPOINT": self.relay, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            values[name] = values[name.lower()] = self.proxy
        values["NO_PROXY"] = values["no_proxy"] = "127.0.0.1,localhost"
        if roots:
            values |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), str(roots))
        return values

    def run(self, *command: str, roots: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A client, as it would run in the box."""
        return subprocess.run(
            command,
            env=self.environment(roots),
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def python(self, code: str, roots: Path | None = None) -> str:
        """What a client written in Python prints; it has to end well."""
        done = self.run(sys.executable, "-c", code, roots=roots)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def speak(self, data: bytes, *, port: int = 0, seconds: float = 10.0) -> bytes:
        """All that a door answers to these bytes until it closes."""
        with socket.create_connection(("127.0.0.1", port or self.proxy_port), timeout=seconds) as client:
            client.sendall(data)
            return heard(client)

    def ask(self, query: bytes) -> bytes:
        """The name server's answer."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.sendto(query, ("127.0.0.1", self.dns_port))
            return client.recv(4096)


def heard(client: socket.socket) -> bytes:
    """All until the other end closes."""
    answer = b""
    try:
        while piece := client.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def port_of(door: socket.socket) -> int:
    return int(door.getsockname()[1])


def header(answer: bytes) -> Mapping[str, str]:
    """Names in lower case."""
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _listener(host: str = "127.0.0.1") -> socket.socket:
    return socket.create_server((host, 0), backlog=512)
