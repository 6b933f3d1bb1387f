"""What hostile submissions reach for."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from audio_encoder_checker.sandbox.meter import is_alive

if TYPE_CHECKING:
    import socket
    from pathlib import Path

PREFIX = "aecc-canary-"


@dataclass(frozen=True)
class Bait:
    """What attacks reach for, and how to see whether they did.

    Attributes:
        base: a folder that every user may read; `canary` in it is the attacks' aim, `temporary` the checker's.
        secret: what must not show in any report.
        tcp, udp, unix: sockets on which nothing may arrive.
        marker: what processes left behind are called.
    """

    base: Path
    secret: str
    tcp: socket.socket
    udp: socket.socket
    unix: tuple[socket.socket, ...]
    marker: str

    @property
    def canary(self) -> Path:
        """The folder that nothing may change."""
        return self.base / "canary"

    @property
    def temporary(self) -> Path:
        """Where the checker keeps its temporary files."""
        return self.base / "temporary"

    def aims(self) -> str:
        """The module `aim` of a submission."""
        values = {
            "FOLDER": str(self.canary),
            "PREFIX": PREFIX,
            "TCP_PORT": self.tcp.getsockname()[1],
            "UDP_PORT": self.udp.getsockname()[1],
            "ABSTRACT": self.marker,
            "MARKER": self.marker,
        }
        return "".join(f"{name} = {value!r}\n" for name, value in values.items())

    def state(self) -> list[tuple[object, ...]]:
        """Everything about the canary folder that an attack could change, times of reading left out."""
        found: list[tuple[object, ...]] = []
        for path in sorted(self.canary.rglob("*")):
            about = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(about.st_mode) else b""
            found.append(
                (path, about.st_mode, about.st_uid, about.st_nlink, about.st_mtime_ns, about.st_ctime_ns, content)
            )
        return found

    def arrivals(self) -> list[str]:
        """What reached one of the sockets since the last look."""
        arrived = []
        for server in (self.tcp, *self.unix):
            with contextlib.suppress(BlockingIOError):
                server.accept()[0].close()
                arrived.append(str(server.getsockname()))
        with contextlib.suppress(BlockingIOError):
            arrived.append(str(self.udp.recv(100)))
        return arrived

    def survivors(self) -> list[str]:
        """Living processes that carry the marker or have our folder in their command line."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                command = " ".join(process.cmdline())
                ours = self.marker in command or str(self.temporary) in command
                if ours and process.pid != os.getpid() and is_alive(process):
                    found.append(command)
        return found
