from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.clips import Event
from audio_encoder_checker.evaluation.labels import (
    LabelError,
    as_array,
    class_names,
    label_frames,
    missing_from_training,
    read_label,
)
from audio_encoder_checker.evaluation.tasks import all_tasks
from tests.scoring import task_of
from tests.shards import document

TASKS = all_tasks()
CHALLENGE = [task.id for task in TASKS.values() if not task.built_in]


@pytest.mark.parametrize("task_id", CHALLENGE)
def test_every_task_reads_its_documents_and_numbers_their_labels(task_id: str) -> None:
    task = TASKS[task_id]
    labels = [read_label(task, document(task, number % 4, number)) for number in range(8)]
    if task.kind in ("retrieval", "asr"):
        return
    names = () if task.kind == "clip-regression" else class_names(task, labels)
    array = as_array(task, names, labels, [50] * 8 if task.per_frame else None, 40.0)
    assert len(array) == (400 if task.per_frame else 8)
    if array.ndim == 2:
        assert array.shape[1] == task.classes
        assert array.any()


@pytest.mark.parametrize(
    ("task_id", "found", "label"),
    [
        ("librispeechmalefemale", {"gender": "M"}, "M"),
        ("librispeechmalefemale", {"gender": "F"}, "F"),
        ("librispeechmalefemale", {"gender": "?"}, "F"),
        ("subway_broadcast", {"broadcasting": True}, "1"),
        ("subway_broadcast", {"broadcasting": "0"}, "0"),
        ("libricount", {"num_speakers": 3}, 3),
        ("fsd50k", {"soundevent": "Bark;Dog"}, ("Bark", "Dog")),
        ("speechocean762", {"accuracy": 8, "fluency": 10, "prosody": 0}, (0.8, 1.0, 0.0)),
        ("desed", [{"onset": 1, "offset": 2.5, "label": "Cat,Dog"}], (Event(1, 2.5, "Cat"), Event(1, 2.5, "Dog"))),
        ("maestro", [{"start": 0, "end": 1, "note": 21}, {"start": 0, "end": 1, "note": 108}], (Event(0, 1, "21"),)),
        (
            "librispeechphoneme",
            [{"start": 0, "end": 1, "phone": "AA1"}, {"start": 1, "end": 2, "phone": "sil"}],
            (Event(0, 1, "AA"),),
        ),
        ("librispeech", {"trans": "it rains"}, "it rains"),
        ("clotho", {"caption_1": "rain", "caption_2": "it rains"}, ("rain", "it rains")),
    ],
)
def test_a_document_becomes_a_label(task_id: str, found: Any, label: Any) -> None:
    assert read_label(TASKS[task_id], found) == label


@pytest.mark.parametrize(
    ("task_id", "found", "problem"),
    [
        ("esc50", {"target": 3}, "no field 'label'"),
        ("esc50", [1], "no field 'label'"),
        ("esc50", {"label": ["dog"]}, "expected a text or a number, found list"),
        ("cremad", {"label": "X"}, "'X' is none of the task's 6 classes"),
        ("desed", [{"onset": 1, "label": "Cat"}], "offset or end"),
        ("desed", {"label": "Cat"}, "is not what a frame-multilabel task has"),
        ("desed", [{"onset": 0, "offset": 1, "label": "Cow"}], "'Cow' is none of the task's 10 classes"),
        ("speechocean762", {"accuracy": 8}, "fluency"),
        ("speechocean762", {"accuracy": "nan", "fluency": 1, "prosody": 1}, "not finite"),
        ("clotho", {}, "expected captions"),
        ("clotho", {"caption_1": 3}, "expected captions"),
        ("librispeech", {"trans": None}, "expected a text"),
        ("fsd50k", {"soundevent": 3}, "is not what a clip-multilabel task has"),
    ],
)
def test_a_document_that_does_not_fit_says_what_is_wrong(task_id: str, found: Any, problem: str) -> None:
    with pytest.raises(LabelError, match=problem):
        read_label(TASKS[task_id], found)


def test_classes_are_the_sorted_labels_found() -> None:
    task = task_of(classes=3)
    assert class_names(task, ["b", "a", "b"]) == ("a", "b")
    assert class_names(task, [10, 2, 1]) == (1, 2, 10)
    assert class_names(task, ["a", 10, 2]) == (2, 10, "a")
    with pytest.raises(LabelError, match="4 classes are found, the task has 3"):
        class_names(task, "abcd")


def test_events_begin_and_end_at_frames_rounded_up_as_in_x_ares() -> None:
    task = task_of("frame-multilabel", classes=2)
    marks = as_array(task, ("a", "b"), [[Event(0.05, 0.12, "a"), Event(0.0, 9.0, "b")]], [5], 40.0)
    assert marks.T.tolist() == [[0, 0, 1, 0, 0], [1, 1, 1, 1, 1]]


def test_a_frame_has_the_class_at_its_middle_or_none() -> None:
    task = task_of("frame-class", classes=2)
    found = as_array(task, ("a", "b"), [[Event(0.05, 0.11, "a"), Event(0.11, 0.2, "b")]], [6], 40.0)
    assert found.tolist() == [-1, 0, 0, 1, 1, -1]


def test_labels_go_on_where_an_event_outlasts_its_item() -> None:
    two = [Event(0, 0.3, "a"), Event(0.1, 0.2, "b")]
    assert label_frames([two, [], [Event(0, 0.1, "a")]], [5, 4, 3], 40.0) == [8, 4, 3]


def test_items_are_joined() -> None:
    task = task_of("frame-class", classes=2)
    assert len(as_array(task, ("a", "b"), [[], []], [3, 4], 40.0)) == 7


def test_classes_that_cannot_be_learnt_are_named() -> None:
    names = ("a", "b", "c")
    assert missing_from_training(names, ["a"], ["a", "c"]) == ("c",)
    assert missing_from_training(names, [[Event(0, 1, "b")]], [[Event(0, 1, "b"), Event(0, 1, "a")]]) == ("a",)


def test_a_regression_wants_all_its_numbers() -> None:
    task = replace(TASKS["speechocean762"], classes=3)
    assert as_array(task, (), [(0.1, 0.2, 0.3)], None, 0.0).dtype == np.float32
    with pytest.raises(LabelError, match="expected 3 numbers"):
        as_array(task, (), [(0.1, 0.2)], None, 0.0)
