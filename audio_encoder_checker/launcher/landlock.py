"""Landlock: a process gives up, for good, all files but those it names. Linux 5.13 and newer.

Numbers and layouts are those of linux/landlock.h; docs.kernel.org/userspace-api/landlock.html tells which
version of the interface (ABI) brought what.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

from . import libc

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH_BENEATH = 1
VERSION_FLAG = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
MAKE_CHAR, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 10, 1 << 11
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
READ = EXECUTE | READ_FILE | READ_DIR
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""Rights that a rule on a file, not a folder, may hold."""
TO_WRITE = ~(MAKE_CHAR | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK | IOCTL_DEV | EXECUTE)
"""No program can be started from a folder to write: one that nobody may read could not be looked into."""
NETWORK = 3  # bind and connect of TCP
SCOPES = 3  # abstract Unix sockets and signals stay within the box


def version() -> int:
    """The ABI's version, 0 where there is no Landlock."""
    try:
        return libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG))
    except OSError:
        return 0


def keep_signals_inside() -> bool:
    """Let this process and all it starts signal nobody else; False where the kernel cannot (before ABI 6)."""
    if version() < 6:
        return False
    _restrict(_ruleset(0, 0, SCOPES))
    return True


def restrict(read: list[str], write: list[str], devices: list[str]) -> None:
    """Leave this process, and all it will start, only these paths, and no TCP.

    Args:
        read: files and folders to read and execute; those that do not exist are left out.
        write: folders in which everything may be done but making devices, sockets and pipes and starting programs.
        devices: device files to read, write and control.

    Raises:
        OSError: the kernel refuses, or a folder to write is not there.
    """
    abi = version()
    handled = (1 << 13) - 1
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        handled |= right if abi >= since else 0
    ruleset = _ruleset(handled, NETWORK if abi >= 4 else 0, SCOPES if abi >= 6 else 0)
    for path in read:
        if os.path.exists(path):
            _allow(ruleset, path, READ & handled)
    for path in write:
        _allow(ruleset, path, TO_WRITE & handled)
    for path in devices:
        if os.path.exists(path):
            _allow(ruleset, path, (READ_FILE | WRITE_FILE | IOCTL_DEV) & handled)
    _restrict(ruleset)


def _ruleset(files: int, network: int, scopes: int) -> int:
    attributes = struct.pack("<QQQ", files, network, scopes)
    size = 24 if scopes else 16 if network else 8  # a kernel takes no more than it knows
    return libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))


def _allow(ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= ON_FILES
        rule = struct.pack("<Qi", rights, place)
        libc.syscall(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(RULE_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(place)


def _restrict(ruleset: int) -> None:
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    libc.syscall(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)
