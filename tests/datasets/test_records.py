from __future__ import annotations

from typing import Any

import pytest

from audio_encoder_checker.datasets.records import RemoteFile, files_for, read_record
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evaluation.tasks import all_tasks


def entry(name: Any) -> dict[str, Any]:
    return {"key": name, "size": 3, "checksum": "md5:0a", "links": {"self": "http://x/a"}}


def test_shards_are_read_from_a_record() -> None:
    assert read_record({"files": [entry("a.tar")]}, "1") == (RemoteFile("a.tar", 3, "0a", "http://x/a"),)


@pytest.mark.parametrize(
    "name", ["../a.tar", "/etc/a.tar", "b\\a.tar", ".a.tar", "a\n.tar", "x" * 300 + ".tar", "a.zip", None, 3, "..", ""]
)
def test_a_name_that_is_no_shard_is_passed_over(name: Any) -> None:
    assert read_record({"files": [entry(name)]}, "1") == ()


@pytest.mark.parametrize(
    "document", [None, [], {}, {"files": 3}, {"files": [{}]}, {"files": [entry("a") | {"size": "x"}]}]
)
def test_something_else_is_no_record(document: Any) -> None:
    with pytest.raises(MachineError, match="record 7 is not what a record looks like"):
        read_record(document, "7")


def names(task_id: str, held: list[str], *, mini: bool = False) -> list[str]:
    files = [RemoteFile(name, 1, "", "") for name in held]
    return [one.name for one in files_for(all_tasks()[task_id], files, mini=mini)]


def test_a_task_takes_its_splits_only() -> None:
    held = ["train_1.tar", "valid_1.tar", "test_1.tar", "other.tar"]
    assert names("vocalsound", held) == ["test_1.tar", "train_1.tar", "valid_1.tar"]


def test_mini_takes_fewer() -> None:
    held = ["train-clean-100-000000.tar", "train-clean-100-000001.tar", "dev-clean-0.tar", "test-clean-0.tar"]
    assert len(names("librispeechmalefemale", held)) == 4
    assert "train-clean-100-000001.tar" not in names("librispeechmalefemale", held, mini=True)


def test_a_split_without_shards_is_told() -> None:
    with pytest.raises(UsageError, match=r"has no shard test\*.tar for test"):
        names("vocalsound", ["train_1.tar", "valid_1.tar"])
