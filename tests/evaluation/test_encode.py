from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation import encode as encode_module
from audio_encoder_checker.evaluation.clips import Clip, Position
from audio_encoder_checker.evaluation.encode import Manner, embed
from audio_encoder_checker.evaluation.store import PartStore
from audio_encoder_checker.evaluation.tasks import Encoding, quick_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.batches import Batch
    from audio_encoder_checker.evaluation.encode import Problems, Source

RATE = 100
LENGTHS = [100, 250, 30, 180, 99, 400, 20, 310, 70, 260]
TASK = replace(quick_tasks()[0], encoding=Encoding(batch=2))


def manner(kind: str = "clip-class", encoding: Encoding | None = None, *, corrected: bool = False) -> Manner:
    task = replace(TASK, kind=kind, encoding=encoding or Encoding(batch=2))  # type: ignore[arg-type]  # of a test
    return Manner(task, RATE, 100.0, corrected)


def source(broken: tuple[int, ...] = ()) -> Source:
    def read(start: Position, problems: Problems) -> Iterator[Clip]:
        for number, samples in list(enumerate(LENGTHS))[start.sample :]:
            if number in broken:
                problems.append(("shard", f"k{number}", "damaged"))
                continue
            audio = np.arange(samples, dtype=np.float32) + number
            yield Clip(f"k{number}", audio, RATE, number % 3, "shard", Position(0, number + 1))

    return read


def frames_of(batch: Batch) -> NDArray[np.float32]:
    """A frame for every 10 samples: mean and largest sample."""
    rows, samples = batch.audio.shape
    cut = batch.audio[:, : samples // 10 * 10].reshape(rows, -1, 10)
    return np.stack((cut.mean(axis=2), cut.max(axis=2)), axis=2)


class Stopping:
    """An encoder that is interrupted in its n-th batch."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def __call__(self, batch: Batch) -> NDArray[np.float32]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return frames_of(batch)


def run(folder: Path, how: Manner, broken: tuple[int, ...] = ()) -> PartStore:
    with PartStore(folder) as store:
        embed(store, source(broken), frames_of, how, lambda _done: None)
    return PartStore(folder)


def test_a_clips_embedding_is_the_mean_of_its_frames_padding_included(tmp_path: Path) -> None:
    store = run(tmp_path, manner())
    x = np.load(store.x)
    first = np.concatenate((np.arange(100), np.zeros(150)))  # padded to the second clip's 250 samples (quirk 3)
    assert x.dtype == np.float32
    assert x.shape == (10, 2)
    assert x[0, 0] == pytest.approx(first.mean())
    assert [record.label for record in store.records] == [number % 3 for number in range(10)]
    assert store.records[0].frames == 25
    assert store.true_x is None


def test_the_corrected_embedding_leaves_the_padding_out(tmp_path: Path) -> None:
    store = run(tmp_path, manner(corrected=True))
    assert store.true_x is not None
    assert np.load(store.true_x)[0, 0] == pytest.approx(np.arange(100).mean())
    assert store.records[0].true_frames == 10


def test_frame_kinds_keep_every_frame(tmp_path: Path) -> None:
    store = run(tmp_path, manner("frame-class"))
    counts = [record.frames for record in store.records]
    assert counts == [25, 25, 18, 18, 40, 40, 31, 31, 26, 26]
    assert np.load(store.x).shape == (sum(counts), 2)


@pytest.mark.parametrize("encoding", [Encoding(batch=2), Encoding(batch=4, crop_s=1)], ids=["whole", "crops"])
@pytest.mark.parametrize("kind", ["clip-class", "frame-multilabel"])
@pytest.mark.parametrize("stop", range(4))
def test_an_interrupted_run_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int, kind: str, encoding: Encoding
) -> None:
    monkeypatch.setattr(encode_module, "BATCHES_BEFORE_COMMIT", 1)
    how = manner(kind, encoding, corrected=True)
    whole = run(tmp_path / "whole", how, broken=(4,))
    with pytest.raises(KeyboardInterrupt), PartStore(tmp_path / "cut") as store:
        embed(store, source((4,)), Stopping(stop), how, lambda _done: None)
    again = run(tmp_path / "cut", how, broken=(4,))
    assert again.records == whole.records
    assert again.state == whole.state
    assert np.array_equal(np.load(again.x), np.load(whole.x))


@pytest.mark.parametrize(("commit", "stop", "kept"), [(1, 0, 0), (1, 3, 6), (2, 3, 4), (2, 4, 8), (64, 4, 0)])
def test_an_interruption_costs_what_was_not_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: int, stop: int, kept: int
) -> None:
    monkeypatch.setattr(encode_module, "BATCHES_BEFORE_COMMIT", commit)
    with pytest.raises(KeyboardInterrupt), PartStore(tmp_path) as store:
        embed(store, source(), Stopping(stop), manner(), lambda _done: None)
    with PartStore(tmp_path) as store:
        assert store.state.progress.clips == kept


def test_progress_stands_behind_crops_that_are_lost(tmp_path: Path) -> None:
    state = run(tmp_path, manner(encoding=Encoding(batch=3, crop_s=1))).state
    crops = sum(max(1, samples // RATE) for samples in LENGTHS)
    assert (state.progress.clips, state.progress.items) == (len(LENGTHS), crops)


def test_the_shortest_clip_has_a_frame_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "LENGTHS", [3, 100])
    assert [record.true_frames for record in run(tmp_path, manner()).records] == [1, 10]


def test_what_is_done_is_not_encoded_again(tmp_path: Path) -> None:
    run(tmp_path, manner())
    with PartStore(tmp_path) as store:
        embed(store, source(), Stopping(0), manner(), lambda _done: None)
    assert store.resumed == len(LENGTHS)


def test_a_clip_that_cannot_be_read_is_noted_once(tmp_path: Path) -> None:
    store = run(tmp_path, manner(), broken=(2, 5))
    assert store.state.problems == (("shard", "k2", "damaged"), ("shard", "k5", "damaged"))
    assert len(store.records) == 8


def test_a_part_without_clips_is_an_empty_one(tmp_path: Path) -> None:
    store = run(tmp_path, manner(), broken=tuple(range(10)))
    assert store.state.done
    assert store.records == []
    assert len(np.load(store.x)) == 0


def test_what_is_said_of_progress_are_clips(tmp_path: Path) -> None:
    told: list[int] = []
    with PartStore(tmp_path) as store:
        embed(store, source(), frames_of, manner(), told.append)
    assert told == [2, 4, 6, 8, 10]
