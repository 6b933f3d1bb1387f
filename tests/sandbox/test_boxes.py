"""One suite that every box must pass, and what only the strong one promises."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from audio_encoder_checker.evidence.run import Conduct, Ending, Outcome
from audio_encoder_checker.sandbox.ask import Session
from audio_encoder_checker.sandbox.box import Limits
from audio_encoder_checker.sandbox.choose import survey
from audio_encoder_checker.sandbox.meter import adopt_orphans, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.sandbox.ask import Answer
    from audio_encoder_checker.sandbox.box import Box

pytestmark = pytest.mark.box

TIERS = {one.tier: one for one in survey()}
LIMITS = Limits(
    memory_bytes=1 << 30,
    tasks=256,
    cpu_s=600,
    output_bytes=1 << 20,
    scratch_bytes=1 << 26,
    scratch_files=1000,
    home_bytes=1 << 30,
    home_files=1000,
    answer_bytes=1 << 24,
)


def only_with(tier: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(TIERS[tier].box is None, reason=f"no {tier} box here: {TIERS[tier].why_not}")


BOXES = [pytest.param(tier, marks=only_with(tier)) for tier in TIERS]
ANY_BOX = next(one.box for one in TIERS.values() if one.box)


def the_box(tier: str) -> Box:
    box = TIERS[tier].box
    assert box is not None
    return box


def load_question(session: Session, name: str = "TestEncoder") -> dict[str, Any]:
    return {
        "ask": "load",
        "root": session.repository_path,
        "module": "encoder",
        "class": name,
        "suffix": "Encoder",
        "device": "cpu",
        "threads": 1,
        "answer_bytes": LIMITS.answer_bytes,
    }


@contextlib.contextmanager
def started(box: Box, folder: Path, code: str, limits: Limits = LIMITS) -> Iterator[Session]:
    """A session with a module of this code, its greeting heard."""
    repository, workspace = folder / "repository", folder / "workspace"
    repository.mkdir()
    workspace.mkdir()
    (repository / "encoder.py").write_text("import os, sys, socket, subprocess, threading, time, ctypes\n" + code)
    with Session(box, repository, workspace, limits) as session:
        assert session.greeting(120).outcome.ending is Ending.ANSWERED
        yield session


def encode(session: Session, timeout_s: float = 20) -> Answer:
    audio = np.ones((1, 4), dtype=np.float32)
    return session.ask({"ask": "encode", "shape": [1, 4]}, audio.tobytes(), timeout_s=timeout_s)


def encoder(code: str, forward: str = "return audio[:, None]") -> str:
    """Source of an encoder whose constructor runs `code`."""
    body = "\n".join(f"        {line}" for line in code.splitlines())
    return f"class TestEncoder:\n    def __init__(self):\n{body}\n    def __call__(self, audio):\n        {forward}\n"


def run(
    box: Box, folder: Path, code: str, *, timeout_s: float = 20, limits: Limits = LIMITS
) -> tuple[list[Answer], Conduct]:
    """Load an encoder whose constructor runs `code`, call it once, close the session."""
    with started(box, folder, encoder(code), limits) as session:
        answers = [session.ask(load_question(session), timeout_s=timeout_s), encode(session, timeout_s)]
    return answers, session.conduct()


ORDINARY = """
class RaisingEncoder:
    def __init__(self):
        raise ValueError("no")

class LeavingEncoder:
    def __init__(self):
        raise SystemExit(0)

class TestEncoder:
    def __init__(self):
        import gc
        from concurrent.futures import ThreadPoolExecutor
        print("hello \\x1b[2J \\u202e there \\x1b[31mred\\x1b[0m")
        print("a token" if "canary" in str(os.environ) else "no token")
        print("garbage is collected" if gc.isenabled() else "garbage is kept", flush=True)
        subprocess.Popen(["/bin/sleep", "77"])
        ThreadPoolExecutor(2).submit(int)
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        self.calls = 0
    def __call__(self, audio):
        import torch
        self.calls += 1
        return audio[:, None] if self.calls == 1 else torch.zeros(1, 100, 100_000)
"""


@dataclass(frozen=True)
class Ordinary:
    """One session that no limit ended: the answers of two encoders that raise and of one that does not."""

    conduct: Conduct
    raising: Answer
    leaving: Answer
    loaded: Answer
    encoded: Answer
    too_large: Answer


@pytest.fixture(scope="module", params=BOXES)
def ordinary(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ordinary:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", "canary")
        with started(the_box(request.param), tmp_path_factory.mktemp("ordinary"), ORDINARY) as session:
            names = ("RaisingEncoder", "LeavingEncoder", "TestEncoder")
            answers = [session.ask(load_question(session, name), timeout_s=20) for name in names]
            answers += [encode(session), encode(session)]
    return Ordinary(session.conduct(), *answers)


class TestAnOrdinarySession:
    def test_what_is_raised_does_not_end_the_child(self, ordinary: Ordinary) -> None:
        for answer, name in ((ordinary.raising, "ValueError"), (ordinary.leaving, "SystemExit")):
            assert answer.outcome.ending is Ending.RAISED
            assert answer.outcome.raised
            assert answer.outcome.raised.type == name
        assert ordinary.loaded.outcome.ending is Ending.ANSWERED

    def test_embeddings_come_back_as_bytes(self, ordinary: Ordinary) -> None:
        assert ordinary.encoded.outcome.ending is Ending.ANSWERED
        assert ordinary.encoded.header["shape"] == [1, 1, 4]
        assert np.frombuffer(ordinary.encoded.payload, np.float32).tolist() == [1.0] * 4

    def test_an_answer_over_the_limit_does_not_leave_the_box(self, ordinary: Ordinary) -> None:
        assert ordinary.too_large.header["too_large"] == 40_000_000
        assert not ordinary.too_large.payload

    def test_a_process_left_behind_is_named(self, ordinary: Ordinary) -> None:
        assert ordinary.conduct.left_behind == ("/bin/sleep 77",)

    def test_pools_and_daemon_threads_do_not_keep_the_interpreter_from_ending(self, ordinary: Ordinary) -> None:
        assert ordinary.conduct.ended_by is Ending.ANSWERED
        assert ordinary.conduct.exit_blocked_by == ""

    def test_output_is_kept_readable_no_token_arrives_and_garbage_is_collected(self, ordinary: Ordinary) -> None:
        hello = "hello \\x1b[2J \\u202e there \\x1b[31mred\\x1b[0m"
        assert ordinary.conduct.output_tail.splitlines() == [hello, "no token", "garbage is collected"]

    def test_terminal_controls_are_counted_and_colours_are_not(self, ordinary: Ordinary) -> None:
        assert ordinary.conduct.control_characters == 2


@pytest.mark.parametrize("tier", BOXES)
class TestEveryBox:
    @pytest.mark.parametrize(
        ("code", "ending", "detail"),
        [
            ("os._exit(3)", Ending.EXITED, "exit status 3"),
            ("os.kill(os.getpid(), 9)", Ending.KILLED, "signal 9"),
        ],
        ids=["exit", "signal"],
    )
    def test_every_ending_is_told_apart(
        self, tier: str, tmp_path: Path, code: str, ending: Ending, detail: str
    ) -> None:
        answers, _ = run(the_box(tier), tmp_path, code)
        assert answers[0].outcome.ending is ending
        assert detail in answers[0].outcome.detail

    def test_the_clock_ends_an_endless_loop_and_the_daemon_it_started(self, tier: str, tmp_path: Path) -> None:
        mark = f"aecc-daemon-{os.getpid()}-{tier}"
        code = (
            "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
            f"        os.execv('/bin/sh', ['{mark}', '-c', 'echo ready; sleep 300; true'])\n    os._exit(0)\n"
            "while True: pass"
        )
        start = time.monotonic()
        answers, conduct = run(the_box(tier), tmp_path, code, timeout_s=1)
        assert answers[0].outcome.ending is Ending.TIMED_OUT
        assert conduct.ended_by is Ending.TIMED_OUT
        assert answers[1].outcome == answers[0].outcome, "a dead child gives the same outcome again"
        assert time.monotonic() - start < 60
        assert conduct.output_tail.strip() == "ready"
        found = [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]
        assert not [p for p in found if is_alive(p)]

    def test_too_much_memory_ends_the_run_and_is_named(self, tier: str, tmp_path: Path) -> None:
        code = "self.x = []\nwhile True:\n    self.x.append(b'x' * 10_000_000)\n    time.sleep(0.002)"
        answers, _ = run(the_box(tier), tmp_path, code)
        assert answers[0].outcome.ending is Ending.OUT_OF_MEMORY
        assert "1 GiB" in answers[0].outcome.detail

    @pytest.mark.parametrize(
        "code",
        [
            "subprocess.Popen(['/bin/sh', '-c', 'for one in $(seq 400); do sleep 30 & done; wait'])",
            "for _ in range(400):\n    threading.Thread(target=time.sleep, args=(30,)).start()",
        ],
        ids=["processes", "threads"],
    )
    def test_too_many_processes_or_threads_end_the_run(self, tier: str, tmp_path: Path, code: str) -> None:
        answers, _ = run(the_box(tier), tmp_path, f"{code}\ntime.sleep(15)")
        assert answers[0].outcome.ending is Ending.TOO_MANY_TASKS
        assert "256 processes" in answers[0].outcome.detail

    @pytest.mark.parametrize(
        ("code", "detail"),
        [
            (
                "with open(d + '/x', 'wb') as f:\n    [f.write(bytes(1 << 20)) for _ in range(75)]\n    f.flush()",
                "64 MiB",
            ),
            ("for n in range(1500): open(f'{d}/{n}', 'w').close()", "1000 files"),
        ],
        ids=["bytes", "files"],
    )
    def test_full_temporary_folders_end_the_run(self, tier: str, tmp_path: Path, code: str, detail: str) -> None:
        answers, conduct = run(the_box(tier), tmp_path, f"d = os.environ['TMPDIR']\n{code}\ntime.sleep(5)")
        assert answers[0].outcome.ending is Ending.SCRATCH_FULL
        assert detail in answers[0].outcome.detail
        assert conduct.ended_by is Ending.SCRATCH_FULL

    def test_its_end_is_not_that_of_other_processes_of_the_checker(self, tier: str, tmp_path: Path) -> None:
        with contextlib.ExitStack() as stack:
            sessions = []
            for name in ("one", "other"):
                (tmp_path / name / "repository").mkdir(parents=True)
                session = Session(the_box(tier), tmp_path / name / "repository", tmp_path / name, LIMITS)
                sessions.append(stack.enter_context(session))
            process = stack.enter_context(subprocess.Popen(["/bin/sleep", "60"]))
            sessions[0].abort()
            assert process.poll() is None
            assert sessions[1].greeting(120).outcome.ending is Ending.ANSWERED
            process.kill()


class TestAnyBox:
    """What no wall has to do with, in the first box that this machine has."""

    @pytest.mark.parametrize(
        ("code", "ending", "detail"),
        [
            ("os._exit(0)", Ending.EXITED, "exit status 0"),
            ("ctypes.string_at(0)", Ending.KILLED, "signal 11"),
            ("os.write(int(sys.orig_argv[-1]), b'\\xff' * 100)\ntime.sleep(60)", Ending.GARBLED, "a header of"),
        ],
        ids=["success", "crash", "garbage"],
    )
    def test_other_endings_are_told_apart(self, tmp_path: Path, code: str, ending: Ending, detail: str) -> None:
        answers, _ = run(ANY_BOX, tmp_path, code)
        assert answers[0].outcome.ending is ending
        assert detail in answers[0].outcome.detail

    def test_too_much_processor_time_ends_the_run(self, tmp_path: Path) -> None:
        limits = replace(LIMITS, cpu_s=4.0)
        answers, _ = run(ANY_BOX, tmp_path, "[os.fork() for _ in range(1)]\nwhile True: pass", limits=limits)
        assert answers[0].outcome.ending is Ending.OUT_OF_CPU_TIME
        assert "4 s" in answers[0].outcome.detail

    @pytest.mark.parametrize(
        ("code", "blocked_by"),
        [
            ("threading.Thread(target=time.sleep, args=(60,), name='idler').start()", "idler"),
            ("import atexit\natexit.register(time.sleep, 60)", "exit handler"),
        ],
        ids=["thread", "exit handler"],
    )
    def test_what_keeps_the_interpreter_from_ending_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, blocked_by: str
    ) -> None:
        monkeypatch.setattr("audio_encoder_checker.sandbox.ask.EXIT_SECONDS", 1.0)
        answers, conduct = run(ANY_BOX, tmp_path, code)
        assert answers[1].outcome.ending is Ending.ANSWERED
        assert blocked_by in conduct.exit_blocked_by

    def test_nonsense_as_a_farewell_is_no_error_of_ours(self, tmp_path: Path) -> None:
        code = "sys.modules['w_host.host'].lingering = lambda: 7"
        answers, conduct = run(ANY_BOX, tmp_path, code)
        assert answers[1].outcome.ending is Ending.ANSWERED
        assert conduct.exit_blocked_by == ""

    @pytest.mark.parametrize("stream", ["stdout", "stderr"])
    def test_a_flood_of_output_ends_the_run(self, tmp_path: Path, stream: str) -> None:
        answers, conduct = run(ANY_BOX, tmp_path, f"while True: sys.{stream}.write('x' * 10000)")
        assert answers[0].outcome.ending is Ending.FLOODED
        assert max(conduct.stdout_bytes, conduct.stderr_bytes) < LIMITS.output_bytes + 100_000


ATTEMPTS = {
    "files of the host are not there": ("open({canary!r}).read()", "FileNotFoundError"),
    "the repository cannot be written": ("open('/w/repo/new', 'w')", "OSError"),
    "nor can programs": ("open('/usr/new', 'w')", "OSError"),
    "nor the root": ("open('/new', 'w')", "OSError"),
    "nor settings": ("open('/etc/new', 'w')", "OSError"),
    "scratch is writable": ("open('/tmp/aecc-canary', 'w').write('x')", "1"),
    "the network is not reachable": (
        "socket.create_connection(('127.0.0.1', {port}), timeout=2)",
        "ConnectionRefusedError",
    ),
    "a name cannot be resolved": ("socket.getaddrinfo('huggingface.co', 443)", "gaierror"),
    "other processes are not seen": ("max(int(p) for p in os.listdir('/proc') if p.isdigit()) < 20", "True"),
    "the way out through core_pattern is closed": ("open('/proc/sys/kernel/core_pattern', 'w')", "OSError"),
    "no capability is left": (
        "int([l.split()[1] for l in open('/proc/self/status') if l.startswith('CapEff')][0], 16)",
        "0",
    ),
    "the command line shows no path of the host": ("{canary!r} in open('/proc/1/cmdline').read()", "False"),
    "nothing of the checker is imported": ("[m for m in sys.modules if 'audio_encoder_checker' in m]", "[]"),
}
TRYING = """
import json
found = {}
for name, expression in %r.items():
    try:
        found[name] = str(eval(expression))
    except OSError as error:
        found[name] = type(error).__name__
print(json.dumps(found), flush=True)
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What came of every attempt, one after the other in one child."""
    folder = tmp_path_factory.mktemp("strong")
    canary = folder / "id_rsa"
    canary.write_text("secret")
    adopt_orphans()  # as an earlier box of a weaker tier has done
    before = set(psutil.Process().children())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        tried = {name: text.format(canary=str(canary), port=port) for name, (text, _) in ATTEMPTS.items()}
        _, conduct = run(the_box("strong"), folder, (TRYING % tried).strip())
    left = set(psutil.Process().children()) - before
    return {**json.loads(conduct.output_tail), "unburied": str(left)}


@only_with("strong")
class TestStrongBox:
    """Each promise with a control outside: the same attempt succeeds without the box."""

    @pytest.mark.parametrize("name", ATTEMPTS)
    def test_an_attempt_comes_to_what_is_promised(self, found: dict[str, str], name: str) -> None:
        assert found[name] == ATTEMPTS[name][1]

    def test_scratch_is_private(self, found: dict[str, str]) -> None:
        assert found["scratch is writable"] == "1"
        assert not Path("/tmp/aecc-canary").exists()

    def test_nothing_unburied_is_left_to_a_process_that_adopts_orphans(self, found: dict[str, str]) -> None:
        assert found["unburied"] == "set()"

    def test_it_starts_with_the_gpu_passed_through_even_where_there_is_none(self, tmp_path: Path) -> None:
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        with Session(the_box("strong"), tmp_path, workspace, LIMITS, "cuda:0") as session:
            assert session.greeting(120).outcome.ending is Ending.ANSWERED


def test_an_outcome_reads_as_a_sentence_part() -> None:
    assert str(Outcome(Ending.KILLED, 1.0, "signal 11")) == "killed: signal 11"
