"""A host of files over TLS, and over plain HTTP, on the loopback, with a certificate of its own."""

from __future__ import annotations

import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

from tests.network.hub import Server, _Handler

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class FileHost:
    """A context manager that serves `files` under every name of `names`.

    Args:
        folder: for the certificate; `roots` is what clients have to trust.
        files: path with its first `/` -> content; a text is the address to redirect to.
        names: of hosts that the certificate is for.
    """

    def __init__(self, folder: Path, files: Mapping[str, bytes | str], names: tuple[str, ...]) -> None:
        self.files = dict(files)
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []
        self.roots, key = folder / "roots.pem", folder / "key.pem"
        make_certificate(self.roots, key, names)
        handler = type("_FileHandler", (_FileHandler,), {"host": self})
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.roots, key)
        self._tls, self._plain = Server(("127.0.0.1", 0), handler), Server(("127.0.0.1", 0), handler)
        self._tls.socket = context.wrap_socket(self._tls.socket, server_side=True, do_handshake_on_connect=False)
        self.tls_port, self.plain_port = self._tls.server_port, self._plain.server_port
        for server in (self._tls, self._plain):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self) -> FileHost:
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._tls, self._plain):
            server.shutdown()
            server.server_close()


def make_certificate(certificate: Path, key: Path, names: tuple[str, ...]) -> None:
    """Signed by itself, so that it is also the root to trust."""
    alternatives = ",".join(f"DNS:{name}" for name in names)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={alternatives}",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip


class _FileHandler(_Handler):
    host: FileHost

    def do_GET(self) -> None:
        self.host.asked.append((self.command, self.path, dict(self.headers.items())))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = self.host.files.get(self.path.partition("?")[0])
        if isinstance(content, str):
            self.send(302, b"", Location=content)
        elif content is None:
            self.send(404, b"not here")
        else:
            self.send_content(content, ETag='"abc"', Content_Type="application/octet-stream")

    do_HEAD = do_POST = do_GET  # noqa: N815 - the standard library's names
