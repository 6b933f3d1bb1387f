"""A small Hugging Face Hub on the loopback: it answers what clients ask as the true one does, and remembers it."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import socketserver
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

LFS_BYTES = 10_000
"""Files of at least so many bytes are kept elsewhere, and are redirected to."""
PIECE_BYTES = 1 << 20


@dataclass
class Repository:
    """Commits, oldest first, and what names stand for them.

    Attributes:
        wall: `private` or `gated`, empty if open to all.
    """

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    wall: str = ""


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Does not look up its own name."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]  # typeshed allows bytes

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of the tests."""


class Hub:
    """A context manager; start it, `add` repositories, and set `HF_ENDPOINT` (or `Policy.upstream`) to `url`.

    Args:
        lfs_bytes: files of at least so many bytes are redirected to a second server (the "CDN").
    """

    def __init__(self, lfs_bytes: int = LFS_BYTES) -> None:
        self.lfs_bytes = lfs_bytes
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.renamed: dict[str, str] = {}
        self.asked: list[Asked] = []
        self.damaged = False
        """Send other bytes than those that were announced."""
        self._servers = [_serve(_HubHandler, self), _serve(_StorageHandler, self)]
        self.url, self.storage = (f"http://127.0.0.1:{server.server_port}" for server in self._servers)

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Answer nobody any more. Safe to call twice."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def add(self, name: str, files: Mapping[str, bytes], *, kind: str = "model", wall: str = "") -> str:
        """Make a commit of these files, which `main` then stands for; returns its 40 digits."""
        repository = self.repositories.setdefault((kind, name), Repository())
        digest = hashlib.sha1(f"{kind} {name} {len(repository.commits)}".encode(), usedforsecurity=False)
        for path, content in sorted(files.items()):
            digest.update(path.encode() + b"\0" + content)
        commit = digest.hexdigest()
        repository.commits[commit] = dict(files)
        repository.names["main"] = commit
        repository.wall = wall
        return commit

    def tag(self, name: str, tag: str, commit: str, *, kind: str = "model") -> None:
        """Let a name stand for a commit."""
        self.repositories[kind, name].names[tag] = commit

    def count(self, method: str, part: str = "") -> int:
        """How many requests of a method had this in their path."""
        return sum(one.method == method and part in one.path for one in self.asked)

    def content(self, digest: str) -> bytes | None:
        """Of a large file, by its sha256."""
        for repository in self.repositories.values():
            for files in repository.commits.values():
                for content in files.values():
                    if len(content) >= self.lfs_bytes and hashlib.sha256(content).hexdigest() == digest:
                        return content
        return None


def etag_of(content: bytes, *, large: bool) -> str:
    """As the Hub gives it: sha256 of a large file, git's blob hash of any other."""
    if large:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _serve(handler: type[_Handler], hub: Hub) -> Server:
    server = Server(("127.0.0.1", 0), type(handler.__name__, (handler,), {"hub": hub}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.hub.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
        self.body = body
        self.answer()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - the standard library's names

    def answer(self) -> None:
        raise NotImplementedError

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_json(self, value: object) -> None:
        self.send(200, json.dumps(value).encode(), Content_Type="application/json; charset=utf-8")

    def send_content(self, content: bytes, **headers: str) -> None:
        """A file, or the part of it that was asked for."""
        if self.headers.get("If-None-Match") == headers.get("ETag"):
            self.send(304, b"", **headers)
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        status, first, last = 200, 0, len(content) - 1
        if asked:
            status, first, last = 206, int(asked[1]), min(last, int(asked[2] or last))
            if first > last:
                self.send(416, Content_Range=f"bytes */{len(content)}")
                return
            headers["Content_Range"] = f"bytes {first}-{last}/{len(content)}"
        if getattr(getattr(self, "hub", None), "damaged", False):
            content = bytes(len(content))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if self.command == "HEAD":
            return
        view = memoryview(content)[first : last + 1]
        for start in range(0, len(view), PIECE_BYTES):
            self.wfile.write(view[start : start + PIECE_BYTES])


class _StorageHandler(_Handler):
    """The second host: large files by their sha256, signed addresses, an entity tag of its own."""

    def answer(self) -> None:
        digest = urlsplit(self.path).path.removeprefix("/lfs/")
        content = self.hub.content(digest)
        if content is None or "Signature=" not in self.path:
            self.send(403, b"AccessDenied")
            return
        self.send_content(content, ETag=f'"{digest[:32]}-1"', Content_Type="binary/octet-stream")


class _HubHandler(_Handler):
    """The first host."""

    def answer(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/api/resolve-cache/"):
            kind, owner, name, commit, *rest = path.removeprefix("/api/resolve-cache/").split("/")
            self.file(kind.removesuffix("s"), f"{owner}/{name}", commit, unquote("/".join(rest)), cached=True)
            return
        found = re.fullmatch(r"(/datasets|/spaces)?/([^/]+(?:/[^/]+)?)/resolve/([^/]+)/(.+)", path)
        if found:
            kind = (found[1] or "/models")[1:-1]
            self.file(kind, found[2], unquote(found[3]), unquote(found[4]))
            return
        found = re.fullmatch(
            r"/api/(model|dataset|space)s/([^/]+/[^/]+?)(?:/(revision|tree|paths-info)/([^/]+)(/.*)?)?", path
        )
        if found:
            self.api(found[1], found[2], found[3] or "revision", unquote(found[4] or "main"), unquote(found[5] or ""))
            return
        self.send(404, b"Sorry, we can't find the page you are looking for.")

    def found(self, kind: str, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit and its files; None if the answer was given already."""
        if name in self.hub.renamed:
            self.send(307, Location=self.path.replace(name, self.hub.renamed[name], 1))
            return None
        repository = self.hub.repositories.get((kind, name))
        if repository is None or repository.wall == "private":
            self.fail(401, "RepoNotFound", "Invalid username or password.")
            return None
        commit = repository.names.get(revision, revision)
        if commit not in repository.commits:
            self.fail(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return None
        return commit, repository.commits[commit]

    def fail(self, status: int, code: str, message: str, commit: str = "") -> None:
        known = {"X-Repo-Commit": commit} if commit else {}
        self.send(status, message.encode(), **{"X-Error-Code": code, "X-Error-Message": message, **known})

    def file(self, kind: str, name: str, revision: str, path: str, *, cached: bool = False) -> None:
        known = self.found(kind, name, revision)
        if known is None:
            return
        commit, files = known
        if self.hub.repositories[kind, name].wall == "gated":
            self.fail(403, "GatedRepo", f"Access to {kind} {name} is restricted.", commit)
            return
        content = files.get(path)
        if content is None:
            self.fail(404, "EntryNotFound", "Entry not found", commit)
            return
        large = len(content) >= self.hub.lfs_bytes
        etag = etag_of(content, large=large)
        if large:
            self.send(
                302,
                f"Found. Redirecting to {self.hub.storage}".encode(),
                Location=f"{self.hub.storage}/lfs/{etag}?Expires=1&Signature=abc~def",
                X_Repo_Commit=commit,
                X_Linked_Etag=f'"{etag}"',
                X_Linked_Size=str(len(content)),
                X_Xet_Hash=hashlib.sha256(etag.encode()).hexdigest(),
                Link=f'<https://huggingface.co/api/{kind}s/{name}/xet-read-token/{commit}>; rel="xet-auth", '
                f'<https://cas-server.xethub.hf.co/v1/reconstructions/{etag}>; rel="xet-reconstruction-info"',
            )
        elif cached:
            self.send_content(content, X_Repo_Commit=commit, ETag=f'"{etag}"', Content_Type="text/plain; charset=utf-8")
        else:
            where = f"/api/resolve-cache/{kind}s/{name}/{commit}/{quote(path)}?etag=%22{etag}%22"
            self.send(
                307,
                f"Temporary Redirect. Redirecting to {where}".encode(),
                Location=where,
                X_Repo_Commit=commit,
                X_Linked_Etag=f'"{etag}"',
                X_Linked_Size=str(len(content)),
            )

    def api(self, kind: str, name: str, what: str, revision: str, folder: str) -> None:
        known = self.found(kind, name, revision)
        if known is None:
            return
        commit, files = known
        if what == "revision":
            siblings = [{"rfilename": path} for path in files]
            self.send_json({"id": name, "sha": commit, "siblings": siblings, "tags": [], "downloads": 0, "likes": 0})
            return
        entries = [self.entry(path, content) for path, content in sorted(files.items())]
        if what == "paths-info":
            wanted = parse_qs(self.body.decode()).get("paths", [])
            self.send_json([one for one in entries if one["path"] in wanted])
            return
        self.tree([one for one in entries if str(one["path"]).startswith(folder.lstrip("/"))])

    def tree(self, entries: list[dict[str, object]], page: int = 3) -> None:
        """Three entries at a time, with a link to the next ones that names the Hub itself."""
        asked = urlsplit(self.path)
        start = int(parse_qs(asked.query).get("cursor", ["0"])[0])
        body = json.dumps(entries[start : start + page]).encode()
        more = {"Link": f'<{self.hub.url}{asked.path}?recursive=true&cursor={start + page}>; rel="next"'}
        headers = {"Content-Type": "application/json"} | (more if start + page < len(entries) else {})
        self.send(200, body, **headers)

    def entry(self, path: str, content: bytes) -> dict[str, object]:
        entry: dict[str, object] = {"type": "file", "path": path, "size": len(content)}
        if len(content) < self.hub.lfs_bytes:
            return entry | {"oid": etag_of(content, large=False)}
        digest = etag_of(content, large=True)
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n".encode()
        lfs = {"oid": digest, "size": len(content), "pointerSize": len(pointer)}
        return entry | {"oid": etag_of(pointer, large=False), "lfs": lfs}
