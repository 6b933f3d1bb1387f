from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation.batches import Progress
from audio_encoder_checker.evaluation.clips import Position
from audio_encoder_checker.evaluation.store import STATE, PartStore, Record

if TYPE_CHECKING:
    from pathlib import Path

FIRST = [Record("a", "s", 0, "cat", kept=True, frames=3, true_frames=2)]
SECOND = [Record("b", "s", 1, ["dog", 2], kept=False, frames=3, true_frames=3)]
X = np.arange(6, dtype=np.float32).reshape(1, 6)
AFTER_FIRST = Progress(Position(0, 1), 1, 1)


def test_rows_are_an_array_that_numpy_reads(tmp_path: Path) -> None:
    with PartStore(tmp_path) as store:
        store.append(FIRST, X)
        store.append(SECOND, X + 1)
        store.commit(AFTER_FIRST, (), done=True)
    assert np.load(store.x, mmap_mode="r").tolist() == [X[0].tolist(), (X[0] + 1).tolist()]
    again = PartStore(tmp_path)
    assert again.records == [*FIRST, *SECOND]
    assert again.state.done


def test_what_was_not_committed_is_cut_off(tmp_path: Path) -> None:
    with PartStore(tmp_path) as store:
        store.append(FIRST, X, X)
        store.commit(AFTER_FIRST, (("s", "k", "damaged"),))
        store.append(SECOND, X, X)
    with PartStore(tmp_path) as again:
        assert again.records == FIRST
        assert again.state.progress == AFTER_FIRST
        assert again.state.problems == (("s", "k", "damaged"),)
        again.append(SECOND, X + 5, X)
        again.commit(AFTER_FIRST, (), done=True)
    assert np.load(again.x).tolist() == [X[0].tolist(), (X[0] + 5).tolist()]
    assert again.true_x is not None
    assert len(np.load(again.true_x)) == 2


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"dim": 3, "odd": 1}', '{"progress": [[0, 0], 0, 0]}'])
def test_a_state_that_makes_no_sense_is_a_fresh_start(tmp_path: Path, damage: str) -> None:
    with PartStore(tmp_path) as store:
        store.append(FIRST, X)
        store.commit(AFTER_FIRST, (), done=True)
    (tmp_path / STATE).write_text(damage)
    with PartStore(tmp_path) as again:
        assert again.records == []
        again.append(SECOND, X)
        again.commit(AFTER_FIRST, (), done=True)
    assert len(np.load(again.x)) == 1


def test_records_that_are_cut_short_are_a_fresh_start(tmp_path: Path) -> None:
    with PartStore(tmp_path) as store:
        store.append(FIRST, X)
        store.commit(AFTER_FIRST, (), done=True)
    log = tmp_path / "items.jsonl"
    log.write_bytes(log.read_bytes()[:10])
    assert PartStore(tmp_path).records == []
    assert not PartStore(tmp_path).state.done


def test_rows_that_are_missing_are_a_fresh_start(tmp_path: Path) -> None:
    with PartStore(tmp_path) as store:
        store.append(FIRST, X)
        store.commit(AFTER_FIRST, (), done=True)
    (tmp_path / "x.npy").write_bytes(b"")
    assert not PartStore(tmp_path).state.done
