"""Networks that are left only through a proxy of their own, as the caller's `HTTPS_PROXY` names it."""

from __future__ import annotations

import base64
import socket
import urllib.request
from urllib.parse import unquote, urlsplit

from audio_encoder_checker.network import limits

ANSWER_BYTES = 16 << 10


class CorporateError(Exception):
    """The proxy does not answer, or does not let us through."""


def through(host: str, port: int, *, tls: bool) -> socket.socket | None:
    """A tunnel to a host through the caller's proxy; None if there is no proxy for it.

    Args:
        host: a name; the proxy looks up its address.
        port: of that host.
        tls: whether the tunnel will be encrypted: it chooses between `HTTPS_PROXY` and `HTTP_PROXY`.

    Raises:
        CorporateError: the proxy refuses, or is not there.
    """
    scheme = "https" if tls or port == 443 else "http"
    address = urllib.request.getproxies().get(scheme, "")
    if not address or urllib.request.proxy_bypass(host):
        return None
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        near = (parts.hostname or "", parts.port or 80)
    except ValueError as error:
        raise CorporateError(f"{scheme.upper()}_PROXY is no address of a proxy") from error
    try:
        connection = socket.create_connection(near, timeout=limits.CONNECT_S)
    except OSError as error:
        raise CorporateError(f"the proxy {near[0]}:{near[1]} of {scheme.upper()}_PROXY does not answer") from error
    try:
        connection.sendall(_question(host, port, parts.username, parts.password))
        answer = _answer(connection)
    except OSError as error:
        connection.close()
        raise CorporateError(f"the proxy {near[0]}:{near[1]} broke off") from error
    if answer[9:12] != b"200":
        connection.close()
        raise CorporateError(f"the proxy {near[0]}:{near[1]} answers {answer[9:12]!r} to a connection to {host}")
    return connection


def _question(host: str, port: int, user: str | None, password: str | None) -> bytes:
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    if user:
        secret = base64.b64encode(f"{unquote(user)}:{unquote(password or '')}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {secret}")
    return "\r\n".join([*lines, "", ""]).encode()


def _answer(connection: socket.socket) -> bytes:
    """Its head, read byte by byte: what follows belongs to the host."""
    answer = b""
    while not answer.endswith(b"\r\n\r\n") and len(answer) < ANSWER_BYTES:
        piece = connection.recv(1)
        if not piece:
            break
        answer += piece
    return answer
