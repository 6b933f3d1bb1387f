"""The filters, run by an interpreter of classic BPF for both machines, and for real on this one."""

from __future__ import annotations

import errno
import platform
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from audio_encoder_checker.sandbox.seccomp import (
    ABSENT,
    ATTACKS,
    CHANGES,
    METADATA,
    NOSY_IOCTLS,
    NOTIFY,
    PERSISTENT,
    REFUSED,
    Policy,
    reply,
    seal_program,
    static_program,
    supported,
    watch_program,
)
from audio_encoder_checker.sandbox.syscalls import MACHINES, NEWEST, NUMBERS

STRONG = Policy(
    others_refused=False,
    sockets_refused=False,
    ipc_refused=False,
    metadata_faked=False,
    memory_files_refused=False,
    watched=True,
)
MEDIUM = Policy(
    others_refused=True,
    sockets_refused=True,
    ipc_refused=True,
    metadata_faked=True,
    memory_files_refused=True,
    watched=True,
)
ALLOW, KILL = 0x7FFF0000, 0x80000000
CHANNEL = 5


def refuse(number: int) -> int:
    return 0x00050000 | number


def verdict(program: bytes, machine: str, name: str | int, *arguments: int, architecture: int | None = None) -> int:
    """What a filter answers to one call."""
    number = name if isinstance(name, int) else NUMBERS[name][list(MACHINES).index(machine)]
    assert number is not None
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<iIQ6Q", number, architecture or MACHINES[machine], 0, *padded)
    code = list(struct.iter_unpack("<HBBI", program))
    place = value = 0
    while True:
        operation, yes, no, operand = code[place]
        place += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x54:
            value &= operand
        elif operation == 0x06:
            return int(operand)
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[operation]
            place += yes if holds else no


@pytest.mark.parametrize("machine", MACHINES)
class TestBothMachines:
    def test_what_every_encoder_needs_is_allowed(self, machine: str) -> None:
        for policy in (STRONG, MEDIUM):
            program = static_program(policy, machine)
            assert verdict(program, machine, "getpid") == ALLOW
            assert verdict(program, machine, "clone", 0x3D0F00) == ALLOW, "a thread"
            assert verdict(program, machine, "socketpair", 1, 1) == ALLOW
            assert verdict(program, machine, "ioctl", 0, 0x5401) == ALLOW
            assert verdict(program, machine, "openat", 0, 0, 0o2) == ALLOW

    def test_what_no_encoder_needs_is_refused(self, machine: str) -> None:
        program = static_program(replace(STRONG, watched=False), machine)
        place = list(MACHINES).index(machine)
        for name in (*REFUSED, *ATTACKS):
            if NUMBERS[name][place] is not None:
                assert verdict(program, machine, name) == refuse(errno.EPERM), name
        for name in ABSENT:
            assert verdict(program, machine, name) == refuse(errno.ENOSYS), name

    def test_new_namespaces_and_typing_into_terminals_are_refused(self, machine: str) -> None:
        program = static_program(STRONG, machine)
        assert verdict(program, machine, "clone", 0x10000000) == refuse(errno.EPERM)
        for request in NOSY_IOCTLS:
            assert verdict(program, machine, "ioctl", 0, request) == refuse(errno.EPERM)
        assert verdict(program, machine, "personality", 0x0040000) == refuse(errno.EPERM)
        assert verdict(program, machine, "personality", 0xFFFFFFFF) == ALLOW

    def test_a_call_that_is_newer_than_the_table_is_not_there(self, machine: str) -> None:
        for program in (static_program(MEDIUM, machine), watch_program(MEDIUM, machine, CHANNEL)):
            assert verdict(program, machine, NEWEST) == refuse(errno.ENOSYS)
            assert verdict(program, machine, 0x40000000) == refuse(errno.ENOSYS)

    def test_another_machine_s_calls_end_the_process(self, machine: str) -> None:
        assert verdict(static_program(STRONG, machine), machine, "getpid", architecture=0x40000003) == KILL

    def test_sockets_by_family_and_type(self, machine: str) -> None:
        alone = static_program(replace(STRONG, watched=False), machine)
        for program, refused in ((alone, refuse(errno.EACCES)), (watch_program(STRONG, machine, CHANNEL), NOTIFY)):
            for family in (1, 2, 10):
                assert verdict(program, machine, "socket", family, 1) == ALLOW
                assert verdict(program, machine, "socket", family, 3 | 0o2000000) == refused, "raw"
            for family in (16, 17, 38, 40):
                assert verdict(program, machine, "socket", family, 1) == refused
        assert reply("socket", STRONG) == errno.EACCES
        unwatched = static_program(replace(MEDIUM, watched=False), machine)
        for family in (1, 2, 10, 40):
            assert verdict(unwatched, machine, "socket", family, 1) == refuse(errno.EACCES)

    def test_the_medium_box_refuses_what_outlives_and_fakes_metadata(self, machine: str) -> None:
        program = static_program(MEDIUM, machine)
        place = list(MACHINES).index(machine)
        for name in PERSISTENT:
            assert verdict(program, machine, name) == refuse(errno.EPERM)
            assert verdict(static_program(STRONG, machine), machine, name) == ALLOW
        for name in METADATA:
            if NUMBERS[name][place] is not None:
                assert verdict(program, machine, name) == refuse(0), "reports success"

    def test_the_watch_is_asked_about_telling_calls_only(self, machine: str) -> None:
        program = watch_program(STRONG, machine, CHANNEL)
        place = list(MACHINES).index(machine)
        for name in (*ATTACKS, *CHANGES, "connect", "sendmmsg"):
            if NUMBERS[name][place] is not None:
                assert verdict(program, machine, name) == NOTIFY, name
        assert verdict(program, machine, "openat", 0, 0, 0) == ALLOW, "for reading"
        assert verdict(program, machine, "openat", 0, 0, 0o101) == NOTIFY, "for writing"
        assert verdict(program, machine, "sendto", CHANNEL) == ALLOW
        assert verdict(program, machine, "sendto", CHANNEL + 1) == NOTIFY
        assert verdict(program, machine, "socket", 2, 1) == ALLOW
        assert verdict(watch_program(MEDIUM, machine, CHANNEL), machine, "socket", 2, 1) == NOTIFY

    def test_other_processes_are_asked_about_where_their_numbers_are_the_hosts(self, machine: str) -> None:
        program = watch_program(MEDIUM, machine, CHANNEL)
        for name in ("kill", "tkill", "tgkill", "prlimit64", "sched_setaffinity", "pidfd_open", "rt_sigqueueinfo"):
            assert verdict(program, machine, name, 0) == ALLOW, "itself"
            assert verdict(program, machine, name, 7, 9) == NOTIFY, name
            assert verdict(watch_program(STRONG, machine, CHANNEL), machine, name, 7, 9) == ALLOW, name
        assert verdict(program, machine, "setpriority", 2, 0) == NOTIFY, "all processes of the user"
        assert verdict(program, machine, "ioprio_set", 3, 0) == NOTIFY, "same"

    def test_a_socket_gives_no_handle_on_the_checker_and_a_process_does_not_hide(self, machine: str) -> None:
        for policy in (STRONG, MEDIUM):
            program = static_program(policy, machine)
            assert verdict(program, machine, "getsockopt", 5, 1, 77) == refuse(errno.ENOPROTOOPT)
            assert verdict(program, machine, "setsockopt", 5, 1, 76) == refuse(errno.ENOPROTOOPT)
            assert verdict(program, machine, "getsockopt", 5, 1, 3) == ALLOW
        assert verdict(static_program(MEDIUM, machine), machine, "prctl", 4, 0) == refuse(0), "reports success"
        assert verdict(static_program(MEDIUM, machine), machine, "prctl", 15) == ALLOW

    def test_descriptors_cannot_be_sent_once_the_box_has_its_listener(self, machine: str) -> None:
        assert verdict(seal_program(MEDIUM, machine), machine, "sendmsg", CHANNEL) == refuse(errno.EPERM)
        assert verdict(seal_program(MEDIUM, machine), machine, "sendto", CHANNEL) == ALLOW
        assert seal_program(STRONG, machine) == b"", "whose user may share memory between its own processes"

    def test_no_call_stands_in_both_programs(self, machine: str) -> None:
        place = list(MACHINES).index(machine)
        for policy in (STRONG, MEDIUM):
            static, watch = static_program(policy, machine), watch_program(policy, machine, CHANNEL)
            for name, numbers in NUMBERS.items():
                if numbers[place] is not None and verdict(watch, machine, name, 2, 1) == NOTIFY:
                    assert verdict(static, machine, name, 2, 1) == ALLOW, name


def test_an_attack_is_never_let_through_and_a_file_call_always_is() -> None:
    assert {reply(name, STRONG) for name in ATTACKS} == {errno.EPERM}
    assert {reply(name, MEDIUM) for name in CHANGES} == {0}
    assert reply("socket", MEDIUM) == reply("connect", MEDIUM) == errno.EACCES
    assert reply("connect", STRONG) == 0, "into a network namespace that is empty"


def test_an_unknown_machine_is_not_supported() -> None:
    assert not supported("riscv64")


@pytest.mark.skipif(not supported(platform.machine()) or sys.platform != "linux", reason="no filter for this machine")
def test_the_kernel_takes_the_program_and_keeps_its_word(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(static_program(MEDIUM, platform.machine()))
    code = f"""
import ctypes, os, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from audio_encoder_checker.launcher import libc
libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
libc.install_filter(open({str(tmp_path / "program")!r}, "rb").read())
found = []
def attempt(what):
    try:
        what()
        found.append("done")
    except OSError as error:
        found.append(error.errno)
attempt(lambda: os.chmod({str(tmp_path / "program")!r}, 0o777))
attempt(lambda: os.memfd_create("x"))
attempt(lambda: libc.syscall(425, 4, ctypes.create_string_buffer(120)))
attempt(lambda: os.getpid())
print(found)
"""
    before = (tmp_path / "program").stat().st_mode
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(["done", errno.ENOSYS, errno.ENOSYS, "done"])
    assert (tmp_path / "program").stat().st_mode == before, "the change of mode did nothing"
