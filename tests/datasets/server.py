"""A record's server on the loopback interface that misbehaves on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server:
    """Files of records by number, and what goes wrong with the next requests of a path.

    Attributes:
        records: number to names to contents.
        faults: path's last part to a queue of faults: a status, `cut`, `damage`, `no-range`.
        requests: every request as (last part of the path, first byte asked for).
        served: bytes of contents that went out.
    """

    def __init__(self) -> None:
        self.records: dict[str, dict[str, bytes]] = {}
        self.faults: dict[str, list[Any]] = {}
        self.requests: list[tuple[str, int]] = []
        self.served = 0
        self.url = ""

    def document(self, number: str) -> Any:
        """What the records' address answers."""
        files = self.records[number]
        return {
            "files": [
                {
                    "key": name,
                    "size": len(content),
                    "checksum": f"md5:{hashlib.md5(content, usedforsecurity=False).hexdigest()}",
                    "links": {"self": f"{self.url}/files/{number}/{name}"},
                }
                for name, content in files.items()
            ]
        }


@contextmanager
def serving() -> Iterator[Server]:
    """A server in a thread."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            parts = self.path.strip("/").split("/")
            asked = self.headers.get("Range", "bytes=0-")
            first = int(asked.removeprefix("bytes=").rstrip("-"))
            state.requests.append((parts[-1], first))
            queue = state.faults.get(parts[-1], [])
            fault = queue.pop(0) if queue else None
            if isinstance(fault, int):
                self.send_response(fault)
                self.send_header("Retry-After", "7")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif parts[:2] == ["api", "records"]:
                body = b"<html>" if fault == "html" else json.dumps(state.document(parts[2])).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            else:
                self.give(state.records[parts[1]][parts[2]], first, fault)

        def give(self, content: bytes, first: int, fault: Any) -> None:
            partial = first > 0 and fault != "no-range"
            body = content[first:] if partial else content
            if fault == "damage":
                body = bytes(len(body))
            self.send_response(206 if partial else 200)
            self.send_header("Content-Length", str(len(body)))
            if partial:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            body = body[: len(body) // 2] if fault == "cut" else body
            state.served += len(body)
            self.wfile.write(body)
            if fault == "cut":
                self.close_connection = True
                self.connection.close()

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
