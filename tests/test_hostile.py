"""Hostile submissions, one per attack, in every box that this machine has; what no wall stops in the strongest only.

Each folder `hostile/<what-it-does>` holds an `encoder.py` that is well-behaved but for one attack (or a `make.py` that
writes what no tool that reads Python could bear), and an `expected.toml`:

    verdict, findings   as they must be; findings are the ids of errors and warnings, in order
    notes               ids that must be among the notes
    until               the last stage, `load` unless `contract`
    weak                `true` or a table: run it in the weak box too, which stops nothing
    together            run it with others in the medium and the weak box; what must be among the attempts that are seen
    timeout_s, seconds  of one question; that the whole run may take
    [limits]            numbers of the rule book to replace
    [strong], [medium], [weak]   what differs in that box
    [uncounted]         what differs where no control group counts memory

In the strong box every attack goes on alone. In the others those that have `together` and the same verdict and findings
are one submission, whose encoder constructs theirs one after the other and prints the name of each; what an attack
prints itself is kept back unless it stole something, so that no secret is crowded out of the report.

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
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from rich.console import Console

from audio_encoder_checker import toml
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.run import Conduct
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.render import to_json, to_text
from audio_encoder_checker.sandbox.choose import choose_box
from audio_encoder_checker.sandbox.meter import is_alive
from audio_encoder_checker.stages.order import STAGES
from tests.bait import PREFIX, Bait
from tests.builders import dress
from tests.profiles import BRIEF, changed_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audio_encoder_checker.report import Report

FOLDER = Path(__file__).parent / "hostile"
SPECIMENS = sorted(path.name for path in FOLDER.iterdir() if (path / "expected.toml").exists())
LIMITS = {
    "tasks": 128 + 2 * (os.cpu_count() or 1),  # OpenMP takes one a core
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
    "fill what holds files": "fills-the-disk-with-nameless-files fills-dev-shm"
    " fills-a-memfd fills-the-disk-in-deep-folders fills-the-disk-in-shut-folders hides-its-open-files",
    "reach the network": "connects-by-tcp sends-datagrams connects-to-an-abstract-socket connects-to-a-socket-by-path"
    " connects-to-a-control-socket asks-for-cloud-credentials opens-raw-sockets listens-for-connections"
    " tries-a-thousand-targets asks-the-channel-for-its-owner",
    "download": "downloads-with-urllib downloads-on-the-second-call",
    "daemons": "leaves-a-daemon leaves-stubborn-children hides-its-processes leaves-a-process-with-an-evil-name",
    "use too much": "hoards-memory fills-the-disk makes-20000-files forks-without-end starts-threads-without-end",
    "bombs": "leaves-its-dead-unburied",
    "run programs": "runs-a-shell runs-a-program-it-brings",
    "signals": "kills-everything ignores-signals stops-itself slows-other-processes stops-its-parent",
    "never end": "goes-on-in-a-fork hoards-memory-at-exit",
    "hold up the end": "leaves-a-thread hangs-at-exit floods-at-exit",
    "prctl, priorities, limits": "changes-its-own-controls",
    "memory": "hoards-memory-in-children hoards-shared-memory keeps-shared-segments reserves-address-space",
    "time": "loads-endlessly sleeps-in-forward computes-endlessly burns-processor-time takes-its-time-in-every-call",
    "output": "floods-stdout floods-stderr prints-a-forged-report prints-control-characters prints-what-is-no-text",
    "exceptions": "raises-100-megabytes raises-control-characters raises-what-cannot-be-shown raises-a-knot"
    " raises-what-takes-for-ever-to-show raises-a-false-syntax-error",
    "garbage on the channel": "writes-garbage-to-the-channel declares-an-enormous-header"
    " declares-an-enormous-payload declares-a-payload-that-is-text nests-its-answer nests-its-answer-almost-too-deep",
    "forged answers": "forges-a-shape forges-an-infinite-size forges-frames-without-bytes forges-what-it-is"
    " forges-odd-types forges-an-exception nests-what-it-is answers-nothing-in-particular",
    "slow, full or shut channel": "announces-and-sends-nothing answers-one-byte-a-second answers-100000-times"
    " closes-all-descriptors fills-the-channel-and-waits talks-over-the-channel-beside-its-answers",
    "hand over descriptors": "sends-descriptors",
    "endings": "becomes-another-program exits-at-import exits-in-forward raises-system-exit raises-keyboard-interrupt"
    " crashes-while-loading aborts-in-forward kills-itself recurses-without-end overflows-the-stack",
    "lying tensors": "lies-about-its-shape answers-through-torch-function poses-as-a-tensor writes-into-its-answer",
    "lying attributes": "changes-its-attributes declares-odd-attributes declares-an-enormous-rate"
    " declares-a-tiny-rate declares-a-long-representation declares-attributes-that-raise",
    "lying answers": "caches-answers answers-at-random answers-nan detects-the-checker fails-on-a-later-call"
    " answers-the-largest-numbers returns-an-enormous-embedding",
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
    "own files": "brings-start-up-hooks unpickles-a-payload",
    "own files that the checker reads": "brings-its-own-torch brings-its-own-torch-compiled brings-an-aecc-toml",
}
"""Every class of attack that the boxes are built against, and the specimens that show it."""


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
    "slow, full or shut channel",
    "hold up the end",
    "use too much",
    "own files that the checker reads",
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
"""Classes that no wall of a box has to do with: they are tried in one, the strongest. Clocks, limits, channels, drains
and the end of an interpreter are the checker's own; `sandbox/test_boxes.py` tries limits, clocks and endings in all."""


def expectation(name: str, tier: str = "", *, counted: bool = True) -> dict[str, Any]:
    data = toml.loads((FOLDER / name / "expected.toml").read_text(encoding="utf-8"))
    differs = [data.get(tier), None if counted else data.get("uncounted")]
    found = {"notes": [], "until": "load", "seconds": 60, "timeout_s": 60.0, "limits": {}, **data}
    for table in differs:
        found |= table if isinstance(table, dict) else {}
    return found


def copied(name: str, folder: Path) -> None:
    """A copy of a specimen."""
    shutil.copytree(FOLDER / name, folder, ignore=shutil.ignore_patterns("__pycache__", "make.py", "expected.toml"))
    make = FOLDER / name / "make.py"
    if make.exists():
        build: Callable[[Path], None] = runpy.run_path(str(make))["make"]
        build(folder)


TOGETHER = """
import contextlib
import importlib
import io

import torch
from aim import PREFIX


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        self.attacks = []
        for name in {names!r}:
            with contextlib.redirect_stdout(io.StringIO()) as said:
                self.attacks.append(importlib.import_module(f"{{name}}.encoder").HostileEncoder())
            print("tried", name, said.getvalue() if PREFIX in said.getvalue() else "", flush=True)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
"""


def submission(names: list[str], bait: Bait) -> Path:
    """One specimen, or several together, with their aims, readable for every user."""
    folder = bait.base / "submission"
    shutil.rmtree(folder, ignore_errors=True)
    if len(names) == 1:
        copied(names[0], folder)
    else:
        for name in names:
            copied(name, folder / name)
        (folder / "encoder.py").write_text(TOGETHER.format(names=names))
    (folder / "aim.py").write_text(bait.aims())
    return dress(folder)


def expected_here(names: list[str], tier: str) -> dict[str, Any]:
    """What is expected in a box that this machine has; skips the test if it has none."""
    try:
        _, isolation = choose_box(tier, trust=tier == "weak")
    except (MachineError, UsageError) as error:
        pytest.skip(str(error))
    each = [expectation(name, isolation.tier, counted=isolation.memory.startswith("counted")) for name in names]
    attempts = [target for one in each if len(each) > 1 for target in one["together"]]
    return {**each[0], "notes": sorted({note for one in each for note in one["notes"]}), "attempts": attempts}


def checked(
    names: list[str], tier: str, expected: dict[str, Any], bait: Bait, monkeypatch: pytest.MonkeyPatch
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
    path = submission(names, bait)
    start = time.monotonic()
    report = check_submission(path, options)
    return report, time.monotonic() - start


ONCE = {name for one in WHATEVER_THE_BOX for name in CLASSES[one].split()}

ALIKE = ("verdict", "findings", "until", "timeout_s", "limits")
"""What attacks that are tried together have in common."""


def cases() -> Iterator[object]:
    """Every attack with its box; in the medium and the weak one those together that may be."""
    for tier in ("auto", "strong", "medium", "weak"):
        groups: dict[str, list[str]] = {}
        for name in SPECIMENS:
            expected = expectation(name, tier)
            if (tier == "auto") == (name in ONCE) and (tier != "weak" or expected.get("weak")):
                shared = tier in ("medium", "weak") and "together" in expected
                kind = [expected[key] for key in ALIKE] if shared else name
                groups.setdefault(str(kind), []).append(name)
        for names in groups.values():
            yield pytest.param(names, tier, id=f"{tier}-{names[0]}" + (f"-and-{len(names) - 1}" if names[1:] else ""))


@pytest.mark.box
@pytest.mark.parametrize(("names", "tier"), list(cases()))
def test_an_attack_changes_nothing_and_is_judged_for_what_it_is(
    names: list[str], tier: str, bait: Bait, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = expected_here(names, tier)
    before, relatives = bait.state(), set(psutil.Process().children(recursive=True))
    report, seconds = checked(names, tier, expected, bait, monkeypatch)

    roots = [finding for finding in report.findings if not finding.because_of]
    found = [finding.id for finding in roots if finding.severity is not Severity.NOTE]
    notes = {finding.id for finding in report.findings if finding.severity is Severity.NOTE}
    shown = to_json.render(report)
    said = json.loads(shown)
    assert (report.verdict.value, found) == (expected["verdict"], expected["findings"]), shown
    assert set(expected["notes"]) <= notes, shown
    if len(names) > 1:
        conduct = report.evidence.get(Conduct)
        assert conduct
        assert {f"tried {name}" for name in names} <= set(conduct.output_tail.replace(" \n", "\n").splitlines())
        assert set(expected["attempts"]) <= {attempt.target for attempt in conduct.attempts}, shown
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
