"""What an encoder asks the kernel for and must not have, told by the kernel itself.

The child's watch filter (`seccomp.py`) stops telling calls and asks here. A call is noted and answered: the kernel
may go on, where namespaces and read-only file systems refuse by themselves, or it fails with an errno. Nothing the
child does may stop this thread: what cannot be read is noted as `?`, and every question gets its answer.

Layouts are those of linux/seccomp.h (seccomp_unotify(2)), `struct msghdr` and `struct sockaddr_*`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import ipaddress
import os
import platform
import posixpath
import re
import select
import struct
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.run import Attempt, AttemptKind
from audio_encoder_checker.evidence.targets import gives_power
from audio_encoder_checker.launcher.tree import is_below
from audio_encoder_checker.printable import printable
from audio_encoder_checker.sandbox.box import LINUX
from audio_encoder_checker.sandbox.seccomp import ATTACKS, PROCESSES, RAW, reply
from audio_encoder_checker.sandbox.syscalls import MACHINES, NUMBERS

if LINUX:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable

    from audio_encoder_checker.sandbox.seccomp import Policy

RECEIVE, SEND = 0xC0502100, 0xC0182101
QUESTION = struct.Struct("<QII i I Q 6Q")  # id, pid, flags, number, architecture, instruction pointer, arguments
ANSWER = struct.Struct("<QqiI")  # id, value, error, flags
GO_ON = 1
SECCOMP_NUMBER = {"x86_64": 317, "aarch64": 277}
GET_NOTIF_SIZES = 3
OLDEST_KERNEL = (5, 5)
LOOPBACK = ("127.", "[::1]")
HERE = -100  # AT_FDCWD
DNS_PORT = 53
NAME_CACHE = "/var/run/nscd/socket"  # where glibc asks for names first
MOST_TARGETS = 200
TEXT_BYTES = 4096
HARMLESS = re.compile(r"/dev/(null|zero|full|tty|ptmx|pts/.*|nvidia.*|shm(/.*)?)|/proc/(self|thread-self|\d+)/.*")
PATHS = {
    **dict.fromkeys(("open", "creat", "mkdir", "unlink", "rmdir", "rename", "truncate", "mknod"), (None, 0)),
    **dict.fromkeys(("openat", "mkdirat", "unlinkat", "renameat", "renameat2", "mknodat"), (0, 1)),
    "link": (None, 1),
    "symlink": (None, 1),
    "linkat": (2, 3),
    "symlinkat": (1, 2),
}
"""Which arguments hold the folder's descriptor (None: the working folder) and the path that is written."""
ONE_PROCESS = {"setpriority": 0, "ioprio_set": 1}
"""The first argument where the call is about one process, not about a group or all of a user."""
FAMILIES = {1: "Unix", 2: "IPv4", 10: "IPv6", 16: "netlink", 17: "packet", 40: "vsock"}


def supported() -> bool:
    """Whether this kernel hands calls over and lets them go on (Linux 5.5)."""
    release = re.match(r"(\d+)\.(\d+)", platform.release())
    number = SECCOMP_NUMBER.get(platform.machine())
    if number is None or release is None or (int(release[1]), int(release[2])) < OLDEST_KERNEL:
        return False
    sizes = ctypes.create_string_buffer(8)
    return bool(ctypes.CDLL(None).syscall(ctypes.c_long(number), GET_NOTIF_SIZES, 0, sizes) == 0)


class Watch(threading.Thread):
    """Answers the kernel's questions about one child and all it starts.

    Args:
        listener: the descriptor that the child handed over; closed at the end.
        policy: of the child's box.
        root: pid of the process that we started; what it started is the box's.
        writable: folders in which the child may write, as it sees them.
        observed: what goes to the box's own network is served and written down there (`network`).
    """

    def __init__(
        self, listener: int, policy: Policy, root: int, writable: tuple[str, ...], *, observed: bool = False
    ) -> None:
        super().__init__(daemon=True, name="watch")
        self.stage = ""  # nothing is noted before the first question: until then our own code runs
        self.policy = policy
        self.root = root
        self.writable = writable
        self.observed = observed
        self._listener = listener
        self._names = {row[list(MACHINES).index(platform.machine())]: name for name, row in NUMBERS.items()}
        self._counts: Counter[tuple[AttemptKind, str]] = Counter()
        self._stages: dict[tuple[AttemptKind, str], str] = {}
        self._room = dict.fromkeys((True, False), MOST_TARGETS)  # so that no crowd hides an attack
        self._wake_read, self._wake_write = os.pipe()

    def run(self) -> None:
        """Answer until stopped or nobody is left to ask."""
        waiting = select.poll()
        waiting.register(self._listener, select.POLLIN)
        waiting.register(self._wake_read, select.POLLIN)
        while True:
            events = dict(waiting.poll())
            if self._wake_read in events or events.get(self._listener, 0) & (select.POLLHUP | select.POLLERR):
                return
            with contextlib.suppress(OSError):  # the asker died meanwhile
                self._answer_one()

    def stop(self) -> None:
        """End the thread and close its descriptors. Safe to call twice."""
        if self._wake_write < 0:
            return
        os.write(self._wake_write, b"x")
        self.join(timeout=5)
        for descriptor in (self._listener, self._wake_read, self._wake_write):
            os.close(descriptor)
        self._wake_write = -1

    def summary(self) -> tuple[Attempt, ...]:
        """What was tried, most frequent first."""
        return tuple(
            Attempt(kind, target, count, self._stages[kind, target])
            for (kind, target), count in self._counts.most_common()
        )

    def _answer_one(self) -> None:
        question = bytearray(QUESTION.size)
        fcntl.ioctl(self._listener, RECEIVE, question)
        number, pid, _, call, _, _, *arguments = QUESTION.unpack(question)
        name = self._names.get(call) or "?"
        error = self._error(name, arguments)
        if self.stage:
            self._note(name, pid, arguments)
        answer = ANSWER.pack(number, 0, -error, 0) if error else ANSWER.pack(number, 0, 0, GO_ON)
        fcntl.ioctl(self._listener, SEND, answer)

    def _error(self, name: str, arguments: list[int]) -> int:
        """How the call ends: an errno, or 0 to let the kernel go on."""
        if name in PROCESSES:
            return 0 if self._is_own(name, arguments) else errno.EPERM
        return reply(name, self.policy)

    def _is_own(self, name: str, arguments: list[int]) -> bool:
        """Whether a call acts on the box's own processes; numbers do not change while we look, unlike memory."""
        if arguments[0] != ONE_PROCESS.get(name, arguments[0]):
            return False
        number = abs(_signed(arguments[PROCESSES[name][0]]))  # of a process, a thread, or, negative, a group
        return number == 0 or is_below(number, self.root)

    def _note(self, name: str, pid: int, arguments: list[int]) -> None:
        try:
            found = self._described(name, Memory(pid), arguments)
        except Exception:  # noqa: BLE001 - whatever foreign memory holds, the question is answered
            found = None if name in PATHS or name in PROCESSES else (AttemptKind.CONNECT, "?")
        if found is None:
            return
        key = (found[0], printable(found[1], limit=300))
        grave = gives_power(*key)
        if key not in self._counts:
            if self._room[grave] == 0:
                return
            self._room[grave] -= 1
        self._counts[key] += 1
        self._stages.setdefault(key, self.stage)

    def _described(self, name: str, memory: Memory, arguments: list[int]) -> tuple[AttemptKind, str] | None:
        if name in ATTACKS:
            return AttemptKind.CALL, name
        if name in PROCESSES:
            _, wish = PROCESSES[name]
            harmless = (wish is not None and arguments[wish] == 0) or self._is_own(name, arguments)
            return None if harmless else (AttemptKind.CALL, f"{name} on a process that is not its own")
        if name == "socket":
            family, raw = FAMILIES.get(arguments[0], str(arguments[0])), arguments[1] & 0xF == RAW
            asks = family == "netlink"  # the C library asks there which addresses this machine has
            return None if asks else (AttemptKind.CONNECT, f"a {'raw ' if raw else ''}socket of family {family}")
        if name in PATHS:
            path = memory.path(arguments, *PATHS[name])
            return None if self._may_write(path) else (AttemptKind.WRITE, path)
        return _sent(*SENDERS[name](memory, arguments), observed=self.observed)

    def _may_write(self, path: str) -> bool:
        inside = any(folder in ("/", path) or path.startswith(folder + "/") for folder in self.writable)
        return inside or HARMLESS.fullmatch(path) is not None


class Memory:
    """A stopped process, to be read."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address, as many as there are.

        Raises:
            OSError: nothing is there, or it may not be read.
        """
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as file:  # noqa: PTH123 - a device, not a path
            file.seek(address)
            found = file.read(size)
        if size and not found:  # of a process that was killed meanwhile
            raise OSError(errno.EIO, "nothing is there any more")
        return found

    def text(self, address: int) -> str:
        """A C string; pages are asked for one by one, because the next one may not exist."""
        found = b""
        while b"\0" not in found and len(found) < TEXT_BYTES:
            found += self.read(address + len(found), TEXT_BYTES - (address + len(found)) % TEXT_BYTES)
        return found.partition(b"\0")[0].decode("utf-8", "surrogateescape")

    def path(self, arguments: list[int], folder: int | None, path: int) -> str:
        """An absolute path, dots resolved, from the arguments that hold its folder and itself."""
        text = self.text(arguments[path])
        if text.startswith("/"):
            return posixpath.normpath(text)
        descriptor = HERE if folder is None else _signed(arguments[folder])
        start = Path(f"/proc/{self.pid}", "cwd" if descriptor == HERE else f"fd/{descriptor}").readlink()
        return posixpath.normpath(posixpath.join(str(start), text))

    def message(self, address: int) -> tuple[bytes, bytes]:
        """Address and first bytes of a `struct msghdr`."""
        name, length, parts, count = struct.unpack("<QI4xQQ", self.read(address, 32))
        target = self.read(name, min(length, 128)) if name else b""
        if not count:
            return target, b""
        start, size = struct.unpack("<QQ", self.read(parts, 16))
        return target, self.read(start, min(size, 512))


def _signed(argument: int) -> int:
    """An argument that is an int in C."""
    return ctypes.c_int(argument & 0xFFFFFFFF).value


def _connect(memory: Memory, arguments: list[int]) -> tuple[bytes, bytes]:
    return memory.read(arguments[1], min(arguments[2], 128)), b""


def _sendto(memory: Memory, arguments: list[int]) -> tuple[bytes, bytes]:
    target = memory.read(arguments[4], min(arguments[5], 128)) if arguments[4] else b""
    return target, memory.read(arguments[1], min(arguments[2], 512))


def _sendmsg(memory: Memory, arguments: list[int]) -> tuple[bytes, bytes]:
    return memory.message(arguments[1])


SENDERS: dict[str, Callable[[Memory, list[int]], tuple[bytes, bytes]]] = {
    "connect": _connect,
    "sendto": _sendto,
    "sendmsg": _sendmsg,
    "sendmmsg": _sendmsg,
}
"""How to find the address and the first bytes."""


def _sent(target: bytes, data: bytes, *, observed: bool = False) -> tuple[AttemptKind, str] | None:
    """A connection or a packet: a name that is asked for says more than the resolver's address."""
    address, port = parse_address(target)
    if observed and (not address or address.startswith(LOOPBACK)):
        return None
    asked = question_name(data)
    if asked:
        return AttemptKind.LOOK_UP, asked
    if not address or (port == DNS_PORT and not observed) or address == NAME_CACHE:
        return None  # sent on a connection that was noted when it was made, or to a resolver
    return AttemptKind.CONNECT, address if port is None else f"{address}:{port}"


def parse_address(data: bytes) -> tuple[str, int | None]:
    """A `struct sockaddr` as text and port; the path of a Unix socket has none, an abstract one starts with @."""
    family = int.from_bytes(data[:2], "little")
    if family == 2 and len(data) >= 8:
        return str(ipaddress.IPv4Address(data[4:8])), int.from_bytes(data[2:4], "big")
    if family == 10 and len(data) >= 24:
        return f"[{ipaddress.IPv6Address(data[8:24])}]", int.from_bytes(data[2:4], "big")
    if family == 1:
        path = data[2:]
        text = b"@" + path[1:] if path.startswith(b"\0") else path.partition(b"\0")[0]
        return text.decode("utf-8", "surrogateescape"), None
    return (f"family {family}", None) if data else ("", None)


def question_name(packet: bytes) -> str:
    """The name that a DNS query (RFC 1035, section 4.1) asks for; empty if this is none."""
    if len(packet) < 17 or packet[2] & 0xF8 or packet[4:6] != b"\0\1" or packet[6:8] != b"\0\0":
        return ""
    labels, place = [], 12
    while place < len(packet) and (length := packet[place]):
        if length > 63 or place + length >= len(packet):
            return ""
        labels.append(packet[place + 1 : place + 1 + length])
        place += length + 1
    whole = place < len(packet) and all(re.fullmatch(rb"[\w-]+", label) for label in labels)
    return b".".join(labels).decode("ascii", "replace") if whole and labels else ""
