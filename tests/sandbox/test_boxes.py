"""One suite that every box must pass, and what only the strong one promises."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from dataclasses import replace
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
CONFINED = [pytest.param(tier, marks=only_with(tier)) for tier in ("strong", "medium")]


def the_box(tier: str) -> Box:
    box = TIERS[tier].box
    assert box is not None
    return box


def load_question(session: Session) -> dict[str, Any]:
    return {
        "ask": "load",
        "root": session.repository_path,
        "module": "encoder",
        "class": "",
        "suffix": "Encoder",
        "device": "cpu",
        "threads": 1,
        "answer_bytes": LIMITS.answer_bytes,
    }


def run(
    box: Box,
    folder: Path,
    code: str,
    *,
    forward: str = "return audio[:, None]",
    timeout_s: float = 20,
    limits: Limits = LIMITS,
) -> tuple[list[Answer], Conduct]:
    """Load an encoder whose constructor runs `code`, call it once, close the session."""
    repository = folder / "repository"
    repository.mkdir()
    body = [
        "import os, sys, socket, subprocess, time, ctypes",
        "class TestEncoder:",
        "    def __init__(self):",
        *(f"        {line}" for line in code.splitlines()),
        "    def __call__(self, audio):",
        f"        {forward}",
    ]
    (repository / "encoder.py").write_text("\n".join(body))
    workspace = folder / "workspace"
    workspace.mkdir()
    with Session(box, repository, workspace, limits) as session:
        assert session.greeting(120).outcome.ending is Ending.ANSWERED
        loaded = session.ask(load_question(session), timeout_s=timeout_s)
        audio = np.ones((1, 4), dtype=np.float32)
        encoded = session.ask({"ask": "encode", "shape": [1, 4]}, audio.tobytes(), timeout_s=timeout_s)
    return [loaded, encoded], session.conduct()


def said(answers: list[Answer]) -> str:
    """What the constructor raised: how the code below tells what it found."""
    raised = answers[0].outcome.raised
    assert raised is not None, answers[0].outcome
    return raised.message


@pytest.mark.parametrize("tier", BOXES)
class TestEveryBox:
    def test_embeddings_come_back_as_bytes(self, tier: str, tmp_path: Path) -> None:
        answers, conduct = run(the_box(tier), tmp_path, "pass")
        assert [a.outcome.ending for a in answers] == [Ending.ANSWERED] * 2
        assert answers[1].header["shape"] == [1, 1, 4]
        assert np.frombuffer(answers[1].payload, np.float32).tolist() == [1.0] * 4
        assert conduct.ended_by is Ending.ANSWERED

    @pytest.mark.parametrize(
        ("code", "ending", "detail"),
        [
            ("raise ValueError('no')", Ending.RAISED, ""),
            ("raise SystemExit(0)", Ending.RAISED, ""),
            ("os._exit(0)", Ending.EXITED, "exit status 0"),
            ("os._exit(3)", Ending.EXITED, "exit status 3"),
            ("ctypes.string_at(0)", Ending.KILLED, "signal 11"),
            ("os.kill(os.getpid(), 9)", Ending.KILLED, "signal 9"),
            ("os.write(int(sys.orig_argv[-1]), b'\\xff' * 100)\ntime.sleep(60)", Ending.GARBLED, "a header of"),
        ],
    )
    def test_every_ending_is_told_apart(
        self, tier: str, tmp_path: Path, code: str, ending: Ending, detail: str
    ) -> None:
        answers, _ = run(the_box(tier), tmp_path, code)
        assert answers[0].outcome.ending is ending
        assert detail in answers[0].outcome.detail

    def test_an_endless_loop_is_ended_by_the_clock(self, tier: str, tmp_path: Path) -> None:
        start = time.monotonic()
        answers, conduct = run(the_box(tier), tmp_path, "while True: pass", timeout_s=1)
        assert answers[0].outcome.ending is Ending.TIMED_OUT
        assert conduct.ended_by is Ending.TIMED_OUT
        assert answers[1].outcome == answers[0].outcome, "a dead child gives the same outcome again"
        assert time.monotonic() - start < 60

    def test_too_much_memory_ends_the_run_and_is_named(self, tier: str, tmp_path: Path) -> None:
        code = "self.x = []\nwhile True:\n    self.x.append(b'x' * 10_000_000)\n    time.sleep(0.002)"
        answers, _ = run(the_box(tier), tmp_path, code)
        assert answers[0].outcome.ending is Ending.OUT_OF_MEMORY
        assert "1 GiB" in answers[0].outcome.detail

    @pytest.mark.parametrize(
        ("code", "detail"),
        [
            ("pids = [subprocess.Popen(['/bin/sleep', '30']) for _ in range(400)]", "256 processes"),
            (
                "import threading\nfor _ in range(400):\n    threading.Thread(target=time.sleep, args=(30,)).start()",
                "256 processes",
            ),
        ],
        ids=["processes", "threads"],
    )
    def test_too_many_processes_or_threads_end_the_run(self, tier: str, tmp_path: Path, code: str, detail: str) -> None:
        answers, _ = run(the_box(tier), tmp_path, f"{code}\ntime.sleep(5)")
        assert answers[0].outcome.ending is Ending.TOO_MANY_TASKS
        assert detail in answers[0].outcome.detail

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

    def test_too_much_processor_time_ends_the_run(self, tier: str, tmp_path: Path) -> None:
        limits = replace(LIMITS, cpu_s=4.0)
        code = "[os.fork() for _ in range(1)]\nwhile True: pass"
        answers, _ = run(the_box(tier), tmp_path, code, limits=limits)
        assert answers[0].outcome.ending is Ending.OUT_OF_CPU_TIME
        assert "4 s" in answers[0].outcome.detail

    @pytest.mark.parametrize(
        ("code", "blocked_by"),
        [
            ("import threading\nthreading.Thread(target=time.sleep, args=(60,), name='idler').start()", "idler"),
            ("import atexit\natexit.register(time.sleep, 60)", "exit handler"),
            ("from concurrent.futures import ThreadPoolExecutor as T\nT(2).submit(int)", ""),
            ("import threading\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()", ""),
        ],
        ids=["thread", "exit handler", "pool", "daemon thread"],
    )
    def test_what_keeps_the_interpreter_from_ending_is_told(
        self, tier: str, tmp_path: Path, code: str, blocked_by: str
    ) -> None:
        answers, conduct = run(the_box(tier), tmp_path, code)
        assert answers[1].outcome.ending is Ending.ANSWERED
        assert (blocked_by in conduct.exit_blocked_by) if blocked_by else conduct.exit_blocked_by == ""

    def test_a_process_left_behind_is_named(self, tier: str, tmp_path: Path) -> None:
        _, conduct = run(the_box(tier), tmp_path, "subprocess.Popen(['/bin/sleep', '77'])")
        assert conduct.left_behind == ("/bin/sleep 77",)

    def test_terminal_controls_are_counted_and_colours_are_not(self, tier: str, tmp_path: Path) -> None:
        code = "print('\\x1b[31mred\\x1b[0m \\x1b[2J \\u202e', flush=True)"
        assert run(the_box(tier), tmp_path, code)[1].control_characters == 2

    @pytest.mark.parametrize("stream", ["stdout", "stderr"])
    def test_a_flood_of_output_ends_the_run(self, tier: str, tmp_path: Path, stream: str) -> None:
        answers, conduct = run(the_box(tier), tmp_path, f"while True: sys.{stream}.write('x' * 10000)")
        assert answers[0].outcome.ending is Ending.FLOODED
        assert max(conduct.stdout_bytes, conduct.stderr_bytes) < LIMITS.output_bytes + 100_000

    def test_output_is_kept_readable(self, tier: str, tmp_path: Path) -> None:
        _, conduct = run(the_box(tier), tmp_path, "print('hello \\x1b[2J \\u202e there', flush=True)")
        assert conduct.output_tail.strip() == "hello \\x1b[2J \\u202e there"

    def test_a_daemon_does_not_survive(self, tier: str, tmp_path: Path) -> None:
        mark = f"aecc-daemon-{os.getpid()}-{tier}"
        code = (
            "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
            f"        os.execv('/bin/sh', ['{mark}', '-c', 'sleep 300; true'])\n    os._exit(0)\ntime.sleep(0.5)"
        )
        run(the_box(tier), tmp_path, code)
        found = [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]
        assert not [p for p in found if is_alive(p)]

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

    @pytest.mark.parametrize("threads", ["{}", "7", "None", "'abc'"])
    def test_nonsense_as_a_farewell_is_no_error_of_ours(self, tier: str, tmp_path: Path, threads: str) -> None:
        code = f"sys.modules['w_host.host'].lingering = lambda: {threads}"
        answers, conduct = run(the_box(tier), tmp_path, code)
        assert answers[1].outcome.ending is Ending.ANSWERED
        assert conduct.exit_blocked_by == ""

    def test_tokens_of_the_environment_do_not_reach_the_child(
        self, tier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_TOKEN", "canary")
        answers, _ = run(the_box(tier), tmp_path, "raise ValueError(str('canary' in str(os.environ)))")
        assert said(answers) == "False"

    def test_an_answer_over_the_limit_does_not_leave_the_box(self, tier: str, tmp_path: Path) -> None:
        forward = "import torch; return torch.zeros(1, 100, 100_000)"
        answers, _ = run(the_box(tier), tmp_path, "pass", forward=forward)
        assert answers[1].header["too_large"] == 40_000_000
        assert not answers[1].payload


@only_with("strong")
class TestStrongBox:
    """Each promise with a control outside: the same attempt succeeds without the box."""

    def attempt(self, tmp_path: Path, expression: str) -> str:
        code = (
            f"try:\n    found = str({expression})\n"
            "except OSError as e:\n    found = type(e).__name__\nraise ValueError(found)"
        )
        return said(run(the_box("strong"), tmp_path, code)[0])

    def test_nothing_unburied_is_left_to_a_process_that_adopts_orphans(self, tmp_path: Path) -> None:
        adopt_orphans()  # as an earlier box of a weaker tier has done
        before = set(psutil.Process().children())
        assert self.attempt(tmp_path, "1") == "1"
        assert set(psutil.Process().children()) - before == set()

    def test_files_of_the_host_are_not_there(self, tmp_path: Path) -> None:
        canary = tmp_path / "id_rsa"
        canary.write_text("secret")
        assert canary.exists()
        assert self.attempt(tmp_path, f"open({str(canary)!r}).read()") == "FileNotFoundError"

    def test_the_repository_and_the_system_cannot_be_written(self, tmp_path: Path) -> None:
        for path in ("/w/repo/new", "/usr/new", "/new", "/etc/new"):
            (tmp_path / path.replace("/", "_")).mkdir()
            assert self.attempt(tmp_path / path.replace("/", "_"), f"open({path!r}, 'w')") == "OSError"

    def test_scratch_is_writable_and_private(self, tmp_path: Path) -> None:
        assert self.attempt(tmp_path, "open('/tmp/aecc-canary', 'w').write('x')") == "1"
        assert not Path("/tmp/aecc-canary").exists()

    def test_the_network_is_not_reachable(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
            found = self.attempt(tmp_path, f"socket.create_connection(('127.0.0.1', {port}), timeout=2)")
        assert found == "ConnectionRefusedError"

    def test_a_name_cannot_be_resolved(self, tmp_path: Path) -> None:
        assert self.attempt(tmp_path, "socket.getaddrinfo('huggingface.co', 443)") == "gaierror"

    def test_other_processes_are_not_seen(self, tmp_path: Path) -> None:
        found = self.attempt(tmp_path, "sorted(int(p) for p in os.listdir('/proc') if p.isdigit())[-1] < 20")
        assert found == "True"

    def test_the_way_out_through_core_pattern_is_closed(self, tmp_path: Path) -> None:
        assert self.attempt(tmp_path, "open('/proc/sys/kernel/core_pattern', 'w')") == "OSError"

    def test_it_starts_with_the_gpu_passed_through_even_where_there_is_none(self, tmp_path: Path) -> None:
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        with Session(the_box("strong"), tmp_path, workspace, LIMITS, "cuda:0") as session:
            assert session.greeting(120).outcome.ending is Ending.ANSWERED

    def test_no_capability_is_left(self, tmp_path: Path) -> None:
        expression = "[l.split()[1] for l in open('/proc/self/status') if l.startswith('CapEff')][0]"
        assert int(self.attempt(tmp_path, expression), 16) == 0

    def test_the_command_line_shows_no_path_of_the_host(self, tmp_path: Path) -> None:
        found = self.attempt(tmp_path, "open('/proc/1/cmdline').read().replace(chr(0), ' ')")
        assert str(tmp_path) not in found

    def test_nothing_of_the_checker_can_be_imported(self, tmp_path: Path) -> None:
        found = self.attempt(tmp_path, "[m for m in sys.modules if 'audio_encoder_checker' in m]")
        assert found == "[]"


def test_an_outcome_reads_as_a_sentence_part() -> None:
    assert str(Outcome(Ending.KILLED, 1.0, "signal 11")) == "killed: signal 11"
