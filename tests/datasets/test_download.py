from __future__ import annotations

import hashlib
import socket
from typing import TYPE_CHECKING, Any

import pytest

from audio_encoder_checker.datasets import download
from audio_encoder_checker.datasets.download import TRIES, Downloader
from audio_encoder_checker.datasets.records import RemoteFile
from audio_encoder_checker.errors import MachineError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.datasets.server import Server

CONTENT = bytes(range(256)) * 4000
"""Some pieces."""


def remote(server: Server, **changes: Any) -> RemoteFile:
    server.records["1"] = {"a.tar": CONTENT}
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    return RemoteFile("a.tar", len(CONTENT), md5, f"{server.url}/files/1/a.tar")._replace(**changes)


def fetched(server: Server, target: Path, *faults: Any, **changes: Any) -> tuple[list[float], list[int]]:
    file = remote(server, **changes)
    server.faults["a.tar"] = list(faults)
    pauses: list[float] = []
    counted: list[int] = []
    Downloader(pauses.append, counted.append).fetch(file, target)
    return pauses, counted


def test_a_file_gets_its_name_when_it_is_whole(server: Server, tmp_path: Path) -> None:
    pauses, counted = fetched(server, tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    assert sorted(path.name for path in tmp_path.glob("a.tar*")) == ["a.tar"]
    assert (pauses, sum(counted)) == ([], len(CONTENT))


def test_a_cut_connection_is_taken_up_where_it_was_cut(server: Server, tmp_path: Path) -> None:
    pauses, counted = fetched(server, tmp_path / "a.tar", "cut", "cut")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)
    assert server.served <= len(CONTENT) + 2 * download.PIECE
    assert [first > 0 for _, first in server.requests] == [False, True, True]
    assert len(pauses) == 2


def test_what_an_earlier_run_left_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").write_bytes(CONTENT[:1000])
    fetched(server, tmp_path / "a.tar")
    assert server.served == len(CONTENT) - 1000


def test_a_server_without_ranges_starts_anew(server: Server, tmp_path: Path) -> None:
    _, counted = fetched(server, tmp_path / "a.tar", "cut", "no-range")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again_when_it_says(server: Server, tmp_path: Path, status: int) -> None:
    pauses, _ = fetched(server, tmp_path / "a.tar", status, status)
    assert pauses == [7.0, 7.0]
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_it_gives_up_after_a_few_tries_without_a_byte(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=f"a.tar: status 503, {TRIES} times") as caught:
        fetched(server, tmp_path / "a.tar", *[503] * 50)
    assert "goes on where it was" in caught.value.hint
    assert len(server.requests) == TRIES


def test_a_status_that_will_not_pass_is_told_at_once(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="status 404"):
        fetched(server, tmp_path / "a.tar", 404)
    assert len(server.requests) == 1


def test_a_damaged_file_is_fetched_once_more(server: Server, tmp_path: Path) -> None:
    _, counted = fetched(server, tmp_path / "a.tar", "damage")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)


def test_a_file_that_stays_damaged_gets_no_name(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"its MD5 is .*, the record says .*, twice"):
        fetched(server, tmp_path / "a.tar", "damage", "damage")
    assert list(tmp_path.glob("a.tar*")) == []


def test_a_file_larger_than_its_record_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="larger than the 1000 bytes"):
        fetched(server, tmp_path / "a.tar", size=1000)
    assert not (tmp_path / "a.tar").exists()


def test_without_a_connection_the_remedy_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pauses: list[float] = []
    with pytest.raises(MachineError, match="no connection, 6 times") as caught:
        Downloader(pauses.append).document(f"http://127.0.0.1:{port}/api/records/1")
    assert "check the connection" in caught.value.hint
    assert all(seconds <= download.LONGEST_WAIT_S for seconds in pauses)
    assert len(pauses) == TRIES - 1, "nobody waits where no try is left"


def test_a_silent_server_is_left_after_a_while(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT_S", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file = remote(server, url=f"http://127.0.0.1:{silent.getsockname()[1]}/a.tar")
        with pytest.raises(MachineError, match=r"a.tar: no answer, 6 times"):
            Downloader(lambda _seconds: None).fetch(file, tmp_path / "a.tar")


def test_a_page_instead_of_a_record_is_told(server: Server) -> None:
    server.records["1"] = {}
    server.faults["1"] = ["html"]
    with pytest.raises(MachineError, match="is no JSON document"):
        Downloader().document(f"{server.url}/api/records/1")
