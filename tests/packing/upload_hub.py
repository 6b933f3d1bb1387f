"""A Hub on the loopback that takes uploads as the true one does: small files in the commit, large ones by LFS."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.network.hub import Hub, Repository, _Handler, _HubHandler, _StorageHandler, etag_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

ATTRIBUTES = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
"""What a new repository holds."""
CUT = 0
"""In place of a status: the connection ends without an answer."""


@dataclass
class Fault:
    """What goes wrong with the next requests of a method that have this in their path."""

    method: str
    part: str
    status: int
    times: int = 1
    after: bool = False
    """Do what was asked first, then fail to say so."""


@dataclass
class Account:
    """Whose token it is, and into which owners' repositories it may write."""

    name: str
    writes: tuple[str, ...] = ()


@dataclass
class Wishes:
    """How the Hub behaves.

    Attributes:
        faults: in order; each is gone when it has happened often enough.
        alter: what is kept of the bytes that came.
        gated: new repositories are.
        seen: called with the path of every request, before it is answered.
    """

    faults: list[Fault] = field(default_factory=list)
    alter: Callable[[bytes], bytes] = bytes
    gated: bool = False
    seen: Callable[[str], None] = lambda _path: None


class UploadHub(Hub):
    """Makes repositories for those who have a token, and commits to them."""

    def __init__(self, lfs_bytes: int = 10_000) -> None:
        super().__init__(lfs_bytes)
        self.accounts: dict[str, Account] = {}
        self.objects: dict[str, bytes] = {}
        self.messages: list[str] = []
        self.wishes = Wishes()
        self.reset()
        for server, handler in zip(self._servers, (UploadHandler, ObjectHandler), strict=True):
            server.RequestHandlerClass = type(handler.__name__, (handler,), {"hub": self})

    def reset(self) -> None:
        """Be as new."""
        for known in (self.repositories, self.asked, self.objects, self.messages):
            known.clear()
        self.accounts = {"hf_writer": Account("team", ("team",)), "hf_reader": Account("guest")}
        self.wishes = Wishes()

    def held(self, name: str, commit: str = "") -> dict[str, bytes]:
        """Files of a commit, or of the last one."""
        repository = self.repositories["model", name]
        return repository.commits[commit or repository.names["main"]]


def point_client_at(hub: UploadHub, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Let huggingface_hub, of whatever release, know this Hub alone; most of what it reads it read when imported."""
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.delenv("HF_OIDC_RESOURCE", raising=False)
    constants = {
        "ENDPOINT": hub.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": hub.url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_TOKEN_PATH": str(home / "token"),
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_DISABLE_TELEMETRY": True,
    }
    for name, value in constants.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value, raising=False)
    monkeypatch.setattr("huggingface_hub.hf_api.ENDPOINT", hub.url, raising=False)


class _Faulty(_Handler):
    """Fails as the test wishes."""

    hub: UploadHub

    def answer(self) -> None:
        self.hub.wishes.seen(self.path)
        fault = next(
            (one for one in self.hub.wishes.faults if self.command == one.method and one.part in self.path), None
        )
        if fault is None:
            super().answer()
            return
        fault.times -= 1
        if not fault.times:
            self.hub.wishes.faults.remove(fault)
        if fault.after:
            self.wfile, wire = _Nowhere(), self.wfile  # type: ignore[assignment]  # it is written to, and no more
            super().answer()
            self.wfile = wire
        if fault.status == CUT:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.send(fault.status, b'{"error":"as the test wishes"}', X_Error_Message="as the test wishes")


class _Nowhere:
    """Takes what is written, and forgets it."""

    def write(self, _data: bytes) -> None:
        """Forget."""

    def flush(self) -> None:
        """Nothing is kept."""


class _Objects(_StorageHandler):
    """Large files, to be put and got."""

    hub: UploadHub

    def answer(self) -> None:
        found = re.fullmatch(r"/upload/([0-9a-f]{64})", urlsplit(self.path).path)
        if self.command != "PUT" or not found:
            super().answer()
            return
        if hashlib.sha256(self.body).hexdigest() != found[1]:
            self.send(400, b"XAmzContentSHA256Mismatch")
            return
        self.hub.objects[found[1]] = self.hub.wishes.alter(self.body)
        self.send(200)


class ObjectHandler(_Faulty, _Objects):
    """The second host."""


class _Uploads(_HubHandler):
    """What writing needs, and reading with a token."""

    hub: UploadHub

    def answer(self) -> None:
        path = urlsplit(self.path).path
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.account = self.hub.accounts.get(token)
        if token and self.account is None:
            self.fail(401, "", "Invalid user token.")
        elif path == "/api/validate-yaml":
            self.send_json({"errors": [], "warnings": []})
        elif path == "/api/repos/create":
            self.create(json.loads(self.body))
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", path):
            if self.may_write(found[1]):
                {"preupload": self.preupload, "commit": self.commit}[found[2]](found[1])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)\.git/info/lfs/objects/(batch|verify)", path):
            if self.may_write(found[1]):
                {"batch": self.batch, "verify": self.verify}[found[2]]()
        else:
            super().answer()

    def may_write(self, name: str) -> bool:
        """Whether the account may; if not, the answer was given."""
        if self.account is None:
            self.fail(401, "", "Invalid username or password.")
        elif name.partition("/")[0] not in self.account.writes:
            self.fail(403, "", f"You don't have the rights to write to {name}")
        elif ("model", name) not in self.hub.repositories:
            self.fail(404, "RepoNotFound", "Repository not found")
        else:
            return True
        return False

    def create(self, wanted: dict[str, Any]) -> None:
        owner = wanted["organization"] or (self.account.name if self.account else "")
        name = f"{owner}/{wanted['name']}"
        if self.account is None:
            self.fail(401, "", "Invalid username or password.")
        elif owner not in self.account.writes:
            self.fail(403, "", f'You don\'t have the rights to create a model under the namespace "{owner}"')
        elif ("model", name) in self.hub.repositories:
            body = {"error": "You already created this model repo", "url": f"{self.hub.url}/{name}"}
            self.send(409, json.dumps(body).encode(), Content_Type="application/json")
        else:
            private = wanted.get("visibility") == "private" or wanted.get("private") is True
            self.hub.add(name, {".gitattributes": ATTRIBUTES}, wall="private" if private else "")
            self.send_json({"url": f"{self.hub.url}/{name}", "name": name})

    def preupload(self, name: str) -> None:
        wanted = json.loads(self.body)
        held = self.hub.held(name)
        ignored = wanted.get("gitIgnore", held.get(".gitignore", b"").decode()).split()
        self.send_json(
            {
                "files": [
                    {
                        "path": file["path"],
                        "uploadMode": "lfs" if self.is_large(file) else "regular",
                        "shouldIgnore": any(file["path"].endswith(end.lstrip("*")) for end in ignored),
                    }
                    | ({"oid": etag_of(content, large=self.is_large(file))} if content is not None else {})
                    for file in wanted["files"]
                    for content in [held.get(file["path"])]
                ]
            }
        )

    def is_large(self, file: dict[str, Any]) -> bool:
        return int(file["size"]) >= self.hub.lfs_bytes

    def batch(self) -> None:
        self.send_json({"transfer": "basic", "objects": [self.action(one) for one in json.loads(self.body)["objects"]]})

    def action(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if wanted["oid"] in self.hub.objects:
            return wanted
        verify = f"{self.hub.url}{self.path.removesuffix('batch')}verify"
        actions = {"upload": {"href": f"{self.hub.storage}/upload/{wanted['oid']}"}, "verify": {"href": verify}}
        return {**wanted, "actions": actions}

    def verify(self) -> None:
        known = json.loads(self.body)["oid"] in self.hub.objects
        self.send(200 if known else 404)

    def commit(self, name: str) -> None:
        files = dict(self.hub.held(name))
        for line in self.body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "header":
                self.hub.messages.append(value["summary"])
            elif item["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            else:
                files[value["path"]] = self.hub.wishes.alter(base64.b64decode(value["content"]))
        commit = self.hub.add(name, files, wall=self.hub.repositories["model", name].wall)
        self.send_json({"success": True, "commitOid": commit, "commitUrl": f"{self.hub.url}/{name}/commit/{commit}"})

    def found(self, kind: str, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        repository = self.hub.repositories.get((kind, name), Repository())
        if self.account is not None and not repository.commits:
            self.fail(404, "RepoNotFound", "Repository not found")
            return None
        commit = repository.names.get(revision, revision)
        is_own = self.account is not None and name.partition("/")[0] in self.account.writes
        if is_own and commit in repository.commits:
            return commit, repository.commits[commit]
        return super().found(kind, name, revision)

    def api(self, kind: str, name: str, what: str, revision: str, folder: str) -> None:
        if what != "revision":
            super().api(kind, name, what, revision, folder)
        elif known := self.found(kind, name, revision):
            private = self.hub.repositories[kind, name].wall == "private"
            facts = {"id": name, "sha": known[0], "private": private, "gated": self.hub.wishes.gated}
            siblings = [{"rfilename": path} for path in known[1]]
            self.send_json({**facts, "siblings": siblings, "tags": [], "downloads": 0, "likes": 0})


class UploadHandler(_Faulty, _Uploads):
    """The first host."""
