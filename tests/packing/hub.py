"""A Hub on the loopback interface that knows some commits, and fails on demand."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"


class LoopbackHub:
    """What it answers.

    Attributes:
        answers: path below `/api/` to a commit or a status.
        asked: the paths that it was asked for, in order.
        tokens: the `Authorization` headers that came along.
        url: where it listens.
    """

    def __init__(self) -> None:
        self.answers: dict[str, str | int] = {}
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.url = ""


@contextmanager
def serving_hub() -> Iterator[LoopbackHub]:
    """A hub in a thread."""
    state = LoopbackHub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/api/")
            state.asked.append(path)
            state.tokens += [self.headers["Authorization"]] if "Authorization" in self.headers else []
            answer = state.answers.get(path, 404)
            status = 200 if isinstance(answer, str) else answer
            kind, _, repository = path.partition("/")
            body = json.dumps({"id": repository, "sha": answer} if kind else {}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
