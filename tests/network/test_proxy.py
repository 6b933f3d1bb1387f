"""Real clients through the proxy, and connections of their own."""

from __future__ import annotations

import hashlib
import socket
import ssl
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evidence.network import LookUp, Moment, Way
from audio_encoder_checker.network.faults import FaultKind, Faults
from audio_encoder_checker.network.policy import Policy
from tests.network.files import FileHost
from tests.network.queries import address_in, query
from tests.network.rig import Rig, heard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 2_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAMES = ("files.example", "cdn.example")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileHost]:
    files: dict[str, bytes | str] = {"/weights.pt": CONTENT, "/moved": "https://cdn.example/weights.pt"}
    with FileHost(tmp_path_factory.mktemp("host"), files, NAMES) as host:
        yield host


def tls(host: FileHost, *hosts: str) -> Policy:
    """Hosts over TLS."""
    return Policy(hosts, dial=dict.fromkeys(NAMES, ("127.0.0.1", host.tls_port)))


def plain(host: FileHost) -> Policy:
    return Policy(NAMES, dial=dict.fromkeys(NAMES, ("127.0.0.1", host.plain_port)))


CLIENTS = {
    "urllib": "import urllib.request as u; data = u.urlopen('https://files.example/moved').read()",
    "requests": "import requests; data = requests.get('https://files.example/moved').content",
    "torch": (
        "import torch, hashlib\n"
        "torch.hub.download_url_to_file('https://files.example/moved', 'w.pt', progress=False)\n"
        "data = open('w.pt', 'rb').read()"
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_clients_get_their_file_through_a_tunnel(host: FileHost, tmp_path: Path, client: str) -> None:
    with Rig(tmp_path, tls(host, *NAMES)) as rig:
        code = CLIENTS[client] + "\nimport hashlib; print(hashlib.sha256(data).hexdigest())"
        assert rig.python(code, host.roots).strip() == DIGEST
    first, second = rig.facts.transfers
    assert (first.way, first.host, first.method, first.port, first.status) == (Way.PROXY, NAMES[0], "CONNECT", 443, 200)
    assert (second.host, second.whole, second.refused) == (NAMES[1], True, "")
    assert second.received_bytes > len(CONTENT)
    assert second.sent_bytes > 100


def test_curl_goes_on_with_a_part(host: FileHost, tmp_path: Path) -> None:
    (tmp_path / "got").write_bytes(CONTENT[:1000])
    with Rig(tmp_path, tls(host, "*.example")) as rig:
        done = rig.run("curl", "-sSL", "-C", "-", "-o", "got", "https://files.example/weights.pt", roots=host.roots)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "got").read_bytes() == CONTENT
    assert 0 < rig.facts.transfers[0].received_bytes - len(CONTENT) + 1000 < 5000


def test_an_undeclared_host_is_refused_with_the_line_that_mends_it(host: FileHost, tmp_path: Path) -> None:
    with Rig(tmp_path, tls(host, NAMES[1])) as rig:
        answer = rig.speak(b"CONNECT files.example:443 HTTP/1.1\r\nHost: files.example:443\r\n\r\n")
        done = rig.run("curl", "-sS", "https://files.example/weights.pt", roots=host.roots)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b'declare the host in aecc.toml: [network] hosts = ["files.example"]' in answer
    assert "403" in done.stderr
    assert {one.refused for one in rig.facts.transfers} == {"files.example is not a declared host"}


def test_plain_http_is_seen_in_full(host: FileHost, tmp_path: Path) -> None:
    with Rig(tmp_path, plain(host)) as rig:
        code = "import urllib.request as u; print(len(u.urlopen('http://files.example/weights.pt?a=b').read()))"
        assert rig.python(code).strip() == str(len(CONTENT))
    (seen,) = rig.facts.transfers
    assert (seen.method, seen.host, seen.port, seen.path) == ("GET", "files.example", 80, "/weights.pt")
    assert (seen.status, seen.sha256, seen.whole, seen.etag) == (200, DIGEST, True, "abc")


def test_a_tunnel_that_asks_for_another_host_inside_is_refused(host: FileHost, tmp_path: Path) -> None:
    with Rig(tmp_path, tls(host, *NAMES)) as rig, socket.create_connection(("127.0.0.1", rig.proxy_port)) as client:
        client.sendall(b"CONNECT files.example:443 HTTP/1.1\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        with pytest.raises((ssl.SSLError, OSError)):
            trusting(host).wrap_socket(client, server_hostname="cdn.example")
    (seen,) = rig.facts.transfers
    assert seen.refused == "an encrypted connection is not what it says: it names another host inside, cdn.example"
    assert seen.sent_bytes == 0


def test_a_tunnel_is_for_tls_only(host: FileHost, tmp_path: Path) -> None:
    with Rig(tmp_path, tls(host, *NAMES)) as rig:
        rig.speak(b"CONNECT files.example:443 HTTP/1.1\r\n\r\nGET /weights.pt HTTP/1.1\r\n\r\n")
    assert rig.facts.transfers[0].refused == "an encrypted connection is not what it says: it is not TLS"


def test_a_direct_connection_leads_to_the_name_that_was_looked_up(host: FileHost, tmp_path: Path) -> None:
    with Rig(tmp_path, tls(host, *NAMES)) as rig:
        rig.channel.ledger.at = Moment("load", "")
        address = address_in(rig.ask(query("Files.Example.")))
        bare = socket.create_connection((address, rig.tls_port))
        with trusting(host).wrap_socket(bare, server_hostname="files.example") as client:
            client.sendall(b"GET /weights.pt HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert heard(client).endswith(CONTENT)
    (seen,) = rig.facts.transfers
    assert (seen.way, seen.host, seen.port, seen.method) == (Way.DIRECT, "files.example", 443, "TLS")
    assert seen.at == Moment("load", "")
    assert (seen.whole, seen.refused) == (True, "")
    assert rig.facts.look_ups == (LookUp(Moment("load", ""), "Files.Example", True),)


def test_a_direct_plain_connection_has_to_name_its_host(host: FileHost, tmp_path: Path) -> None:
    with Rig(tmp_path, plain(host)) as rig:
        address = address_in(rig.ask(query("files.example")))
        answers = []
        for name in ("files.example", "cdn.example"):
            with socket.create_connection((address, rig.plain_port)) as client:
                client.sendall(f"GET /weights.pt HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
                answers.append(heard(client))
    assert answers[0].endswith(CONTENT)
    assert answers[1].startswith(b"HTTP/1.1 403 ")
    good, bad = rig.facts.transfers
    assert (good.way, good.host, good.sha256) == (Way.DIRECT, "files.example", DIGEST)
    assert bad.refused == "the request names another host than its connection leads to"


def test_an_address_that_stands_in_the_code_is_refused(host: FileHost, tmp_path: Path) -> None:
    with Rig(tmp_path, tls(host, *NAMES)) as rig:
        with socket.create_connection(("127.9.9.9", rig.tls_port)) as client:
            assert heard(client) == b""
        rig.speak(b"CONNECT 93.184.216.34:443 HTTP/1.1\r\n\r\n")
    assert [(one.host, one.refused) for one in rig.facts.transfers] == [
        ("127.9.9.9", "a hard-coded address"),
        ("93.184.216.34", "a hard-coded address"),
    ]


def test_a_tunnel_is_cut_once(host: FileHost, tmp_path: Path) -> None:
    with Rig(tmp_path, tls(host, *NAMES), faults=Faults(FaultKind.CUT, 1)) as rig:
        command = ("curl", "-sS", "-o", "got", "https://files.example/weights.pt")
        assert rig.run(*command, roots=host.roots).returncode != 0
        assert rig.run(*command, roots=host.roots).returncode == 0
    assert (tmp_path / "got").read_bytes() == CONTENT
    first, second = rig.facts.transfers
    assert (first.fault, first.whole) == (FaultKind.CUT.value, False)
    assert first.received_bytes < len(CONTENT)
    assert (second.fault, second.whole) == ("", True)


def test_a_wrong_certificate_is_the_clients_to_see(host: FileHost, tmp_path: Path) -> None:
    with Rig(tmp_path, tls(host, *NAMES)) as rig:
        done = rig.run(sys.executable, "-c", "import urllib.request as u; u.urlopen('https://files.example/')")
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


def trusting(host: FileHost) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(host.roots))
