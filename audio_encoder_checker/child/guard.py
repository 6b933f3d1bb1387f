"""Install the watch filter on this process, and hand the kernel's end of it to the parent.

To be called before any thread exists: threads made later inherit the filter, older ones would not.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket

SECCOMP = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER = 1
NO_FLAGS = 0
NEW_LISTENER = 1 << 3
NO_NEW_PRIVS = 38


class Program(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def install(program: bytes) -> int:
    """Put a filter on this process and all it will start, for good.

    Args:
        program: classic BPF, eight bytes an instruction.

    Returns:
        The descriptor on which the kernel asks what to do with a call.

    Raises:
        OSError: the kernel refuses.
    """
    return _filter(program, NEW_LISTENER)


def seal(program: bytes) -> None:
    """Put one more filter on, with nobody to ask.

    Raises:
        OSError: the kernel refuses.
    """
    _filter(program, NO_FLAGS)


def _filter(program: bytes, flags: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = Program(len(program) // 8, ctypes.addressof(buffer))
    if libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    number = ctypes.c_long(SECCOMP[platform.machine()])
    result: int = libc.syscall(number, SET_MODE_FILTER, flags, ctypes.byref(header))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"a system-call filter was refused: {os.strerror(ctypes.get_errno())}")
    return result


def hand_over(channel: socket.socket, listener: int) -> None:
    """Send the descriptor to the parent, and keep none."""
    socket.send_fds(channel, [b"w"], [listener])
    os.close(listener)
