"""What was encoded meets its labels, item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.assemble import assemble
from audio_encoder_checker.evaluation.batches import Progress
from audio_encoder_checker.evaluation.clips import Event, Position
from audio_encoder_checker.evaluation.encode import Manner
from audio_encoder_checker.evaluation.job import Round
from audio_encoder_checker.evaluation.labels import LabelError
from audio_encoder_checker.evaluation.store import PartStore, Record
from audio_encoder_checker.rules import load_rules
from tests.scoring import task_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from audio_encoder_checker.evaluation.assemble import Assembled

ROUNDS = (Round(("train",), ("test",), ("test",)),)
RULES = load_rules().evaluation


def record(label: Any, frames: int = 3, clip: int = 0, *, kept: bool = True) -> Record:
    return Record(f"k{clip}", "shard", clip, label, kept, frames, frames - 1)


def assembled(
    folder: Path,
    kind: str,
    parts: Mapping[str, Sequence[Record]],
    rounds: tuple[Round, ...] = ROUNDS,
    *,
    corrected: bool = False,
) -> Assembled:
    manner = Manner(task_of(kind, classes=0 if kind in ("retrieval", "asr") else 3), 16000, 40.0, corrected)
    stores = {}
    for name, records in parts.items():
        with PartStore(folder / name) as store:
            rows = np.ones((sum(one.frames for one in records) if manner.keeps_frames else len(records), 2), np.float32)
            store.append(list(records), rows, rows if corrected and not manner.keeps_frames else None)
            store.commit(Progress(Position(), len(records), len(records)), (), done=True)
        stores[name] = store
    return assemble(stores, rounds, manner, RULES, seed=7)


def listed(array: Any) -> Any:
    return None if array is None else array.tolist()


def test_clips_have_the_number_of_their_class_among_those_of_all_parts(tmp_path: Path) -> None:
    train = [record("c"), record("b", clip=1), record("b", clip=1)]
    job = assembled(tmp_path, "clip-class", {"train": train, "test": [record("a"), record("c", clip=1)]}).job
    parts = {name: (listed(part.y), listed(part.clip)) for name, part in job.parts.items()}
    assert parts == {"train": ([2, 1, 1], [0, 1, 1]), "test": ([0, 2], [0, 1])}
    for name, part in job.parts.items():
        assert part.x == tmp_path / name / "x.npy"
        unused = (part.texts, part.offsets, part.label_offsets, part.kept, part.true_x, part.true_frames)
        assert unused == (None,) * 6
    told = (job.rounds, job.hop_ms, job.neighbours, job.temperature, job.seed, job.corrected)
    assert told == (ROUNDS, 40.0, RULES.knn_neighbours, RULES.knn_temperature, 7, False)


def test_the_corrected_figures_get_every_clips_own_frames(tmp_path: Path) -> None:
    parts = {"train": [record("a"), record("b", 5)], "test": [record("a")]}
    job = assembled(tmp_path, "clip-class", parts, corrected=True).job
    assert job.corrected
    assert listed(job.parts["train"].true_frames) == [2, 4]
    assert job.parts["train"].true_x == tmp_path / "train" / "true_x.npy"


@pytest.mark.parametrize(("kind", "label"), [("retrieval", ("rain", "it rains")), ("asr", "it rains")])
def test_texts_stay_texts(tmp_path: Path, kind: str, label: Any) -> None:
    found = assembled(tmp_path, kind, {"train": [record(label, 2), record(label, 3)], "test": [record(label)]})
    part = found.job.parts["train"]
    assert (part.texts, part.y, part.label_offsets) == ((label, label), None, None)
    assert listed(part.offsets) == ([0, 2, 5] if kind == "asr" else None)
    assert found.unseen == ()


def test_numbers_of_a_regression_are_no_classes(tmp_path: Path) -> None:
    parts = {"train": [record((0.0, 0.25, 1.0))], "test": [record((0.5, 0.5, 0.5)), record((0.5, 0.5, 0.75))]}
    found = assembled(tmp_path, "clip-regression", parts)
    assert listed(found.job.parts["test"].y) == [[0.5, 0.5, 0.5], [0.5, 0.5, 0.75]]
    assert found.unseen == ()


def test_labels_of_frames_that_outlast_their_item_have_borders_of_their_own(tmp_path: Path) -> None:
    train = [record([Event(0.0, 0.2, "a")], 2), record([Event(0.0, 0.04, "b")], 3)]
    job = assembled(tmp_path, "frame-multilabel", {"train": train, "test": [record([Event(0.0, 0.04, "c")], 1)]}).job
    part = job.parts["train"]
    assert listed(part.offsets) == [0, 2, 5]
    assert listed(part.label_offsets) == [0, 5, 8]
    assert listed(part.y) == [[1, 0, 0]] * 5 + [[0, 1, 0]] + [[0, 0, 0]] * 2


def test_items_that_x_ares_loses_are_marked_and_teach_nothing(tmp_path: Path) -> None:
    train = [record("a"), record("b", clip=1, kept=False), record("c", clip=2)]
    test = [record("a"), record("b", clip=1), record("c", clip=2, kept=False)]
    found = assembled(tmp_path, "clip-class", {"train": train, "test": test})
    assert listed(found.job.parts["train"].kept) == [True, False, True]
    assert found.unseen == ("b",)


def test_a_class_that_any_round_cannot_teach_is_told_once(tmp_path: Path) -> None:
    parts = {name: [record(label) for label in labels] for name, labels in {"1": "ab", "2": "aac", "3": "aab"}.items()}
    one, two = Round(("1", "3"), ("2",), ("2",)), Round(("2", "3"), ("1",), ("1",))
    other = Round(("2",), ("1",), ("1", "3"))
    assert assembled(tmp_path / "some", "clip-class", parts, (one, two)).unseen == ("c",)
    assert assembled(tmp_path / "more", "clip-class", parts, (one, other, other)).unseen == ("c", "b")


def test_labels_that_do_not_fit_the_task_are_told(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="4 classes are found, the task has 3"):
        assembled(tmp_path, "clip-class", {"train": [record("a"), record("b")], "test": [record("c"), record("d")]})
