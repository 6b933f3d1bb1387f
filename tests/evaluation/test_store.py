from __future__ import annotations

import io
import stat
import sys
from typing import TYPE_CHECKING

import numpy as np
import psutil
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
    as_numpy_saves_it = io.BytesIO()
    np.save(as_numpy_saves_it, np.concatenate((X, X + 1)))
    assert store.x.read_bytes() == as_numpy_saves_it.getvalue()
    again = PartStore(tmp_path)
    assert again.records == store.records == [*FIRST, *SECOND]
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


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"dim": 3, "odd": 1}',
        '{"progress": [[0, 0], 0, 0]}',
        '{"progress": [[0, 0], 0], "problems": []}',
        '{"progress": [[0, 0], 0, 0], "problems": [], "odd": 1}',
        '{"progress": [[0, 0], 0, 0], "problems": [], "rows": "1"}',
    ],
)
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


@pytest.mark.parametrize("name", ["items.jsonl", "x.npy", "true_x.npy"])
@pytest.mark.parametrize("lost", ["one byte", "all"])
def test_a_file_that_lacks_what_was_committed_is_a_fresh_start(tmp_path: Path, name: str, lost: str) -> None:
    with PartStore(tmp_path) as store:
        store.append(FIRST, X, X)
        store.commit(AFTER_FIRST, (), done=True)
    assert PartStore(tmp_path).state.done
    file = tmp_path / name
    if lost == "all":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1])
    again = PartStore(tmp_path)
    assert again.records == []
    assert again.resumed == 0
    assert not again.state.done


def test_its_files_are_closed_behind_it(tmp_path: Path) -> None:
    with PartStore(tmp_path) as store:
        store.append(FIRST, X)
    opened = [file.path for file in psutil.Process().open_files()]
    assert [path for path in opened if path.startswith(str(tmp_path))] == []


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_labels_are_nobody_elses_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    with PartStore(folder):
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {path: 0o700 if path == folder else 0o600 for path in modes}
    assert len(modes) == 4
