"""Where clips come from, and what is said where they are missing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation import cache as cache_module
from audio_encoder_checker.evaluation import quick
from audio_encoder_checker.evaluation.clips import TEST, TRAIN, VALID, Clips, Position
from audio_encoder_checker.evaluation.job import Round
from audio_encoder_checker.evaluation.shards import rounds_of
from audio_encoder_checker.evaluation.sources import MissingDataError, generated, on_disk
from audio_encoder_checker.evaluation.tasks import all_tasks
from tests.shards import clip_files, write_shard, write_task

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.evaluation.encode import Problems

TASKS = all_tasks()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv(cache_module.CACHE_VARIABLE, str(folder))
    return folder


def test_generated_clips_come_split_by_split_and_from_any_place_on(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = np.arange(24, dtype=np.float32).reshape(6, 4) / np.float32(32)
    clips = Clips(audio, 16000, tuple("abcdef"), np.array([TRAIN, TEST, TRAIN, VALID, TRAIN, TEST], dtype=np.uint8))
    monkeypatch.setitem(quick.MAKERS, "quick-words", lambda: clips)
    data = generated(TASKS["quick-words"])
    assert data.rounds == (Round(("train",), ("valid",), ("test",)),)
    assert (json.dumps(data.clips), data.digests) == ('{"train": 3, "valid": 1, "test": 2}', {})
    for name, numbers in {"train": [0, 2, 4], "valid": [3], "test": [1, 5]}.items():
        found = list(data.parts[name](Position(), []))
        assert [(one.key, one.label, one.sampling_rate) for one in found] == [
            (str(number), "abcdef"[number], 16000) for number in numbers
        ]
        assert [one.audio.tolist() for one in found] == audio[numbers].tolist()
        for number, one in enumerate(found):
            rest = [other.key for other in data.parts[name](one.next, [])]
            assert rest == [other.key for other in found[number + 1 :]]


def test_shards_are_counted_read_and_told_apart_by_their_contents(tmp_path: Path, cache: Path) -> None:
    task = TASKS["cremad"]
    write_task(tmp_path, task.id, 2)
    data = on_disk(task, tmp_path, mini=False, keep=True)
    assert data.rounds == rounds_of(task)
    assert data.clips == {"train": 2, "valid": 2, "test": 2}
    problems: Problems = []
    keys = {name: [clip.key for clip in read(Position(), problems)] for name, read in data.parts.items()}
    assert keys == {
        "train": ["clip000", "clip001"],
        "valid": ["clip002", "clip003"],
        "test": ["clip004", "clip005"],
    }
    assert problems == []
    assert len(set(data.digests.values())) == len(data.digests) == 3
    assert [path.name for path in cache.iterdir()] == ["shards.json"]


def test_what_is_not_kept_needs_no_digest(tmp_path: Path, cache: Path) -> None:
    write_task(tmp_path, "cremad", 1)
    assert on_disk(TASKS["cremad"], tmp_path, mini=False, keep=False).digests == {}
    assert not cache.exists()


@pytest.mark.parametrize(("mini", "train"), [(False, 2), (True, 1)])
def test_mini_is_passed_on(tmp_path: Path, *, mini: bool, train: int) -> None:
    task = TASKS["voxceleb1"]
    for number, name in enumerate(("train_0000000", "train_0000007", "valid_0000000", "test_0")):
        write_shard(tmp_path / task.folder / f"voxceleb1_{name}.tar", clip_files(task, number))
    assert on_disk(task, tmp_path, mini=mini, keep=False).clips == {"train": train, "valid": 1, "test": 1}


@pytest.mark.parametrize(
    ("there", "hidden", "said", "partly"),
    [
        ((), False, "no data", False),
        ((), True, "the organisers alone have its data", False),
        (("valid",), False, "no shards of train, test in cremad/", True),
        (("train", "valid"), True, "no shards of test in cremad/", True),
    ],
)
def test_data_that_is_missing_is_named(
    tmp_path: Path, there: tuple[str, ...], said: str, *, hidden: bool, partly: bool
) -> None:
    task = replace(TASKS["cremad"], hidden=hidden)
    for split in there:
        write_shard(tmp_path / task.folder / f"{getattr(task.layout, split)}0000.tar", [])
    with pytest.raises(MissingDataError) as caught:
        on_disk(task, tmp_path, mini=False, keep=False)
    assert (str(caught.value), caught.value.partly) == (said, partly)
