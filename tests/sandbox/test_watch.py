from __future__ import annotations

import io
import os
import platform
import socket
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from audio_encoder_checker.evidence.run import Attempt, AttemptKind
from audio_encoder_checker.sandbox import watch
from audio_encoder_checker.sandbox.seccomp import supported, watch_program
from audio_encoder_checker.sandbox.watch import Watch, parse_address, question_name
from audio_encoder_checker.sandbox.watch import supported as kernel_tells
from tests.sandbox.test_seccomp import STRONG

POLICY = replace(STRONG, others_refused=True)
can_watch = pytest.mark.skipif(
    sys.platform != "linux" or not supported(platform.machine()) or not kernel_tells(), reason="no watch here"
)
CHILD = """
import ctypes, os, socket, subprocess, sys, threading, time
sys.path.insert(0, {package!r})
from audio_encoder_checker.child import guard, wire
channel = socket.socket(fileno=int(sys.argv[1]))
guard.hand_over(channel, guard.install(bytes(wire.receive(channel, 1 << 16)[1])))
channel.recv(1)
{code}
"""


def watched(code: str, writable: tuple[str, ...] = ()) -> tuple[tuple[Attempt, ...], str]:
    """What the watch tells of a child that runs `code` once it is watched, and what that prints."""
    near, far = socket.socketpair()
    program = CHILD.format(package=str(Path(__file__).parents[2]), code=code)
    command = [sys.executable, "-c", program, str(far.fileno())]
    with subprocess.Popen(command, pass_fds=(far.fileno(),), stdout=subprocess.PIPE, text=True) as process:
        from audio_encoder_checker.child import wire

        wire.send(near, {}, watch_program(POLICY, platform.machine(), far.fileno()))
        far.close()
        listener = socket.recv_fds(near, 1, 1)[1][0]
        watch = Watch(listener, POLICY, os.getpid(), writable)
        watch.stage = "load"
        watch.start()
        near.send(b"x")
        output, _ = process.communicate(timeout=60)
        near.close()
        watch.stop()
        watch.stop()  # twice does no harm
    return watch.summary(), output


@can_watch
class TestARealChild:
    def test_connections_names_files_and_attacks_are_told(self, tmp_path: Path) -> None:
        code = f"""
for attempt in (
    lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    lambda: socket.socket(socket.AF_UNIX).connect("/no/docker.sock"),
    lambda: open({str(tmp_path / "new")!r}, "w").close(),
    lambda: os.mkdir({str(tmp_path / "folder")!r}),
    lambda: open("/dev/null", "w").close(),
):
    try:
        attempt()
    except OSError:
        pass
print(ctypes.CDLL(None).ptrace(16, 1, 0, 0))
"""
        told, printed = watched(code)
        found = {(attempt.kind, attempt.target) for attempt in told}
        assert found == {
            (AttemptKind.CONNECT, "127.0.0.1:9"),
            (AttemptKind.CONNECT, "/no/docker.sock"),
            (AttemptKind.WRITE, str(tmp_path / "new")),
            (AttemptKind.WRITE, str(tmp_path / "folder")),
            (AttemptKind.CALL, "ptrace"),
        }
        assert printed == "-1\n"
        assert (tmp_path / "new").exists(), "the watch lets files through: the file system refuses"
        assert {attempt.stage for attempt in told} == {"load"}

    def test_the_name_of_a_query_is_told_and_not_the_resolver(self) -> None:
        query = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\3abc\7example\3org\0" + b"\0\1\0\1"
        code = f"socket.socket(type=socket.SOCK_DGRAM).sendto({query!r}, ('127.0.0.1', 53))"
        told, _ = watched(code)
        assert [(a.kind, a.target) for a in told] == [(AttemptKind.LOOK_UP, "abc.example.org")]

    def test_a_folder_that_may_be_written_is_not_told(self, tmp_path: Path) -> None:
        told, _ = watched(f"os.chdir({str(tmp_path)!r}); open('x', 'w').close()", (str(tmp_path),))
        assert told == ()

    def test_a_flood_is_counted_and_answered(self) -> None:
        code = "s = socket.socket(type=socket.SOCK_DGRAM)\nfor n in range(5000): s.connect(('127.0.0.1', 9))"
        start = time.monotonic()
        ((attempt),) = watched(code)[0]
        assert attempt.count == 5000
        assert time.monotonic() - start < 30

    def test_nonsense_in_memory_stops_nobody(self) -> None:
        code = "libc = ctypes.CDLL(None)\nfor n in range(50): libc.connect(3, ctypes.c_void_p(n), 16)\nprint('on')"
        told, printed = watched(code)
        assert printed == "on\n"
        assert {(a.kind, a.target) for a in told} == {(AttemptKind.CONNECT, "?")}

    def test_a_child_that_is_killed_in_a_call_hangs_nobody(self) -> None:
        code = """
def hammer():
    while True:
        socket.socket(type=socket.SOCK_DGRAM).connect(("127.0.0.1", 9))
for _ in range(4):
    threading.Thread(target=hammer, daemon=True).start()
time.sleep(0.3)
os.kill(os.getpid(), 9)
"""
        assert watched(code)[0][0].count > 10

    def test_processes_outside_are_left_alone_and_its_own_are_not(self) -> None:
        code = f"""
import contextlib, signal
def attempt(what):
    try:
        what()
        return "done"
    except OSError as error:
        return type(error).__name__
own = subprocess.Popen(["/bin/sleep", "60"])
thread = threading.Thread(target=time.sleep, args=(1,), daemon=True)
thread.start()
checker = {os.getpid()}
print([attempt(what) for what in (
    lambda: os.sched_setaffinity(checker, os.sched_getaffinity(checker)),
    lambda: os.kill(checker, signal.SIGCONT),
    lambda: os.kill(-1, 0),
    lambda: os.killpg(os.getpgid(checker), 0),
    lambda: os.setpriority(os.PRIO_USER, 0, os.getpriority(os.PRIO_PROCESS, 0)),
    lambda: os.pidfd_open(checker),
    lambda: os.sched_setaffinity(thread.native_id, os.sched_getaffinity(0)),
    lambda: os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0)),
    lambda: signal.pthread_kill(thread.ident, 0),
    lambda: own.kill(),
)])
own.wait()
"""
        told, printed = watched(code)
        assert printed == str(["PermissionError"] * 6 + ["done"] * 4) + "\n"
        assert {a.target.partition(" ")[0] for a in told} == {"sched_setaffinity", "kill", "setpriority"}
        assert {a.kind for a in told} == {AttemptKind.CALL}, "what only asks is no attempt"

    def test_programs_that_the_child_starts_are_watched_too(self) -> None:
        told, _ = watched("subprocess.run(['/bin/sh', '-c', 'echo x 2>/dev/null > /no-such/file'])")
        assert ("/no-such/file", AttemptKind.WRITE) in {(a.target, a.kind) for a in told}


def test_the_memory_of_a_process_that_was_killed_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "open", lambda *_args, **_named: io.BytesIO(), raising=False)
    memory = watch.Memory(1)
    assert memory.read(4096, 0) == b""
    with pytest.raises(OSError, match="nothing is there"):
        memory.text(4096)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (struct.pack("<H", 2) + struct.pack(">H", 443) + bytes([1, 2, 3, 4]), ("1.2.3.4", 443)),
        (struct.pack("<H", 10) + struct.pack(">HI", 80, 0) + bytes(15) + b"\1" + bytes(4), ("[::1]", 80)),
        (struct.pack("<H", 1) + b"/run/x.sock\0junk", ("/run/x.sock", None)),
        (struct.pack("<H", 1) + b"\0hidden", ("@hidden", None)),
        (struct.pack("<H", 40) + bytes(14), ("family 40", None)),
        (struct.pack("<H", 2), ("family 2", None)),
        (b"", ("", None)),
    ],
)
def test_addresses(data: bytes, expected: tuple[str, int | None]) -> None:
    assert parse_address(data) == expected


@pytest.mark.parametrize(
    ("packet", "name"),
    [
        (struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + b"\2hf\2co\0\0\1\0\1", "hf.co"),
        (struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + b"\x3fshort", ""),
        (struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + b"\2\x1b[\0\0\1\0\1", ""),
        (struct.pack(">6H", 1, 0x8180, 1, 1, 0, 0) + b"\2hf\2co\0\0\1\0\1", ""),
        (b"\xcd0\xde", ""),
        (b"GET / HTTP/1.1\r\nHost: example.org\r\n", ""),
    ],
)
def test_names_in_queries(packet: bytes, name: str) -> None:
    assert question_name(packet) == name
