"""The few kernel calls that Python has no name for."""

from __future__ import annotations

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
SIGKILL = 9  # `signal` would cost a third of the launcher's start
CLONE_NEWNS = 0x00020000
MS_NOSUID, MS_BIND, MS_REC, MS_PRIVATE = 2, 4096, 16384, 1 << 18
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class Program(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def checked(result: int, what: str) -> int:
    """A call's result.

    Raises:
        OSError: it is negative; the error names the call.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


def prctl(option: int, *arguments: int) -> None:
    """Change one property of this process.

    Raises:
        OSError: the kernel refuses.
    """
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    checked(_libc.prctl(ctypes.c_int(option), *values), f"prctl {option}")


def syscall(number: int, *arguments: object) -> int:
    """A system call by its number, for those that libc has no function for.

    Raises:
        OSError: the kernel refuses.
    """
    return checked(_libc.syscall(ctypes.c_long(number), *arguments), f"system call {number}")


def install_filter(program: bytes) -> None:
    """Put a system-call filter on this process and all it will start, for good.

    Args:
        program: classic BPF, eight bytes an instruction.

    Raises:
        OSError: the kernel refuses it.
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    header = Program(len(program) // 8, ctypes.addressof(buffer))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(header))


def drop_capabilities() -> None:
    """Give up every capability, now and after any exec; uid 0 is then only the owner of its files.

    Raises:
        OSError: the kernel refuses.
    """
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # past the last one that this kernel knows
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    checked(_libc.capset(header, none), "capset")


def private_mounts() -> None:
    """Go to a mount namespace of our own, from which nothing gets back to the host's.

    Raises:
        OSError: not permitted.
    """
    checked(_libc.unshare(CLONE_NEWNS), "unshare")
    mount(None, "/", None, MS_REC | MS_PRIVATE)


def mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    """`mount(2)`.

    Raises:
        OSError: not permitted, or no such place.
    """
    words = [word.encode() if word is not None else None for word in (source, target, kind)]
    checked(_libc.mount(*words, ctypes.c_ulong(flags), None), f"mount {target}")
