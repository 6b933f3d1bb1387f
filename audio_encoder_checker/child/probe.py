"""Try to get out of the box: run by the checker in a fresh box before it trusts it. No foreign code is near.

Each attempt is harmless where it succeeds. The parent sends what to aim at and reads what was reached.
"""

from __future__ import annotations

import ctypes
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import wire

if TYPE_CHECKING:
    from collections.abc import Callable

NO_OTHERS = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
CLONE_NEWUSER = 0x10000000
IO_URING_SETUP = 425
MS_BIND = 4096
BLOCK = 4 << 20


def serve(channel: socket.socket) -> None:
    """Answer two questions: what could be reached, and whether memory has an end."""
    aims, _ = wire.receive(channel, 0)
    wire.send(channel, {"results": [[name, *_tried(attempt)] for name, attempt in _attempts(aims)]})
    question, _ = wire.receive(channel, 0)
    held: list[bytes] = []
    while len(held) * BLOCK < question["bytes"]:
        held.append(b"\1" * BLOCK)
    wire.send(channel, {"held": len(held) * BLOCK})
    time.sleep(question["seconds"])
    os._exit(0)


def _tried(attempt: Callable[[], object]) -> tuple[bool, str]:
    """Whether the box held, and the error met or what was reached."""
    try:
        return False, str(attempt())[:100]
    except Exception as error:
        return True, f"{type(error).__name__}: {error}"[:100]


def _attempts(aims: dict[str, Any]) -> list[tuple[str, Callable[[], object]]]:
    libc = ctypes.CDLL(None, use_errno=True)
    checker, started = aims["pid"], aims["started"]
    return [
        ("read a file of the checker", lambda: Path(aims["canary"]).read_text(encoding="utf-8")),
        ("list the home folder", lambda: _seen(aims["home"], aims["home_names"])),
        ("write beside the submission", lambda: Path(aims["outside"]).write_text("x", encoding="utf-8")),
        ("write into the submission", lambda: Path(aims["repository"], "written").write_text("x", encoding="utf-8")),
        ("read the checker's environment", lambda: _of_checker(checker, started, "environ")),
        ("read the checker's memory", lambda: _of_checker(checker, started, "mem")),
        ("signal the checker", lambda: _signal(checker, started)),
        ("change where crashes go (core_pattern)", lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)),
        ("connect to the host by TCP", lambda: socket.create_connection(("127.0.0.1", aims["tcp"]), timeout=1)),
        ("reach the host by UDP", lambda: _udp(aims["udp"])),
        ("connect to a Unix socket of the host", lambda: _unix(aims["unix"])),
        ("connect to an abstract socket of the host", lambda: _unix("\0" + aims["abstract"])),
        ("open a socket of another family", _other_families),
        ("make a user namespace", lambda: _checked(libc.unshare(CLONE_NEWUSER))),
        ("mount", lambda: _checked(libc.mount(b"/", b"/tmp", None, ctypes.c_ulong(MS_BIND), None))),
        ("set up io_uring", lambda: _checked(libc.syscall(IO_URING_SETUP, 4, ctypes.create_string_buffer(120)))),
    ]


def _seen(folder: str, names: list[str]) -> str:
    """Which of the host's names show in a folder; the interpreter's own folder may."""
    seen = sorted({entry.name for entry in Path(folder).iterdir()} & set(names))
    if not seen:
        raise FileNotFoundError("nothing of the host is in it")
    return ", ".join(seen)


def _of_checker(pid: int, started: str, what: str) -> int:
    if _start_time(pid) not in ("", started):
        raise ProcessLookupError("another process has its number in here")
    return len(os.read(os.open(f"/proc/{pid}/{what}", os.O_RDONLY), 0))


def _signal(pid: int, started: str) -> str:
    if _start_time(pid) not in ("", started):
        raise ProcessLookupError("another process has its number in here")
    os.kill(pid, 0)
    return "it may be signalled"


def _start_time(pid: int) -> str:
    """When a process started, in ticks since boot; empty where /proc does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except PermissionError:
        return ""


def _udp(port: int) -> int:
    """Send a datagram; an empty network of our own takes it too, so the parent says whether it arrived."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("127.0.0.1", port))
    raise ConnectionError("sent into the box's own network")


def _unix(address: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(address)
    return "connected"


def _other_families() -> str:
    opened = []
    for family in range(1, 46):
        if family in NO_OTHERS:
            continue
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            try:
                socket.socket(family, kind).close()
            except OSError:
                continue
            opened.append(str(family))
            break
    if not opened:
        raise PermissionError("all families are shut")
    return f"families {', '.join(opened)}"


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
