"""What the observed channel costs: MB/s through the relay and through a tunnel of the proxy, and its memory.

Hub, file host, channel and `curl` all run on this machine, over the loopback: the network itself costs nothing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil

from audio_encoder_checker.network.channel import Channel, Doors
from audio_encoder_checker.network.policy import Policy
from audio_encoder_checker.network.store import Store
from tests.network.files import FileHost
from tests.network.hub import Hub

SIZE_MB = 400
ROUNDS = 3
HOST = "files.example"


def main() -> None:
    """Fetch one large file in every way."""
    content = bytes(SIZE_MB * 1_000_000)
    with tempfile.TemporaryDirectory() as name, Hub() as hub, FileHost(Path(name), {"/big": content}, (HOST,)) as host:
        commit = hub.add("who/what", {"big": content})
        hub.content = lambda digest: content if digest else None  # type: ignore[method-assign]  # no time for hashing
        policy = Policy((HOST,), hub.url, {HOST: ("127.0.0.1", host.tls_port)})
        trust, path = ("--cacert", str(host.roots)), f"/who/what/resolve/{commit}/big"
        report("straight from the Hub", "-L", hub.url + path)
        report(
            "straight from the host, TLS",
            *trust,
            "--resolve",
            f"{HOST}:{host.tls_port}:127.0.0.1",
            f"https://{HOST}:{host.tls_port}/big",
        )
        for store in (None, Store(Path(name) / "store")):
            doors = Doors(None, listener(), listener())
            relay, proxy = (f"http://127.0.0.1:{door.getsockname()[1]}" for door in (doors.relay, doors.proxy))
            with Channel(doors, policy, store=store):
                memory = Memory()
                if store:
                    report("relay, file is being kept", relay + path, rounds=1)
                report("relay, file from disk" if store else "relay", relay + path)
                if not store:
                    report("tunnel through the proxy", *trust, "--proxy", proxy, f"https://{HOST}/big")
                grown = memory.close()
            print(f"    memory grew by {grown / 2**20:.1f} MiB at most, Hub and file host included")


class Memory:
    """The most that this process takes, by looking often."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._start = self._peak = self._process.memory_info().rss
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(0.01):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def close(self) -> int:
        """Bytes more than at the start."""
        self._done.set()
        self._thread.join()
        return self._peak - self._start


def report(what: str, *arguments: str, rounds: int = ROUNDS) -> None:
    """Print the best of some rounds."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(["curl", "-sSf", "-o", os.devnull, *arguments], check=True)
        seconds.append(time.perf_counter() - start)
    print(f"{what:30} {SIZE_MB / min(seconds):7.0f} MB/s")


def listener() -> socket.socket:
    """A door."""
    return socket.create_server(("127.0.0.1", 0))


if __name__ == "__main__":
    main()
