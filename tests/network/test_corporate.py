"""A machine that reaches hosts only through a proxy of its own."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.network.dialing import Dialer, TroubleError
from audio_encoder_checker.network.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator


class Corporate:
    """Answers every question in one way, and remembers the last."""

    def __init__(self, answer: bytes) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.answer = answer
        self.asked = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.door.accept()
            except OSError:
                return
            with connection:
                self.asked = connection.recv(4096)
                connection.sendall(self.answer)


USER = "me" + ":" + "s%40fe"


@pytest.fixture(params=[b"HTTP/1.1 200 OK\r\n\r\nhello", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b""])
def corporate(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Corporate]:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    proxy = Corporate(request.param)
    port = proxy.door.getsockname()[1]
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://{USER}@127.0.0.1:{port}")
    yield proxy
    proxy.door.close()


def test_hosts_are_asked_through_it(corporate: Corporate) -> None:
    dialer = Dialer(Policy(()))
    if b" 200 " in corporate.answer:
        with dialer.connect("far.example", 443) as connection:
            assert connection.recv(5) == b"hello"
        assert corporate.asked.startswith(b"CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n")
        assert b"Proxy-Authorization: Basic bWU6c0BmZQ==\r\n" in corporate.asked
    else:
        with pytest.raises(TroubleError, match=r"the proxy 127\.0\.0\.1:"):
            dialer.connect("far.example", 443)
