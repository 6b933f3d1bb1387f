"""Hostile submissions, one per attack, in every box that this machine has; what no wall stops in the strongest only.

Each folder `hostile/<what-it-does>` holds an `encoder.py` that is well-behaved but for one attack (or a `make.py` that
writes what no tool that reads Python could bear), and an `expected.toml`:

    verdict, findings   as they must be; findings are the ids of errors and warnings, in order
    notes               ids that must be among the notes
    until               the last stage, `load` unless `contract`
    weak                `true` or a table: run it in the weak box too, which stops nothing
    timeout_s, seconds  of one question; that the whole run may take
    [limits]            numbers of the rule book to replace
    [strong], [medium], [weak]   what differs in that box
    [uncounted]         what differs where no control group counts memory

Beside it a module `aim` is written that tells the attack what to reach for. All of that is bait made by the test;
what an attack steals it prints, so that it would show in the report. Attacks do no harm where they succeed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import secrets
import shutil
import socket
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from rich.console import Console

from audio_encoder_checker import toml
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.render import to_json, to_text
from audio_encoder_checker.sandbox.choose import choose_box
from audio_encoder_checker.sandbox.meter import is_alive
from audio_encoder_checker.stages.order import STAGES
from tests.builders import dress
from tests.profiles import BRIEF, changed_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audio_encoder_checker.report import Report

FOLDER = Path(__file__).parent / "hostile"
SPECIMENS = sorted(path.name for path in FOLDER.iterdir() if (path / "expected.toml").exists())
PREFIX = "aecc-canary-"
LIMITS = {
    "tasks": 256,
    "scratch_bytes": 1 << 26,
    "scratch_files": 2000,
    "cpu_s": 600.0,
    "output_bytes": 1 << 21,
    "ram_bytes": 1_000_000_000,
}
RAW_CONTROLS = {
    chr(n) for n in (*range(0x20), 0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
CLASSES = {
    "read keys and tokens": "reads-ssh-keys reads-the-hugging-face-token reads-tokens-of-the-environment",
    "read other processes": "reads-environments-of-other-processes reads-the-memory-of-its-parent"
    " reads-memory-by-system-call reads-descriptors-of-its-parent steals-a-descriptor reads-what-it-inherited",
    "write outside": "hides-an-attack-in-a-crowd writes-outside plants-itself-in-the-system changes-files-outside",
    "leave something behind": "leaves-a-setuid-program leaves-locked-folders leaves-deep-folders leaves-odd-files",
    "fill what holds files": "makes-20000-files fills-the-disk fills-the-disk-with-nameless-files fills-dev-shm"
    " fills-a-memfd fills-the-disk-in-deep-folders fills-the-disk-in-shut-folders hides-its-open-files",
    "reach the network": "connects-by-tcp sends-datagrams connects-to-an-abstract-socket connects-to-a-socket-by-path"
    " connects-to-a-control-socket asks-for-cloud-credentials opens-raw-sockets listens-for-connections"
    " tries-a-thousand-targets asks-the-channel-for-its-owner",
    "download": "downloads-with-urllib downloads-on-the-second-call",
    "daemons": "leaves-a-daemon leaves-stubborn-children hides-its-processes leaves-a-process-with-an-evil-name",
    "bombs": "forks-without-end starts-threads-without-end leaves-its-dead-unburied",
    "run programs": "runs-a-shell runs-a-program-it-brings becomes-another-program",
    "signals": "kills-everything ignores-signals stops-itself slows-other-processes stops-its-parent",
    "never end": "leaves-a-thread hangs-at-exit goes-on-in-a-fork hoards-memory-at-exit floods-at-exit",
    "prctl, priorities, limits": "changes-its-own-controls",
    "memory": "hoards-memory hoards-memory-in-children hoards-shared-memory keeps-shared-segments"
    " reserves-address-space returns-an-enormous-embedding",
    "time": "loads-endlessly sleeps-in-forward computes-endlessly burns-processor-time takes-its-time-in-every-call",
    "output": "floods-stdout floods-stderr prints-a-forged-report prints-control-characters prints-what-is-no-text",
    "exceptions": "raises-100-megabytes raises-control-characters raises-what-cannot-be-shown raises-a-knot"
    " raises-what-takes-for-ever-to-show raises-a-false-syntax-error",
    "garbage on the channel": "writes-garbage-to-the-channel declares-an-enormous-header"
    " declares-an-enormous-payload declares-a-payload-that-is-text nests-its-answer nests-its-answer-almost-too-deep",
    "forged answers": "forges-a-shape forges-an-infinite-size forges-frames-without-bytes forges-what-it-is"
    " forges-odd-types forges-an-exception nests-what-it-is answers-nothing-in-particular",
    "slow, full or shut channel": "announces-and-sends-nothing answers-one-byte-a-second answers-100000-times"
    " closes-all-descriptors sends-descriptors fills-the-channel-and-waits talks-over-the-channel-beside-its-answers",
    "endings": "exits-at-import exits-in-forward raises-system-exit raises-keyboard-interrupt crashes-while-loading"
    " aborts-in-forward kills-itself recurses-without-end overflows-the-stack",
    "lying tensors": "lies-about-its-shape answers-through-torch-function poses-as-a-tensor writes-into-its-answer",
    "lying attributes": "changes-its-attributes declares-odd-attributes declares-an-enormous-rate"
    " declares-a-tiny-rate declares-a-long-representation declares-attributes-that-raise",
    "lying answers": "caches-answers answers-at-random answers-nan detects-the-checker fails-on-a-later-call"
    " answers-the-largest-numbers",
    "patched interpreter": "patches-torch patches-torch-to-flatter patches-builtins patches-json patches-sockets"
    " patches-its-host hooks-imports traces-its-host empties-the-module-table",
    "odd tensors": "returns-a-meta-tensor returns-a-sparse-tensor returns-complex-numbers returns-a-quantised-tensor"
    " returns-a-tensor-with-gradient returns-an-expanded-tensor returns-a-named-tensor returns-a-nested-tensor"
    " returns-a-negative-view",
    "sources": "source-is-not-utf-8 source-holds-nul-bytes source-is-nested-deeply source-is-a-long-sum"
    " source-is-enormous source-in-a-slow-encoding",
    "kernel": "attaches-a-debugger opens-an-io-uring makes-a-user-namespace makes-a-device-node opens-kernel-settings"
    " opens-its-control-group mounts-a-file-system keeps-secrets-in-the-keyring reaches-the-hypervisor"
    " changes-its-personality asks-for-kernel-tools becomes-root types-into-the-terminal"
    " uses-other-system-call-tables",
    "own files": "brings-its-own-torch brings-its-own-torch-compiled brings-start-up-hooks brings-an-aecc-toml"
    " unpickles-a-payload",
}
"""Every class of attack that the boxes are built against, and the specimens that show it."""


@dataclass(frozen=True)
class Bait:
    """What attacks reach for, and how to see whether they did.

    Attributes:
        base: a folder that every user may read; `canary` in it is the attacks' aim, `temporary` the checker's.
        secret: what must not show in any report.
        tcp, udp, unix: sockets on which nothing may arrive.
        marker: what processes left behind are called.
    """

    base: Path
    secret: str
    tcp: socket.socket
    udp: socket.socket
    unix: tuple[socket.socket, ...]
    marker: str

    @property
    def canary(self) -> Path:
        """The folder that nothing may change."""
        return self.base / "canary"

    @property
    def temporary(self) -> Path:
        """Where the checker keeps its temporary files."""
        return self.base / "temporary"

    def aims(self) -> str:
        """The module `aim` of a submission."""
        values = {
            "FOLDER": str(self.canary),
            "PREFIX": PREFIX,
            "TCP_PORT": self.tcp.getsockname()[1],
            "UDP_PORT": self.udp.getsockname()[1],
            "ABSTRACT": self.marker,
            "MARKER": self.marker,
        }
        return "".join(f"{name} = {value!r}\n" for name, value in values.items())

    def state(self) -> list[tuple[object, ...]]:
        """Everything about the canary folder that an attack could change, times of reading left out."""
        found: list[tuple[object, ...]] = []
        for path in sorted(self.canary.rglob("*")):
            about = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(about.st_mode) else b""
            found.append(
                (path, about.st_mode, about.st_uid, about.st_nlink, about.st_mtime_ns, about.st_ctime_ns, content)
            )
        return found

    def arrivals(self) -> list[str]:
        """What reached one of the sockets since the last look."""
        arrived = []
        for server in (self.tcp, *self.unix):
            with contextlib.suppress(BlockingIOError):
                server.accept()[0].close()
                arrived.append(str(server.getsockname()))
        with contextlib.suppress(BlockingIOError):
            arrived.append(str(self.udp.recv(100)))
        return arrived

    def survivors(self) -> list[str]:
        """Living processes that carry the marker or have our folder in their command line."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                command = " ".join(process.cmdline())
                ours = self.marker in command or str(self.temporary) in command
                if ours and process.pid != os.getpid() and is_alive(process):
                    found.append(command)
        return found


@pytest.fixture(scope="module")
def bait() -> Iterator[Bait]:
    base = Path(tempfile.mkdtemp(prefix="aecc-hostile-", dir="/var/tmp"))
    base.chmod(0o755)
    secret = PREFIX + secrets.token_hex(16)
    marker = f"aecc-hostile-{secrets.token_hex(8)}"
    for path in (
        "secret",
        "home/.ssh/id_rsa",
        "home/.ssh/id_ed25519",
        "home/.ssh/config",
        "home/.cache/huggingface/token",
    ):
        file = base / "canary" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(secret)
    for folder in (base / "canary", base / "temporary"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)  # the box's walls are tested, not the files' own modes
    (base / "canary" / "secret").chmod(0o666)
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        unix = tuple(stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(3))
        for server, address in zip(
            unix,
            (str(base / "canary" / "agent.sock"), str(base / "canary" / "docker.sock"), "\0" + marker),
            strict=True,
        ):
            server.bind(address)
            server.listen()
        for name in ("agent.sock", "docker.sock"):
            (base / "canary" / name).chmod(0o777)
        for server in (tcp, udp, *unix):
            server.setblocking(False)
        yield Bait(base, secret, tcp, udp, unix, marker)
    shutil.rmtree(base)


WHATEVER_THE_BOX = (
    "exceptions",
    "garbage on the channel",
    "forged answers",
    "lying tensors",
    "lying attributes",
    "lying answers",
    "patched interpreter",
    "odd tensors",
    "sources",
    "time",
    "output",
    "endings",
)
"""Classes that no wall of a box has to do with: they are tried in one, the strongest. Clocks, drains and exit statuses
are the checker's own in every box; `sandbox/test_boxes.py` tries each in all."""


def expectation(name: str, tier: str = "", *, counted: bool = True) -> dict[str, Any]:
    data = toml.loads((FOLDER / name / "expected.toml").read_text(encoding="utf-8"))
    differs = [data.get(tier), None if counted else data.get("uncounted")]
    found = {"notes": [], "until": "load", "seconds": 60, "timeout_s": 60.0, "limits": {}, **data}
    for table in differs:
        found |= table if isinstance(table, dict) else {}
    return found


def submission(name: str, bait: Bait) -> Path:
    """A copy of a specimen with its aims, readable for every user."""
    folder = bait.base / "submission"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(FOLDER / name, folder, ignore=shutil.ignore_patterns("__pycache__", "make.py", "expected.toml"))
    (folder / "aim.py").write_text(bait.aims())
    make = FOLDER / name / "make.py"
    if make.exists():
        build: Callable[[Path], None] = runpy.run_path(str(make))["make"]
        build(folder)
    return dress(folder)


def expected_here(name: str, tier: str) -> dict[str, Any]:
    """What is expected in a box that this machine has; skips the test if it has none."""
    try:
        _, isolation = choose_box(tier, trust=tier == "weak")
    except (MachineError, UsageError) as error:
        pytest.skip(str(error))
    return expectation(name, isolation.tier, counted=isolation.memory.startswith("counted"))


def checked(
    name: str, tier: str, expected: dict[str, Any], bait: Bait, monkeypatch: pytest.MonkeyPatch
) -> tuple[Report, float]:
    monkeypatch.setattr(tempfile, "tempdir", str(bait.temporary))
    for variable in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, bait.secret)
    options = Options(
        profile=changed_profile(bait.base, **{**BRIEF, **LIMITS, **expected["limits"]}),
        stages=STAGES[: STAGES.index(expected["until"]) + 1],
        box=tier,
        trust=tier == "weak",
        device="cpu",
        timeout_s=float(expected["timeout_s"]),
    )
    path = submission(name, bait)
    start = time.monotonic()
    report = check_submission(path, options)
    return report, time.monotonic() - start


ONCE = {name for one in WHATEVER_THE_BOX for name in CLASSES[one].split()}
CASES = [
    pytest.param(name, tier, id=f"{tier}-{name}")
    for tier in ("auto", "strong", "medium", "weak")
    for name in SPECIMENS
    if (tier == "auto") == (name in ONCE) and (tier != "weak" or expectation(name).get("weak"))
]


@pytest.mark.box
@pytest.mark.parametrize(("name", "tier"), CASES)
def test_an_attack_changes_nothing_and_is_judged_for_what_it_is(
    name: str, tier: str, bait: Bait, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = expected_here(name, tier)
    before, relatives = bait.state(), set(psutil.Process().children(recursive=True))
    report, seconds = checked(name, tier, expected, bait, monkeypatch)

    roots = [finding for finding in report.findings if not finding.because_of]
    found = [finding.id for finding in roots if finding.severity is not Severity.NOTE]
    notes = {finding.id for finding in report.findings if finding.severity is Severity.NOTE}
    shown = to_json.render(report)
    said = json.loads(shown)
    assert (report.verdict.value, found) == (expected["verdict"], expected["findings"]), shown
    assert set(expected["notes"]) <= notes, shown
    assert bait.secret not in shown
    assert not RAW_CONTROLS.intersection(text_of(said)), "terminal controls in the report"
    assert not RAW_CONTROLS.intersection(as_text(report).replace("\n", "")), "terminal controls in the report"
    assert bait.state() == before, "the canary was touched"
    assert bait.arrivals() == []
    assert [p for p in set(psutil.Process().children(recursive=True)) - relatives if is_alive(p)] == []
    assert bait.survivors() == []
    assert list(bait.temporary.iterdir()) == []
    assert seconds < expected["seconds"]


def as_text(report: Report) -> str:
    file = io.StringIO()
    to_text.render(report, Console(file=file, width=120, color_system=None))
    return file.getvalue()


def test_every_class_of_attack_has_specimens_and_every_specimen_a_class() -> None:
    listed = [name for names in CLASSES.values() for name in names.split()]
    assert sorted(listed) == SPECIMENS


def test_only_checks_that_exist_are_expected() -> None:
    known = {check.id for check in all_checks()}
    for name in SPECIMENS:
        for tier in ("strong", "medium", "weak", "uncounted"):
            expected = expectation(name, tier)
            assert {*expected["findings"], *expected["notes"]} <= known, name


def text_of(value: object) -> str:
    """All text in JSON data, line breaks left out."""
    if isinstance(value, dict):
        return "".join(text_of(one) for pair in value.items() for one in pair)
    if isinstance(value, list):
        return "".join(text_of(one) for one in value)
    return value.replace("\n", "").replace("\t", "") if isinstance(value, str) else ""
