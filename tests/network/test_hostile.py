"""What an encoder with bad intent, or a fuzzer, sends to the doors."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from audio_encoder_checker.network import limits
from audio_encoder_checker.network.dialing import Dialer, TroubleError, is_public
from audio_encoder_checker.network.dns import query_of
from audio_encoder_checker.network.hello import HelloError, server_name
from audio_encoder_checker.network.messages import RequestError, request_of
from audio_encoder_checker.network.policy import Policy, host_name
from tests.network.hub import Hub
from tests.network.queries import query
from tests.network.rig import Rig, heard

if TYPE_CHECKING:
    from pathlib import Path

SMUGGLED = [
    b"POST /api/models/a/b HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    b"POST /api/models/a/b HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/models/a/b HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/models/a/b HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc",
    b"GET /api/models/a/b HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
    b"GET /api/models/a/b HTTP/1.1\r\nX: a\nY: b\r\n\r\n",
    b"GET /api/models/a/b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /api/models/a/b HTTP/2.0\r\n\r\n",
    b"GET /a b HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\r\n\r\n",
    b"PUT /api/models/a/b HTTP/1.1\r\n\r\n",
    b"GET //evil.example/x HTTP/1.1\r\n\r\n",
    b"GET http://evil.example/x HTTP/1.1\r\n\r\n",
]


@pytest.mark.parametrize("data", SMUGGLED)
def test_nothing_ambiguous_reaches_the_hub(tmp_path: Path, data: bytes) -> None:
    with Hub() as hub, Rig(tmp_path, Policy((), hub.url)) as rig:
        answer = rig.speak(data, port=rig.relay_port)
    assert answer.startswith(b"HTTP/1.1 4")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert hub.asked == []
    assert rig.facts.transfers[0].refused


PLACES = [
    b"CONNECT 127.0.0.1:443", b"CONNECT 169.254.169.254:443", b"CONNECT 10.0.0.1:443", b"CONNECT [::1]:443",
    b"CONNECT 2130706433:443", b"CONNECT 0x7f000001:443", b"CONNECT 0177.0.0.1:443", b"CONNECT localhost:443",
    b"CONNECT good.example:22", b"CONNECT good.example:80", b"CONNECT good.example.evil.example:443",
    b"CONNECT evil.example:443@good.example:443", b"CONNECT good.example", b"CONNECT good.example:99999",
    b"GET http://127.0.0.1/", b"GET http://169.254.169.254/latest/meta-data/", b"GET http://good.example:8080/",
    b"GET http://good.example@evil.example/", b"GET http://evil.example#good.example/", b"GET https://good.example/",
    b"GET /", b"OPTIONS *", b"TRACE http://good.example/",
]  # fmt: skip


@pytest.mark.parametrize("line", PLACES)
def test_the_proxy_leads_nowhere_else(tmp_path: Path, line: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0)
        policy = Policy(("good.example",), dial={"good.example": trap.getsockname()})
        with Rig(tmp_path, policy) as rig:
            answer = rig.speak(line + b" HTTP/1.1\r\nHost: good.example\r\n\r\n")
        with pytest.raises(BlockingIOError):
            trap.accept()
    assert answer[9:10] == b"4"
    assert rig.facts.transfers[0].refused


def test_a_host_that_announces_a_length_beyond_numbers_is_passed_on(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nx"
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:

        def serve() -> None:
            with server.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(answer)

        served = pool.submit(serve)
        policy = Policy(("good.example",), dial={"good.example": server.getsockname()})
        with Rig(tmp_path, policy) as rig:
            found = rig.speak(b"GET http://good.example/ HTTP/1.0\r\n\r\n")
        served.result()
    assert found.startswith(b"HTTP/1.1 200 OK\r\n")
    assert found.endswith(b"\r\n\r\nx")


def test_a_declared_name_that_leads_to_this_machine_is_not_followed(tmp_path: Path) -> None:
    with Rig(tmp_path, Policy(("localhost",))) as rig:
        answer = rig.speak(b"CONNECT localhost:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert rig.facts.transfers[0].trouble == "localhost stands for an address of a private network"


def test_only_the_callers_own_hub_may_be_near() -> None:
    with socket.create_server(("127.0.0.1", 0)) as near:
        port = near.getsockname()[1]
        Dialer(Policy((), f"http://127.0.0.1:{port}")).connect("127.0.0.1", port).close()
        with pytest.raises(TroubleError, match="private network"):
            Dialer(Policy(())).connect("127.0.0.1", port)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.1.2.3", "224.0.0.1", "::1",
     "fe80::1%eth0", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "fd00::1", "nonsense"],
)  # fmt: skip
def test_addresses_that_are_nobodys_on_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_addresses_on_the_internet(address: str) -> None:
    assert is_public(address)


def test_endless_headers_end(tmp_path: Path) -> None:
    with Rig(tmp_path) as rig:
        for port in (rig.proxy_port, rig.relay_port):
            answer = rig.speak(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 40_000, port=port)
            assert answer[:12] in {b"HTTP/1.1 431", b""}  # a reset may overtake the answer
    assert [one.status for one in rig.facts.transfers] == [431, 431]


def test_an_unfinished_head_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEAD_S", 0.2)
    with Rig(tmp_path) as rig:
        for port in (rig.proxy_port, rig.relay_port):
            assert rig.speak(b"GET / HTTP/1.1\r\nX:", port=port) == b""


def test_an_unfinished_hello_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEAD_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as host:
        policy = Policy(("good.example",), dial={"good.example": host.getsockname()})
        with Rig(tmp_path, policy) as rig:
            answer = rig.speak(b"CONNECT good.example:443 HTTP/1.1\r\n\r\n\x16\x03\x01")
    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n"
    assert rig.facts.transfers[0].sent_bytes == 0


def test_too_many_connections_leave_the_others_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 20)
    with Rig(tmp_path) as rig:
        crowd = [socket.create_connection(("127.0.0.1", rig.proxy_port), timeout=10) for _ in range(50)]
        assert [heard(one) for one in crowd[20:]] == [b""] * 30
        crowd[0].sendall(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n")
        assert heard(crowd[0]).startswith(b"HTTP/1.1 403 ")
        for one in crowd:
            one.close()
    assert sum(one.refused == "too many connections at once" for one in rig.facts.transfers) == 30


def test_many_connections_do_not_use_up_the_descriptors_of_the_checker(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (150, hard))
        with Rig(tmp_path) as rig, contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection(("127.0.0.1", rig.proxy_port), timeout=10))
            assert rig.speak(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 403 ")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_ledger_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TRANSFERS", 3)
    monkeypatch.setattr(limits, "NAMES", 2)
    with Rig(tmp_path) as rig:
        for number in range(5):
            rig.speak(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n")
            rig.ask(query(f"n{number}.example"))
    assert (len(rig.facts.transfers), len(rig.facts.look_ups), rig.facts.unrecorded) == (3, 2, 5)


def test_text_of_the_box_is_made_printable(tmp_path: Path) -> None:
    with Rig(tmp_path) as rig:
        rig.ask(query("a\x1b[31m\u202e.example"))
        rig.speak(b"CONNECT a\xff\x1b[0m:443 HTTP/1.1\r\n\r\n")
        rig.speak(b"GET http://a.example/" + b"x" * 3000 + b" HTTP/1.1\r\n\r\n")
    texts = [one.name for one in rig.facts.look_ups] + [one.host + one.path for one in rig.facts.transfers]
    assert all(text.isprintable() for text in texts)
    assert max(map(len, texts)) < 1000


def test_garbage_at_every_door(tmp_path: Path) -> None:
    with Rig(tmp_path, Policy((".example",))) as rig:
        for port in (rig.proxy_port, rig.relay_port, rig.tls_port, rig.plain_port):
            for size in (1, 100, 3000):
                rig.speak(os.urandom(size) + b"\r\n\r\n", port=port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for size in (0, 11, 12, 40, 600, 5000):
                client.sendto(os.urandom(size), ("127.0.0.1", rig.dns_port))
        assert rig.ask(query("a.example"))[:2] == b"\x12\x34"


def test_a_body_of_any_size_takes_little_memory(tmp_path: Path) -> None:
    with Hub() as hub:
        hub.add("a/b", {"big": bytes(64 << 20)})
        with Rig(tmp_path, Policy((), hub.url)) as rig:
            target = f"{rig.relay}/a/b/resolve/main/big"
            assert rig.run("curl", "-sS", "-o", "/dev/null", target).returncode == 0
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            assert rig.run("curl", "-sS", "-o", "/dev/null", target).returncode == 0
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 << 10
    assert rig.facts.transfers[-1].received_bytes == 64 << 20


@given(some.binary(max_size=200))
@settings(max_examples=200)
def test_readers_take_anything(data: bytes) -> None:
    for prefix in (b"", b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4", b"\x12\x34\x01\0\0\1\0\0\0\0\0\0"):
        query_of(prefix + data)
        with contextlib.suppress(HelloError):
            server_name(prefix + data)
        with contextlib.suppress(RequestError):
            request_of(prefix + data)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "1.2", "0x7f.1", "a..b", "-a.b", "a_b c", "a" * 64, "a." * 130 + "b", "", "ä.de"]
)
def test_what_is_no_name_of_a_host(text: str) -> None:
    assert host_name(text) == ""
