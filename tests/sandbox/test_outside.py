"""Real clients in a real box, against a Hub and a host of files on the loopback of this machine."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.network import NetworkFacts, Way
from audio_encoder_checker.network.policy import Policy
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.sandbox.ask import Session
from audio_encoder_checker.sandbox.box import limits_of
from audio_encoder_checker.sandbox.choose import survey
from audio_encoder_checker.sandbox.outside import Outside
from audio_encoder_checker.sandbox.sweep import remove, subfolder, workspace
from audio_encoder_checker.stages.load import Target, load_encoder
from tests.network.files import FileHost
from tests.network.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audio_encoder_checker.evidence.run import Conduct

pytestmark = pytest.mark.box

WEIGHTS = bytes(range(256)) * 300
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()
HOST = "files.example.org"
HEAD = "import hashlib, json, os, socket, ssl, subprocess, sys, urllib.request\nfrom pathlib import Path\n"
TAIL = "\nraise RuntimeError('said: ' + str(said))\n"


class Bench:
    """A box that can observe, and two servers outside of it."""

    def __init__(self, folder: Path, hub: Hub, files: FileHost) -> None:
        self.folder = folder
        self.hub = hub
        self.files = files
        self.repository = folder / "repository"
        self.repository.mkdir()
        self.repository.chmod(0o755)
        shutil.copy(files.roots, self.repository / "roots.pem")
        (self.repository / "roots.pem").chmod(0o644)
        self.policy = Policy(
            hosts=(HOST,),
            upstream=hub.url,
            dial={f"{HOST}": ("127.0.0.1", files.tls_port)},
            roots=str(files.roots),
        )
        self.home = subfolder(folder)
        self.conduct: Conduct | None = None

    def outside(self, *, cut: bool = False) -> Outside:
        return Outside(self.policy, self.home, cut=cut)

    def said(self, code: str, outside: Outside | None = None) -> str:
        """What a submission learns when it is loaded: it puts it into `said`."""
        (self.repository / "encoder.py").write_text(HEAD + code + TAIL, encoding="utf-8")
        box = next(one.box for one in survey() if one.box and one.box.observes)
        self.used = outside or self.outside()
        rules = load_rules()
        session = Session(box, self.repository, subfolder(self.folder), limits_of(rules), "cpu", outside=self.used)
        with session:
            loaded, _ = load_encoder(session, Target("encoder.py", "encoder"), 120.0)
        self.conduct = session.conduct()
        text = str(loaded.outcome)
        assert "said: " in text, text
        return text.partition("said: ")[2]

    @property
    def facts(self) -> NetworkFacts:
        return self.used.ledger.facts()


@pytest.fixture
def bench() -> Iterator[Bench]:
    if not any(one.box and one.box.observes for one in survey()):
        pytest.skip("no box here can observe a network")
    with workspace() as folder, Hub(lfs_bytes=10_000) as hub:
        inner = subfolder(folder)
        with FileHost(inner, {"/weights.pt": WEIGHTS}, (HOST,)) as files:
            yield Bench(folder, hub, files)


DIGEST_OF_FILE = "said = hashlib.sha256(Path(path).read_bytes()).hexdigest()"
CLIENTS = {
    "urllib": (
        f"context = ssl.create_default_context(cafile='roots.pem')\n"
        f"body = urllib.request.urlopen('https://{HOST}/weights.pt', context=context).read()\n"
        "said = hashlib.sha256(body).hexdigest()"
    ),
    "requests": (
        f"import requests\nbody = requests.get('https://{HOST}/weights.pt', verify='roots.pem').content\n"
        "said = hashlib.sha256(body).hexdigest()"
    ),
    "curl": (
        f"done = subprocess.run(['curl', '-sSf', '--cacert', 'roots.pem', 'https://{HOST}/weights.pt'], "
        "capture_output=True)\nsaid = hashlib.sha256(done.stdout).hexdigest() if not done.returncode else done.stderr"
    ),
    "torch.hub": (
        "os.environ['SSL_CERT_FILE'] = os.path.abspath('roots.pem')\nimport torch\n"
        "path = Path.home() / 'weights.pt'\n"
        f"torch.hub.download_url_to_file('https://{HOST}/weights.pt', str(path), '{DIGEST[:8]}', progress=False)\n"
        f"{DIGEST_OF_FILE}"
    ),
    "a client that knows no proxy": (
        f"context = ssl.create_default_context(cafile='roots.pem')\n"
        f"line = context.wrap_socket(socket.create_connection(('{HOST}', 443)), server_hostname='{HOST}')\n"
        f"line.sendall(b'GET /weights.pt HTTP/1.0\\r\\nHost: {HOST}\\r\\n\\r\\n')\n"
        "answer = b''\nwhile piece := line.recv(65536): answer += piece\n"
        "said = hashlib.sha256(answer.partition(b'\\r\\n\\r\\n')[2]).hexdigest()"
    ),
}


def together(codes: dict[str, str]) -> str:
    """Code that runs others, one after the other, and says what each of them says."""
    return (
        f"all_said = {{}}\nfor name, code in {codes!r}.items():\n    exec(code)\n    all_said[name] = said\n"
        "said = all_said"
    )


def test_clients_get_a_file_from_a_host_that_is_let_through(bench: Bench) -> None:
    clients = {name: code for name, code in CLIENTS.items() if name != "curl" or shutil.which("curl")}
    assert bench.said(together(clients)) == str(dict.fromkeys(clients, DIGEST))
    transfers = [one for one in bench.facts.transfers if one.received_bytes > len(WEIGHTS)]
    for client, transfer in zip(clients, transfers, strict=True):
        assert (transfer.host, transfer.port, transfer.refused) == (HOST, 443, ""), client
        assert (transfer.at.stage, transfer.at.call) == ("load", ""), client
        assert transfer.way is (Way.DIRECT if "proxy" in client else Way.PROXY), client


HUB_CLIENTS = {
    "lab/file": "from huggingface_hub import hf_hub_download\npath = hf_hub_download('lab/file', 'weights.bin')\n",
    "lab/all": (
        "from huggingface_hub import snapshot_download\npath = snapshot_download('lab/all') + '/weights.bin'\n"
    ),
}


def test_the_hubs_own_client_sees_no_difference(bench: Bench) -> None:
    commits = {name: bench.hub.add(name, {"weights.bin": WEIGHTS, "config.json": b"{}"}) for name in HUB_CLIENTS}
    codes = {name: code + DIGEST_OF_FILE for name, code in HUB_CLIENTS.items()}
    assert bench.said(together(codes)) == str(dict.fromkeys(codes, DIGEST))
    for name, files in (("lab/file", {"weights.bin"}), ("lab/all", {"weights.bin", "config.json"})):
        got = {
            one.hub.file: one
            for one in bench.facts.transfers
            if one.method == "GET" and one.hub and one.hub.file and one.hub.repository == name
        }
        assert set(got) == files
        weights = got["weights.bin"]
        assert weights.hub
        assert (weights.hub.commit, weights.sha256) == (commits[name], DIGEST)
        assert (weights.received_bytes, weights.whole, weights.status) == (len(WEIGHTS), True, 200)


def test_a_closed_repository_is_what_it_is_to_everybody(bench: Bench) -> None:
    codes = {}
    for wall in ("private", "gated"):
        bench.hub.add(f"lab/{wall}", {"weights.bin": WEIGHTS}, wall=wall)
        codes[wall] = (
            f"from huggingface_hub import hf_hub_download\ntry:\n    hf_hub_download('lab/{wall}', 'weights.bin')\n"
            "except Exception as error:\n    said = type(error).__name__"
        )
    assert bench.said(together(codes)) == str({"private": "RepositoryNotFoundError", "gated": "GatedRepoError"})
    assert {one.status for one in bench.facts.passed} <= {401, 403}


def test_the_home_folder_and_what_was_cached_there_outlive_the_box_and_nothing_else_does(bench: Bench) -> None:
    bench.hub.add("lab/model", {"weights.bin": WEIGHTS})
    load = "from huggingface_hub import hf_hub_download\npath = hf_hub_download('lab/model', 'weights.bin')\n"
    write = "Path.home().joinpath('kept').write_text('x')\nPath('/tmp/gone').write_text('x')\nsaid = 'written'"
    look = "said = [Path.home().joinpath('kept').exists(), Path('/tmp/gone').exists()]"
    load += DIGEST_OF_FILE
    assert bench.said(together({"load": load, "write": write})) == str({"load": DIGEST, "write": "written"})
    assert sorted(path.name for path in bench.home.iterdir()) == [".cache", "kept"]
    asked = len(bench.hub.asked)
    again = bench.said(together({"load": load, "look": look}), bench.outside(cut=True))
    assert again == str({"load": DIGEST, "look": [True, False]})
    assert len(bench.hub.asked) == asked
    assert bench.facts.transfers == ()


QUERY = b"ab\1\0\0\1\0\0\0\0\0\0\4evil\7example\0\0\1\0\1"


def refused(statement: str) -> str:
    """Code that tells the class of the error of one statement."""
    return f"try:\n    {statement}\n    said = 'reached'\nexcept OSError as error:\n    said = type(error).__name__"


PAST_THE_DOORS = {
    "1.1.1.1:443": "socket.create_connection(('1.1.1.1', 443), timeout=5)",
    "10.0.0.1:8080": "socket.create_connection(('10.0.0.1', 8080), timeout=5)",
    "a raw socket of family IPv4": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "a socket of family packet": "socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)",
    "evil.example": f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto({QUERY!r}, ('8.8.8.8', 53))",
}


def test_ways_past_the_doors_lead_nowhere_and_are_named(bench: Bench) -> None:
    said = bench.said(together({named: refused(statement) for named, statement in PAST_THE_DOORS.items()}))
    ends = ast.literal_eval(said)
    assert set(ends) == set(PAST_THE_DOORS)
    assert set(ends.values()) <= {"OSError", "PermissionError", "TimeoutError"}
    assert bench.conduct
    if bench.conduct.watched:
        assert set(PAST_THE_DOORS) <= {attempt.target for attempt in bench.conduct.attempts}
    assert bench.facts.passed == ()


def test_a_host_that_nobody_declared_is_refused_and_named(bench: Bench) -> None:
    statements = ("urllib.request.urlopen('https://evil.example/x')", "socket.getaddrinfo('evil.example', 443)")
    said = bench.said(together({one: refused(one) for one in statements}))
    assert ast.literal_eval(said) == dict(zip(statements, ("URLError", "gaierror"), strict=True))
    (transfer,) = bench.facts.transfers
    assert (transfer.host, transfer.way) == ("evil.example", Way.PROXY)
    assert transfer.refused
    assert [(one.name, one.known) for one in bench.facts.look_ups] == [("evil.example", False)]


def test_the_hosts_own_addresses_cannot_be_reached_through_the_proxy(bench: Bench) -> None:
    code = (
        "line = socket.create_connection(('127.0.0.1', 3128))\n"
        f"line.sendall(b'GET http://127.0.0.1:{bench.files.plain_port}/weights.pt HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\n"
        "said = line.recv(100).split()[1]"
    )
    assert bench.said(code) == "b'403'"
    assert bench.files.asked == []


def test_the_child_holds_no_right_and_no_door(bench: Bench) -> None:
    code = (
        "status = Path('/proc/self/status').read_text()\n"
        "names = ('CapPrm', 'CapEff', 'CapInh', 'CapAmb')\n"
        "rights = [line.split()[1] for line in status.splitlines() if line.startswith(names)]\n"
        "links = [str(path.readlink()) for path in Path('/proc/self/fd').iterdir() if path.exists()]\n"
        "said = [set(rights), sum('socket' in link for link in links), os.getuid()]"
    )
    assert bench.said(code) == "[{'0000000000000000'}, 1, 0]"


FILLING = "with open(Path.home() / 'large', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 20))\n"


def test_a_machine_whose_disk_is_full_is_at_fault(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio_encoder_checker.sandbox.meter.RESERVE_BYTES", 1 << 60)
    with pytest.raises(MachineError, match="disk is nearly full"):
        bench.said(FILLING)


def test_a_home_folder_that_grows_too_large_ends_the_run(bench: Bench) -> None:
    (bench.repository / "encoder.py").write_text(HEAD + FILLING, encoding="utf-8")
    box = next(one.box for one in survey() if one.box and one.box.observes)
    limits = replace(limits_of(load_rules()), home_bytes=20 << 20)
    with Session(box, bench.repository, subfolder(bench.folder), limits, "cpu", outside=bench.outside()) as session:
        loaded, _ = load_encoder(session, Target("encoder.py", "encoder"), 120.0)
    assert "in the home folder" in loaded.outcome.detail
    remove(bench.home)
    assert not os.path.lexists(bench.home)
