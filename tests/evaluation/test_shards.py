from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation import shards as shards_module
from audio_encoder_checker.evaluation.clips import Position
from audio_encoder_checker.evaluation.shards import (
    count_clips,
    digest_of,
    parts_of,
    read_clips,
    rounds_of,
    shards_of,
)
from audio_encoder_checker.evaluation.tasks import all_tasks
from tests.shards import RATE, clip_files, encoded, tone, write_shard, write_task

if TYPE_CHECKING:
    from pathlib import Path

ESC50 = all_tasks()["esc50"]
LABEL = json.dumps({"label": "class-1"}).encode()
AUDIO = encoded(tone(1, 0.2, 0))


def read(shard: Path, start: Position | None = None) -> tuple[list[str], list[tuple[str, str, str]]]:
    problems: list[tuple[str, str, str]] = []
    clips = [clip.key for clip in read_clips(ESC50, (shard,), start or Position(), problems)]
    return clips, problems


def test_a_clip_is_its_audio_and_its_label(tmp_path: Path) -> None:
    stereo = np.stack((tone(0, 0.2, 0), np.zeros(3200, dtype=np.float32)), axis=1)
    shard = write_shard(tmp_path / "a.tar", [("x/one.wav", encoded(stereo, "wav")), ("x/one.json", LABEL)])
    (clip,) = read_clips(ESC50, (shard,), Position(), [])
    assert (clip.key, clip.sampling_rate, clip.label, clip.shard) == ("one", RATE, "class-1", "a.tar")
    np.testing.assert_allclose(clip.audio, stereo.mean(axis=1), atol=1e-4)
    assert clip.audio.dtype == np.float32


@pytest.mark.parametrize("suffix", ["flac", "wav", "ogg", "mp3"])
def test_every_usual_format_is_read(tmp_path: Path, suffix: str) -> None:
    shard = write_shard(tmp_path / "a.tar", [(f"one.{suffix}", encoded(tone(1, 0.5, 0), suffix)), ("one.json", LABEL)])
    assert read(shard) == (["one"], [])


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([("bad.flac", b"no audio"), ("bad.json", LABEL)], "its audio cannot be decoded"),
        ([("bad.flac", AUDIO[: len(AUDIO) // 20]), ("bad.json", LABEL)], "its audio"),
        ([("bad.wav", encoded(np.zeros(0, dtype=np.float32), "wav")), ("bad.json", LABEL)], "its audio is empty"),
        (
            [("bad.m4a", b"..."), ("bad.json", LABEL)],
            "libsndfile reads no m4a; convert it, `ffmpeg -i bad.m4a bad.flac`",
        ),
        ([("bad.json", LABEL)], "there is no audio beside it"),
        ([("bad.flac", AUDIO)], "there is no JSON document beside it"),
        ([("bad.flac", AUDIO), ("bad.json", b"{")], "its JSON document cannot be read"),
        ([("bad.flac", AUDIO), ("bad.json", b"\xff\xfe")], "its JSON document cannot be read"),
        ([("bad.flac", AUDIO), ("bad.json", b"[" * 100000)], "its JSON document cannot be read"),
        ([("bad.flac", AUDIO), ("bad.json", b"{}")], "the JSON document has no field 'label'"),
    ],
)
def test_a_clip_that_cannot_be_used_is_named_and_the_others_are_read(
    tmp_path: Path, files: list[tuple[str, bytes]], problem: str
) -> None:
    shard = write_shard(tmp_path / "a.tar", [*clip_files(ESC50, 0), *files, *clip_files(ESC50, 1)])
    clips, problems = read(shard)
    assert clips == ["clip000", "clip001"]
    ((name, key, said),) = problems
    assert (name, key) == ("a.tar", "bad")
    assert problem in said


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_what_is_no_plain_file_is_passed_over(tmp_path: Path, kind: bytes) -> None:
    shard = write_shard(tmp_path / "a.tar", clip_files(ESC50, 0))
    odd = tarfile.TarInfo("clip000.wav")
    odd.type, odd.linkname = kind, "clip000.flac"
    with tarfile.open(shard, "a") as tar:
        tar.addfile(odd)
    assert read(shard) == (["clip000"], [])


def test_a_key_that_comes_twice_is_named(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.tar", [*clip_files(ESC50, 0), *clip_files(ESC50, 1), *clip_files(ESC50, 0)])
    clips, problems = read(shard)
    assert clips == ["clip000", "clip001"]
    assert [(key, said) for _, key, said in problems] == [("clip000", "the shard holds another clip of this key")] * 2


@pytest.mark.parametrize("kept", [0.3, 0.55, 0.8])
def test_a_shard_that_is_cut_short_is_named_and_read_as_far_as_it_goes(tmp_path: Path, kept: float) -> None:
    shard = write_shard(tmp_path / "a.tar", [file for number in range(6) for file in clip_files(ESC50, number)])
    content = shard.read_bytes()
    shard.write_bytes(content[: int(kept * len(content))])
    clips, problems = read(shard)
    assert 0 < len(clips) < 6
    assert any("shard" in said for _, _, said in problems)


def test_something_else_than_a_shard_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"<html>not found</html>" * 100)
    clips, problems = read(tmp_path / "a.tar")
    assert clips == []
    assert problems[0][2].startswith("the shard cannot be read to its end")


def test_a_giant_member_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards_module, "LARGEST_MEMBER", 1000)
    shard = write_shard(tmp_path / "a.tar", clip_files(ESC50, 0))
    assert "bytes are no clip" in read(shard)[1][0][2]


def test_reading_goes_on_behind_any_clip(tmp_path: Path) -> None:
    shards = tuple(
        write_shard(tmp_path / f"{name}.tar", [f for n in numbers for f in clip_files(ESC50, n)])
        for name, numbers in (("a", range(3)), ("b", range(3, 6)))
    )
    whole = list(read_clips(ESC50, shards, Position(), []))
    assert count_clips(shards) == len(whole) == 6
    for number, clip in enumerate(whole):
        rest = [one.key for one in read_clips(ESC50, shards, clip.next, [])]
        assert rest == [one.key for one in whole[number + 1 :]]


def test_folds_are_tested_once_each_and_validated_on_the_same(tmp_path: Path) -> None:
    write_task(tmp_path, "esc50", 2)
    shards = shards_of(tmp_path, ESC50, mini=False)
    assert list(shards) == [f"fold {number}" for number in range(1, 6)]
    assert all(len(found) == 1 for found in shards.values())
    rounds = rounds_of(ESC50)
    assert rounds[1].valid == rounds[1].test == ("fold 2",)
    assert rounds[1].train == ("fold 1", "fold 3", "fold 4", "fold 5")


def test_the_tenth_fold_is_not_the_first(tmp_path: Path) -> None:
    write_task(tmp_path, "urbansound8k", 1)
    shards = shards_of(tmp_path, all_tasks()["urbansound8k"], mini=False)
    assert [len(found) for found in shards.values()] == [1] * 10


@pytest.mark.parametrize(
    ("task_id", "parts"),
    [
        ("cremad", {"train": "train", "valid": "valid", "test": "test"}),
        ("desed", {"train": "train", "valid": "valid", "test": "valid"}),
        ("subway_broadcast", {"train": "train", "valid": "train", "test": "train"}),
    ],
)
def test_splits_with_the_same_shards_share_a_part(task_id: str, parts: dict[str, str]) -> None:
    assert parts_of(all_tasks()[task_id]) == parts


def test_mini_takes_the_smaller_shards_where_there_are_any(tmp_path: Path) -> None:
    task = all_tasks()["voxceleb1"]
    for name in ("voxceleb1_train_0000000", "voxceleb1_train_0000007", "voxceleb1_valid_0000000", "voxceleb1_test_0"):
        write_shard(tmp_path / "voxceleb1" / f"{name}.tar", [])
    found = {mini: {k: len(v) for k, v in shards_of(tmp_path, task, mini=mini).items()} for mini in (False, True)}
    assert found == {False: {"train": 2, "valid": 1, "test": 1}, True: {"train": 1, "valid": 1, "test": 1}}


def test_the_digest_is_that_of_the_contents_and_a_shard_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard, index = write_shard(tmp_path / "a.tar", clip_files(ESC50, 0)), tmp_path / "cache" / "shards.json"
    once = digest_of((shard,), index)
    copy = write_shard(tmp_path / "other" / "a.tar", clip_files(ESC50, 0))
    assert digest_of((copy,), index) == once
    monkeypatch.setattr(shards_module, "_content_digest", lambda _path: pytest.fail("it is read again"))
    assert digest_of((shard,), index) == once
    monkeypatch.undo()
    write_shard(tmp_path / "a.tar", clip_files(ESC50, 1))
    assert digest_of((shard,), index) != once
