from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from audio_encoder_checker.datasets import library
from audio_encoder_checker.datasets.download import Downloader
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evaluation.tasks import all_tasks, choose_tasks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.datasets.server import Server

DESED = all_tasks()["desed"]


def run(server: Server, root: Path, *task_ids: str, mini: bool = False) -> dict[str, str]:
    downloader = Downloader(lambda _seconds: None)
    wanted = library.plan(root, choose_tasks(task_ids), downloader, server.url, mini=mini)
    return {path.name: how for path, how in library.fetch(root, wanted, downloader)}


def test_shards_lie_where_the_checker_looks_for_them(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "data"
    assert set(run(server, root, "desed", "vocalsound").values()) == {"fetched"}
    assert library.verify(root, DESED, mini=False) == []
    before = server.served
    assert set(run(server, root, "desed").values()) == {"there"}
    assert server.served == before


def test_the_same_file_of_two_tasks_is_fetched_once(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "data"
    names = ("train-clean-100-0.tar", "dev-clean-0.tar", "test-clean-0.tar")
    server.records["14716252"] = {name: name.encode() for name in names}
    assert set(run(server, root, "librispeech").values()) == {"fetched"}
    before = server.served
    assert set(run(server, root, "librispeechmalefemale").values()) == {"linked to the same file of another task"}
    assert server.served == before


def test_a_hidden_task_cannot_be_fetched(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="task finger_snap has no public record"):
        run(server, tmp_path, "finger_snap")


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1000))
    with pytest.raises(MachineError, match="GiB are to be fetched"):
        run(server, tmp_path / "data", "desed")
    assert server.served == 0


def damage(path: Path, how: Any) -> None:
    content = path.read_bytes()
    path.write_bytes(how(content))


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        (lambda content: content[:-600], "bytes, the record says"),
        (lambda content: content[:600] + b"x" + content[601:], "its checksum is not that of the record"),
    ],
)
def test_a_damaged_shard_is_named(server: Server, tmp_path: Path, how: Any, problem: str) -> None:
    run(server, tmp_path, "desed")
    shard = next((tmp_path / "desed").glob("*train*.tar"))
    damage(shard, how)
    (said,) = library.verify(tmp_path, DESED, mini=False)
    assert said.startswith(shard.name)
    assert problem in said


def test_a_missing_split_is_named(server: Server, tmp_path: Path) -> None:
    run(server, tmp_path, "desed")
    next((tmp_path / "desed").glob("*train*.tar")).unlink()
    assert library.verify(tmp_path, DESED, mini=False) == ["no shard for train"]


def test_shards_from_elsewhere_are_read_to_their_ends(server: Server, tmp_path: Path) -> None:
    run(server, tmp_path, "desed")
    (tmp_path / "desed" / library.MANIFEST).unlink()
    shard = next((tmp_path / "desed").glob("*train*.tar"))
    damage(shard, lambda content: content[: len(content) // 2])
    assert "cannot be read to its end" in library.verify(tmp_path, DESED, mini=False)[0]
