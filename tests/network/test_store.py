"""Files that are kept between runs: only sound ones, and only what the Hub sent."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evidence.network import HubFile
from audio_encoder_checker.network.faults import FaultKind, Faults
from audio_encoder_checker.network.policy import Policy
from audio_encoder_checker.network.store import Store
from tests.network.hub import Hub, etag_of
from tests.network.rig import Rig, header

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
LARGE = bytes(range(251)) * 1_000
FILES = {"config.json": b"{}", "deep/er/model.bin": LARGE}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


def get(rig: Rig, path: str, *more: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Connection: close", *more, "", ""]
    return rig.speak("\r\n".join(lines).encode(), port=rig.relay_port)


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def filled(hub: Hub, tmp_path: Path) -> str:
    """A store in `tmp_path` that has both files; their commit."""
    commit = hub.add("who/what", FILES)
    with Rig(tmp_path, Policy((), hub.url), store=Store(tmp_path / "store")) as rig:
        for path, content in FILES.items():
            got = get(rig, f"/who/what/resolve/{commit}/{path}")
            if got.startswith(b"HTTP/1.1 307"):
                got = get(rig, header(got)["location"])
            assert body(got) == content
    assert not any(one.cached for one in rig.facts.transfers)
    return commit


class Full:
    """A file on a disk that is full after the next byte."""

    def write(self, piece: memoryview) -> int:
        return min(len(piece), 1)

    def close(self) -> None: ...


def test_a_piece_that_was_not_written_whole_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = memoryview(b"some bytes")
    etag = hashlib.sha256(content).hexdigest()
    hub = HubFile("who/what", revision="main", file="model.bin", commit="0" * 40)
    incoming = Store(tmp_path).incoming(hub, etag, len(content))
    assert incoming is not None
    incoming._file.close()
    monkeypatch.setattr(incoming, "_file", Full())
    incoming.write(content)
    incoming.finish()
    incoming.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_second_run_needs_no_hub(hub: Hub, tmp_path: Path) -> None:
    commit = filled(hub, tmp_path)
    hub.close()
    with Rig(tmp_path, Policy((), hub.url), store=Store(tmp_path / "store")) as rig:
        code = (
            "import huggingface_hub as h\n"
            f"print(len(open(h.hf_hub_download('who/what', 'deep/er/model.bin', revision='{commit}'), 'rb').read()))"
        )
        assert rig.python(code).strip() == str(len(LARGE))
    seen = rig.transfer("GET", "model.bin")
    assert (seen.cached, seen.status, seen.whole) == (True, 200, True)
    assert seen.sha256 == hashlib.sha256(LARGE).hexdigest()
    assert seen.hub == HubFile("who/what", "model", commit, "deep/er/model.bin", commit)


def test_the_layout_is_that_of_the_hubs_own_cache(hub: Hub, tmp_path: Path) -> None:
    commit = filled(hub, tmp_path)
    home = tmp_path / "store/models--who--what"
    assert {path.name for path in (home / "blobs").iterdir()} == {
        etag_of(FILES["config.json"], large=False),
        etag_of(LARGE, large=True),
    }
    link = home / "snapshots" / commit / "deep/er/model.bin"
    assert str(link.readlink()) == f"../../../../blobs/{etag_of(LARGE, large=True)}"
    code = (
        "import huggingface_hub as h; print(len(open(h.hf_hub_download('who/what', 'deep/er/model.bin', "
        f"revision='{commit}', cache_dir='{tmp_path / 'store'}', local_files_only=True), 'rb').read()))"
    )
    with Rig(tmp_path, Policy((), hub.url)) as rig:
        assert rig.python(code).strip() == str(len(LARGE))


def test_a_branch_is_served_once_the_hub_has_said_what_it_is(hub: Hub, tmp_path: Path) -> None:
    filled(hub, tmp_path)
    hub.asked.clear()
    with Rig(tmp_path, Policy((), hub.url), store=Store(tmp_path / "store")) as rig:
        get(rig, "/who/what/resolve/main/deep/er/model.bin", method="HEAD")
        assert body(get(rig, "/who/what/resolve/main/deep/er/model.bin")) == LARGE
    assert [one.method for one in hub.asked] == ["HEAD"]
    assert [one.cached for one in rig.facts.transfers] == [False, True]


def test_parts_and_conditions_are_answered_from_disk(hub: Hub, tmp_path: Path) -> None:
    commit = filled(hub, tmp_path)
    path = f"/who/what/resolve/{commit}/deep/er/model.bin"
    with Rig(tmp_path, Policy((), hub.url), store=Store(tmp_path / "store")) as rig:
        part = get(rig, path, "Range: bytes=1000-1999")
        rest = get(rig, path, "Range: bytes=250000-")
        last = get(rig, path, "Range: bytes=-10")
        past = get(rig, path, "Range: bytes=251000-")
        same = get(rig, path, f'If-None-Match: "{etag_of(LARGE, large=True)}"')
    assert (body(part), body(rest), body(last)) == (LARGE[1000:2000], LARGE[250_000:], LARGE[-10:])
    assert header(part)["content-range"] == "bytes 1000-1999/251000"
    assert [answer[9:12] for answer in (part, past, same)] == [b"206", b"416", b"304"]


@pytest.mark.parametrize("how", ["shorter", "other bytes", "elsewhere"])
def test_a_damaged_file_is_fetched_anew(hub: Hub, tmp_path: Path, how: str) -> None:
    commit = filled(hub, tmp_path)
    home = tmp_path / "store/models--who--what"
    blob = home / "blobs" / etag_of(LARGE, large=True)
    if how == "elsewhere":
        secret = tmp_path / "secret"
        secret.write_bytes(b"secret")
        link = home / "snapshots" / commit / "deep/er/model.bin"
        link.unlink()
        link.symlink_to(secret)
    else:
        blob.write_bytes(LARGE[:-1] if how == "shorter" else bytes(len(LARGE)))
    with Rig(tmp_path, Policy((), hub.url), store=Store(tmp_path / "store")) as rig:
        answers = [body(get(rig, f"/who/what/resolve/{commit}/deep/er/model.bin")) for _ in range(2)]
    assert answers == [LARGE, LARGE]
    assert [one.cached for one in rig.facts.transfers] == [False, True]


def test_what_the_hub_does_not_vouch_for_is_not_kept(hub: Hub, tmp_path: Path) -> None:
    commit = hub.add("who/what", FILES)
    hub.damaged = True
    with Rig(tmp_path, Policy((), hub.url), store=Store(tmp_path / "store")) as rig:
        assert body(get(rig, f"/who/what/resolve/{commit}/deep/er/model.bin")) == bytes(len(LARGE))
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_our_own_faults_are_not_kept(hub: Hub, tmp_path: Path) -> None:
    commit = hub.add("who/what", FILES)
    store = Store(tmp_path / "store")
    path = f"/who/what/resolve/{commit}/deep/er/model.bin"
    with Rig(tmp_path, Policy((), hub.url), store=store, faults=Faults(FaultKind.WRONG_BYTES)) as rig:
        wrong = body(get(rig, path))
    assert wrong != LARGE
    assert len(wrong) == len(LARGE)
    with Rig(tmp_path, Policy((), hub.url), store=store) as rig:
        assert body(get(rig, path)) == LARGE
    assert rig.facts.transfers[0].cached


@pytest.mark.parametrize(
    "file", ["../../../../secret", "a/%2e%2e/%2e%2e/secret", "a//b", "%2fetc%2fpasswd", "a%00b", "."]
)
def test_no_path_leads_out_of_the_store(hub: Hub, tmp_path: Path, file: str) -> None:
    commit = filled(hub, tmp_path)
    (tmp_path / "store/secret").write_text("secret")
    before = sorted(tmp_path.rglob("*"))
    with Rig(tmp_path, Policy((), hub.url), store=Store(tmp_path / "store")) as rig:
        assert b"secret" not in body(get(rig, f"/who/what/resolve/{commit}/{file}"))
    assert sorted(tmp_path.rglob("*")) == before
    assert not rig.facts.transfers[0].cached


def test_several_processes_fill_one_store(hub: Hub, tmp_path: Path) -> None:
    hub.add("who/what", {f"{number}.bin": LARGE + bytes([number]) for number in range(8)})
    code = (
        "import sys, pathlib, socket, urllib.request as u, hashlib\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        f"sys.path.insert(0, '{ROOT}')\n"
        "from audio_encoder_checker.network.channel import Channel, Doors\n"
        "from audio_encoder_checker.network.policy import Policy\n"
        "from audio_encoder_checker.network.store import Store\n"
        "doors = Doors(None, *(socket.create_server(('127.0.0.1', 0)) for _ in range(2)))\n"
        f"with Channel(doors, Policy((), '{hub.url}'), store=Store(pathlib.Path('{tmp_path / 'store'}'))):\n"
        "    base = f'http://127.0.0.1:{doors.relay.getsockname()[1]}/who/what/resolve/main/'\n"
        "    get = lambda n: len(u.urlopen(f'{base}{n % 8}.bin').read())\n"
        "    print(set(ThreadPoolExecutor(8).map(get, range(32))))\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert {one.communicate(timeout=60)[0].strip() for one in running} == {str({len(LARGE) + 1})}
    blobs = list((tmp_path / "store/models--who--what/blobs").iterdir())
    assert len(blobs) == 8
    assert all(hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name for blob in blobs)
