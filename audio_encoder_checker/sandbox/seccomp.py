"""System-call filters, assembled here: classic BPF needs no library.

One table says what a box refuses; two programs come of it. The *static* one is loaded by bubblewrap or the
launcher. What is *telling*, a connection or a file opened for writing, goes to the *watch* program instead where
there is one: the kernel then asks the parent (`watch.py`), which notes what was tried and gives the answer.
(Of several filters the strictest answer wins, so that a call cannot stand in both.)

Instructions and offsets are those of linux/filter.h and linux/seccomp.h; system-call numbers in `syscalls.py`.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from functools import cache

from audio_encoder_checker.sandbox.syscalls import MACHINES, NEWEST, NUMBERS

LOAD, JUMP_EQUAL, JUMP_FROM, JUMP_SET, RETURN, MASK = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
ALLOW, ERRNO, KILL_PROCESS, NOTIFY = 0x7FFF0000, 0x00050000, 0x80000000, 0x7FC00000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
WRITE_FLAGS = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
NAMESPACES = 0x7E020080  # every CLONE_NEW*
NOSY_IOCTLS = (
    *(0x5412, 0x541C, 0x541D),  # TIOCSTI, TIOCLINUX, TIOCCONS type into another's terminal
    *(0x40086602, 0x40046602, 0x401C5820),  # FS_IOC_SETFLAGS, its 32-bit form, FS_IOC_FSSETXATTR: a file's attributes,
    *(0x40806685, 0x800C6613),  # FS_IOC_ENABLE_VERITY, FS_IOC_SET_ENCRYPTION_POLICY: with no right to write needed
)
PEER_PROCESS = (76, 77)  # SO_PASSPIDFD, SO_PEERPIDFD: a handle on the process at the other end, the checker
SET_DUMPABLE = 4  # of prctl: hides a process's open files from the checker
USUAL_FAMILIES = (1, 2, 10)  # Unix, IPv4, IPv6
RAW = 3

ATTACKS = (
    *(
        "ptrace",
        "pidfd_getfd",
        "process_vm_readv",
        "process_vm_writev",
        "mount",
        "pivot_root",
        "chroot",
        "unshare",
        "setns",
    ),
    *("bpf", "init_module", "finit_module", "kexec_load", "kexec_file_load", "open_by_handle_at", "reboot"),
)
"""No encoder needs these, and nothing calls them by accident."""
REFUSED = (
    *("kcmp", "umount2", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick"),
    *("mount_setattr", "perf_event_open", "delete_module", "add_key", "request_key", "keyctl", "syslog", "acct"),
    *("quotactl", "swapon", "swapoff", "sethostname", "setdomainname", "settimeofday", "clock_settime"),
    *("clock_adjtime", "adjtimex", "name_to_handle_at", "lookup_dcookie", "ioperm", "iopl", "modify_ldt"),
    *("uselib", "ustat", "vhangup", "move_pages", "migrate_pages", "fanotify_init", "userfaultfd"),
)
ABSENT = ("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "openat2", "memfd_secret")
"""Answered as by an old kernel, so that libraries take another way: one whose arguments a filter can see."""
PERSISTENT = ("shmget", "semget", "msgget", "mq_open")
METADATA = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes"),
    *("futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr"),
    *("fremovexattr", "removexattrat", "file_setattr"),
)
MESSAGES = ("connect", "sendmmsg")
PROCESSES: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(("kill", "tkill", "rt_sigqueueinfo", "pidfd_open"), (0, 1)),
    **dict.fromkeys(("tgkill", "rt_tgsigqueueinfo", "prlimit64"), (0, 2)),
    **dict.fromkeys(("sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"), (0, None)),
    **dict.fromkeys(("setpriority", "ioprio_set"), (1, None)),
}
"""Calls that act on a process: which argument names it, and which one is 0 where the call only asks."""
CHANGES = (
    *("creat", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat"),
    *("symlink", "symlinkat", "truncate", "mknod", "mknodat"),
)


@dataclass(frozen=True)
class Policy:
    """What a box's filters refuse beyond what every box refuses.

    Attributes:
        others_refused: acting on processes outside the box, where it has no process numbers of its own.
        sockets_refused: sockets of every family, pairs of Unix sockets excepted; else all but Unix and IP.
        ipc_refused: shared memory, semaphores and message queues that outlive their maker.
        metadata_faked: changes of modes, owners, times and attributes do nothing and report success.
        memory_files_refused: files in memory, which nothing counts where there is no control group.
        watched: telling calls are handed to the watch.
    """

    others_refused: bool
    sockets_refused: bool
    ipc_refused: bool
    metadata_faked: bool
    memory_files_refused: bool
    watched: bool


def supported(machine: str) -> bool:
    """Whether there are tables for a machine, as `platform.machine` names it."""
    return machine in MACHINES


@cache
def static_program(policy: Policy, machine: str) -> bytes:
    """The filter that refuses by itself, eight bytes an instruction."""
    code = _Assembler(machine)
    refused = REFUSED if policy.watched else (*REFUSED, *ATTACKS)
    for name in refused:
        code.answer(name, ERRNO | errno.EPERM)
    absent = [*ABSENT, *(("memfd_create",) if policy.memory_files_refused else ())]
    for name in absent:
        code.answer(name, ERRNO | errno.ENOSYS)
    for name in PERSISTENT if policy.ipc_refused else ():
        code.answer(name, ERRNO | errno.EPERM)
    for name in METADATA if policy.metadata_faked else ():
        code.answer(name, ERRNO | 0)
    if policy.others_refused:
        code.answer_if_among("prctl", 0, (SET_DUMPABLE,), ERRNO | 0)
    for name in ("getsockopt", "setsockopt"):
        code.answer_if_among(name, 2, PEER_PROCESS, ERRNO | errno.ENOPROTOOPT)
    code.answer_if_bits("clone", 0, NAMESPACES, ERRNO | errno.EPERM)
    code.answer_if_among("ioctl", 1, NOSY_IOCTLS, ERRNO | errno.EPERM)
    code.answer_unless_among("personality", 0, (0, 0xFFFFFFFF), ERRNO | errno.EPERM)
    code.answer_unless_among("socketpair", 0, (1,), ERRNO | errno.EACCES)
    if not policy.watched:
        families = () if policy.sockets_refused else USUAL_FAMILIES
        code.answer_unless_among("socket", 0, families, ERRNO | errno.EACCES)
        code.answer_if_masked("socket", 1, 0xF, RAW, ERRNO | errno.EACCES)
    return code.finished()


def watch_program(policy: Policy, machine: str, channel: int) -> bytes:
    """The filter that hands telling calls to the parent.

    Args:
        policy: of the box.
        machine: as `platform.machine` names it.
        channel: descriptor on which the child answers; what is sent on it is not asked about.
    """
    code = _Assembler(machine)
    for name in (*ATTACKS, *CHANGES, *MESSAGES):
        code.answer(name, NOTIFY)
    code.answer_if_bits("open", 1, WRITE_FLAGS, NOTIFY)
    code.answer_if_bits("openat", 2, WRITE_FLAGS, NOTIFY)
    for name in ("sendto", "sendmsg"):
        code.answer_unless_among(name, 0, (channel,), NOTIFY)
    if policy.sockets_refused:
        code.answer("socket", NOTIFY)
    code.answer_unless_among("socket", 0, USUAL_FAMILIES, NOTIFY)
    code.answer_if_masked("socket", 1, 0xF, RAW, NOTIFY)
    for name, (process, _) in PROCESSES.items() if policy.others_refused else ():
        if process == 0:
            code.answer_unless_among(name, process, (0,), NOTIFY)
        else:
            code.answer(name, NOTIFY)
    return code.finished()


def seal_program(policy: Policy, machine: str) -> bytes:
    """The filter for after the child has handed over the watch's other end; empty where nothing is left to shut.

    Descriptors on their way are counted for the user, not for the process: a child that sends many and reads none would
    keep every other program of its user from sending any.
    """
    if not policy.sockets_refused:
        return b""
    code = _Assembler(machine)
    code.answer("sendmsg", ERRNO | errno.EPERM)
    return code.finished()


def reply(name: str, policy: Policy) -> int:
    """How the parent answers a telling call: an errno, or 0 to let the kernel go on (files refuse by themselves)."""
    if name in ATTACKS:
        return errno.EPERM
    if name == "socket" or (policy.sockets_refused and name in ("sendto", "sendmsg", *MESSAGES)):
        return errno.EACCES
    return 0


class _Assembler:
    """Builds one program: a list of comparisons of the call's number, each with its own answer."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self.code: list[tuple[int, int, int, int]] = []
        architecture = MACHINES[machine]
        self._add(LOAD, ARCHITECTURE)
        self._add(JUMP_EQUAL, architecture, 1, 0)
        self._add(RETURN, KILL_PROCESS)
        self._add(LOAD, NUMBER)
        self._add(JUMP_FROM, NEWEST, 0, 1)  # the x32 variant's numbers are above it too
        self._add(RETURN, ERRNO | errno.ENOSYS)

    def finished(self) -> bytes:
        """The program: whatever came through is allowed."""
        self._add(RETURN, ALLOW)
        return b"".join(struct.pack("<HBBI", code, yes, no, value) for code, yes, no, value in self.code)

    def answer(self, name: str, verdict: int) -> None:
        """One verdict for a call, whatever its arguments."""
        if self._number(name) is not None:
            self._if_number(name, 1)
            self._add(RETURN, verdict)

    def answer_if_bits(self, name: str, argument: int, mask: int, verdict: int) -> None:
        """A verdict if any bit of a mask is set in the low half of an argument."""
        self._block(name, [(LOAD, _low(argument), 0, 0), (JUMP_SET, mask, 0, 1), (RETURN, verdict, 0, 0)])

    def answer_if_among(self, name: str, argument: int, values: tuple[int, ...], verdict: int) -> None:
        """A verdict if an argument is one of some values."""
        tests = [(JUMP_EQUAL, value, len(values) - place - 1, 0) for place, value in enumerate(values[:-1])]
        block = [(LOAD, _low(argument), 0, 0), *tests, (JUMP_EQUAL, values[-1], 0, 1), (RETURN, verdict, 0, 0)]
        self._block(name, block)

    def answer_unless_among(self, name: str, argument: int, values: tuple[int, ...], verdict: int) -> None:
        """A verdict unless an argument is one of some values."""
        tests = [(JUMP_EQUAL, value, len(values) - place, 0) for place, value in enumerate(values)]
        self._block(name, [(LOAD, _low(argument), 0, 0), *tests, (RETURN, verdict, 0, 0)])

    def answer_if_masked(self, name: str, argument: int, mask: int, value: int, verdict: int) -> None:
        """A verdict if the low half of an argument, under a mask, has one value."""
        block = [(LOAD, _low(argument), 0, 0), (MASK, mask, 0, 0), (JUMP_EQUAL, value, 0, 1), (RETURN, verdict, 0, 0)]
        self._block(name, block)

    def _block(self, name: str, block: list[tuple[int, int, int, int]]) -> None:
        """Instructions `(code, value, yes, no)` for one call; what falls out of them goes on with the next."""
        if self._number(name) is None:
            return
        self._if_number(name, len(block) + 1)
        for code, value, yes, no in block:
            self._add(code, value, yes, no)
        self._add(LOAD, NUMBER)

    def _if_number(self, name: str, skip: int) -> None:
        self._add(JUMP_EQUAL, self._number(name) or 0, 0, skip)

    def _number(self, name: str) -> int | None:
        return NUMBERS[name][list(MACHINES).index(self.machine)]

    def _add(self, code: int, value: int, yes: int = 0, no: int = 0) -> None:
        self.code.append((code, yes, no, value & 0xFFFFFFFF))


def _low(argument: int) -> int:
    """Offset of the low half of an argument; both machines are little-endian."""
    return ARGUMENTS + 8 * argument
