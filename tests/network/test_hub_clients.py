"""Real clients of the Hub, through the relay."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evidence.network import HubFile, Way
from audio_encoder_checker.network.hub_paths import hub_file
from audio_encoder_checker.network.policy import Policy
from tests.network.hub import Hub
from tests.network.rig import Rig, header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGE = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(9_375))
FILES = {"config.json": b'{"a": 1}', "weights/model.bin": LARGE, "b": b"2", "c": b"3", "d e.txt": b"4"}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


def test_one_file_by_branch(hub: Hub, tmp_path: Path) -> None:
    commit = hub.add("who/what", FILES)
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        code = "import huggingface_hub as h; print(open(h.hf_hub_download('who/what', 'config.json')).read())"
        assert json.loads(rig.python(code)) == {"a": 1}
    seen = rig.transfer("GET", "config.json")
    assert seen.hub == HubFile("who/what", "model", commit, "config.json", commit)
    assert (seen.way, seen.host, seen.status, seen.whole, seen.cached) == (Way.HUB, "127.0.0.1", 200, True, False)
    assert seen.sha256 == hashlib.sha256(FILES["config.json"]).hexdigest()
    first = rig.files[0]
    assert first.method == "HEAD"
    assert first.hub == HubFile("who/what", "model", "main", "config.json", commit)


def test_a_large_file_comes_from_where_the_hub_keeps_it(hub: Hub, tmp_path: Path) -> None:
    commit = hub.add("who/what", FILES)
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        code = (
            "import huggingface_hub as h, hashlib\n"
            f"path = h.hf_hub_download('who/what', 'model.bin', subfolder='weights', revision='{commit}')\n"
            "print(hashlib.sha256(open(path, 'rb').read()).hexdigest(), path)\n"
        )
        digest, path = rig.python(code).split()
    assert digest == hashlib.sha256(LARGE).hexdigest()
    assert f"snapshots/{commit}/weights/model.bin" in path
    seen = rig.transfer("GET", "model.bin")
    assert (seen.sha256, seen.etag, seen.received_bytes, seen.whole) == (digest, digest, len(LARGE), True)
    assert seen.hub == HubFile("who/what", "model", commit, "weights/model.bin", commit)


def test_a_snapshot_of_a_data_set_with_pages_of_its_tree(hub: Hub, tmp_path: Path) -> None:
    hub.add("who/data", FILES, kind="dataset")
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        code = (
            "import huggingface_hub as h, pathlib\n"
            "folder = pathlib.Path(h.snapshot_download('who/data', repo_type='dataset'))\n"
            "print(sorted(str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file()))\n"
            "print(len(h.HfApi().get_paths_info('who/data', ['b', 'c'], repo_type='dataset')))\n"
        )
        listed, count = rig.python(code).splitlines()
    assert listed == str(sorted(FILES))
    assert count == "2"
    assert hub.count("GET", "cursor=3") == 1
    assert rig.transfer("POST").sent_bytes > 0
    kinds = {one.hub.kind for one in rig.facts.transfers if one.hub}
    assert kinds == {"dataset"}


def test_a_renamed_repository_is_followed_by_the_client(hub: Hub, tmp_path: Path) -> None:
    hub.add("new/name", FILES)
    hub.renamed["old/name"] = "new/name"
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        code = "import huggingface_hub as h; print(h.hf_hub_download('old/name', 'weights/model.bin'))"
        assert "old--name" in rig.python(code)
    assert [one.status for one in rig.files][:2] == [307, 200]


@pytest.mark.parametrize(
    ("wall", "asked", "error", "code"),
    [
        ("private", "'b'", "RepositoryNotFoundError", "RepoNotFound"),
        ("gated", "'b'", "GatedRepoError", "GatedRepo"),
        ("", "'nowhere'", "EntryNotFoundError", "EntryNotFound"),
        ("", "'b', revision='v9'", "RevisionNotFoundError", "RevisionNotFound"),
    ],
)
def test_errors_of_the_hub_stay_what_they_are(
    hub: Hub, tmp_path: Path, wall: str, asked: str, error: str, code: str
) -> None:
    hub.add("who/what", FILES, wall=wall)
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        program = (
            "import huggingface_hub as h\nfrom huggingface_hub.utils import *\nfrom huggingface_hub.errors import *\n"
            f"try:\n    h.hf_hub_download('who/what', {asked})\n"
            f"except {error}:\n    print('as expected')\n"
        )
        assert rig.python(program) == "as expected\n"
    last = rig.facts.transfers[-1]
    assert last.hub is not None
    assert last.hub.error == code


def test_a_download_goes_on_where_it_was_cut(hub: Hub, tmp_path: Path) -> None:
    hub.add("who/what", FILES)
    digest = hashlib.sha256(LARGE).hexdigest()
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        code = (
            "import huggingface_hub.file_download as d, io\n"
            f"target = io.BytesIO(); url = '{rig.relay}/who/what/resolve/main/weights/model.bin'\n"
            "import urllib.request as u\n"
            "near = u.urlopen(u.Request(url, headers={'Range': 'bytes=0-99999'})); target.write(near.read())\n"
            f"d.http_get(url, target, resume_size=100000, expected_size={len(LARGE)})\n"
            "import hashlib; print(hashlib.sha256(target.getvalue()).hexdigest())\n"
        )
        assert rig.python(code).strip() == digest
    first, second = (one for one in rig.facts.transfers if one.method == "GET")
    assert (first.status, first.received_bytes, first.sha256) == (206, 100_000, "")
    assert (second.status, second.received_bytes, second.sha256) == (206, 200_000, digest)


def test_a_token_of_the_encoder_is_taken_away(hub: Hub, tmp_path: Path) -> None:
    hub.add("who/what", FILES)
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        rig.python("import huggingface_hub as h; h.hf_hub_download('who/what', 'b', token='hf_secret')")
    assert all("authorization" not in {name.lower() for name in one.headers} for one in hub.asked)
    assert rig.files[0].token


def test_nothing_of_xet_reaches_the_client(hub: Hub, tmp_path: Path) -> None:
    hub.add("who/what", FILES)
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        target = b"HEAD /who/what/resolve/main/weights/model.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = rig.speak(target, port=rig.relay_port)
    fields = header(answer)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert not [name for name in fields if "xet" in name or name == "link"]
    assert fields["content-length"] == fields["x-linked-size"] == str(len(LARGE))
    assert fields["etag"].strip('"') == hashlib.sha256(LARGE).hexdigest()


def test_a_hub_that_is_not_there_is_told(tmp_path: Path) -> None:
    with Hub() as hub:
        url = hub.url
    with Rig(tmp_path, Policy((), url)) as rig:
        answer = rig.speak(b"GET /api/models/a/b HTTP/1.1\r\nConnection: close\r\n\r\n", port=rig.relay_port)
    assert answer.startswith(b"HTTP/1.1 502 ")
    (seen,) = rig.facts.transfers
    assert (seen.status, seen.trouble) == (502, "127.0.0.1: Connection refused")


def test_a_redirect_is_no_file(hub: Hub, tmp_path: Path) -> None:
    commit = hub.add("who/what", FILES)
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        rig.python(f"import urllib.request as u; u.urlopen('{rig.relay}/who/what/resolve/main/config.json').read()")
    first, second = rig.files
    assert (first.status, first.sha256) == (307, "")
    assert first.hub is not None
    assert (first.hub.revision, first.hub.commit) == ("main", commit)
    assert (second.status, second.sha256) == (200, hashlib.sha256(FILES["config.json"]).hexdigest())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b/resolve/main/x/y.bin", HubFile("a/b", "model", "main", "x/y.bin")),
        ("/gpt2/resolve/main/y", HubFile("gpt2", "model", "main", "y")),
        ("/datasets/a/b/resolve/refs%2Fpr%2F1/x/y", HubFile("a/b", "dataset", "refs/pr/1", "x/y")),
        ("/spaces/a/b/raw/refs/pr/1/x/y", HubFile("a/b", "space", "refs/pr/1", "x/y")),
        ("/a/b/resolve/main/d%20e%0A.txt", HubFile("a/b", "model", "main", "d e\\n.txt")),
        ("/api/models/a/b", HubFile("a/b")),
        ("/api/datasets/a/b/tree/v1/folder", HubFile("a/b", "dataset", "v1")),
        ("/api/models/a/b/revision/" + "0" * 40, HubFile("a/b", "model", "0" * 40, "", "0" * 40)),
        ("/api/whoami-v2", None),
        ("/api/telemetry/x/y", None),
        ("/", None),
    ],
)
def test_addresses_of_the_hub(path: str, expected: HubFile | None) -> None:
    assert hub_file(path) == expected
