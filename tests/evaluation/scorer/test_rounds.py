from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import Part
from audio_encoder_checker.evaluation.scorer.frames import Frames
from audio_encoder_checker.evaluation.scorer.rounds import Items, first_of_clip, labelled, per_clip, some_items

if TYPE_CHECKING:
    from collections.abc import Callable

    from audio_encoder_checker.evaluation.job import ScoringJob

    Build = Callable[..., ScoringJob]

X = [np.arange(6, dtype=np.float32).reshape(3, 2), np.arange(6, 14, dtype=np.float32).reshape(4, 2)]
Y = [np.array([0, -1, 1, 5]), np.array([2, 2, -1, 3])]
"""The first item's labels go on behind its frames."""


def test_labelled_frames_keep_their_labels() -> None:
    for most in (100, 7):  # as many as there are
        x, y, left_out = labelled(Frames([*X, X[0]], [*Y, Y[0]]), most, 0)
        assert x[:, 0].tolist() == [0, 4, 6, 8, 12, 0, 4]
        assert y.tolist() == [0, 1, 2, 2, 3, 0, 1]
        assert not left_out


def test_a_few_of_them_are_chosen_by_the_seed() -> None:
    x, y, left_out = labelled(Frames(X, Y), 3, 0)
    assert left_out
    assert len(x) == len(y) == 3
    pairs = dict(zip([0, 4, 6, 8, 12], [0, 1, 2, 2, 3], strict=True))
    assert all(pairs[int(one)] == own for one, own in zip(x[:, 0], y, strict=True))
    assert np.array_equal(x, labelled(Frames(X, Y), 3, 0)[0])
    assert all(len(set(labelled(Frames(X, Y), 4, seed)[0][:, 0])) == 4 for seed in range(5))  # none twice


def test_frames_with_several_classes_all_count() -> None:
    hot = [np.zeros((3, 2), dtype=np.uint8), np.ones((4, 2), dtype=np.uint8)]
    x, y, _ = labelled(Frames(X, hot), 100, 0)
    assert len(x) == 7
    assert y.sum() == 8


def test_whole_items_are_taken_up_to_a_bound() -> None:
    frames, fewer = some_items(Frames(X, Y), 4, 0)
    assert fewer
    assert len(frames.x) == 1
    assert some_items(Frames(X, Y), 7, 0)[1] is False
    assert len(some_items(Frames(X, Y), 2, 0)[0].x) == 1  # one at least
    many = Frames(X * 20, Y * 20)
    assert [len(one) for one in some_items(many, 60, 1)[0].x] == [len(one) for one in some_items(many, 60, 1)[0].x]


def test_crops_of_a_clip_are_averaged() -> None:
    clips = np.array([0, 0, 1])
    assert per_clip(np.array([[1, 3], [3, 5], [7, 7]], dtype=np.float32), clips).tolist() == [[2, 4], [7, 7]]
    assert first_of_clip(np.array([4, 4, 9]), clips).tolist() == [4, 9]


def test_parts_are_joined_and_their_clips_numbered_on(scoring_job: Build) -> None:
    job = scoring_job()
    part = replace(job.parts["test"], clip=np.arange(30) // 2, kept=np.arange(30) % 2 == 0)
    job = replace(job, parts={**job.parts, "test": part, "valid": part})
    official, corrected = Items(job, ["test", "valid"]), Items(job, ["test", "valid"], corrected=True)
    assert len(official.x()) == len(official.y()) == 30
    assert len(corrected.x()) == 60
    assert corrected.clips().tolist() == [n // 2 for n in range(60)]
    nothing = Part(np.zeros((0, 16), dtype=np.float32), np.zeros(0, dtype=np.int64))
    whole = replace(job, parts={**job.parts, "nothing": nothing})
    assert Items(whole, ["nothing", "train", "test"], corrected=True).clips().tolist() == [
        *range(60), *(60 + n // 2 for n in range(30)),
    ]  # fmt: skip


def test_a_whole_part_is_not_copied_and_others_once(scoring_job: Build) -> None:
    job = scoring_job()
    train, test = np.asarray(job.parts["train"].x), np.asarray(job.parts["test"].x)
    assert Items(job, ["train"]).x() is job.parts["train"].x
    kept = np.arange(30) % 3 == 0
    job = replace(job, parts={**job.parts, "test": replace(job.parts["test"], kept=kept)})
    assert np.array_equal(Items(job, ["test", "train"]).x(), np.concatenate((test[kept], train)))
    assert np.array_equal(Items(job, ["test"]).x(), test[kept])


PART = Part(
    np.arange(14, dtype=np.float32).reshape(7, 2),
    np.arange(10),
    ("a", "b", "c"),
    offsets=np.array([0, 3, 4, 7]),
    label_offsets=np.array([0, 4, 5, 10]),
    kept=np.array([True, False, True]),
    true_frames=np.array([2, 1, 1]),
)


@pytest.mark.parametrize(
    ("part", "corrected", "x", "y"),
    [
        (PART, False, [[0, 2, 4], [8, 10, 12]], [[0, 1, 2, 3], [5, 6, 7, 8, 9]]),
        (PART, True, [[0, 2], [6], [8]], [[0, 1], [4], [5]]),
        (replace(PART, true_frames=None), True, [[0, 2, 4], [6], [8, 10, 12]], [[0, 1, 2], [4], [5, 6, 7]]),
        (replace(PART, label_offsets=None), False, [[0, 2, 4], [8, 10, 12]], [[0, 1, 2], [4, 5, 6]]),
    ],
)
def test_frames_come_with_the_labels_of_their_item(
    scoring_job: Build, part: Part, corrected: bool, x: list[list[int]], y: list[list[int]]
) -> None:
    items = Items(replace(scoring_job(), parts={"one": part, "more": part}), ["one", "more"], corrected=corrected)
    frames = items.frames()
    assert [one[:, 0].tolist() for one in frames.x] == x * 2
    assert [one.tolist() for one in frames.y] == y * 2


def test_what_x_ares_loses_has_neither_texts_nor_frames(scoring_job: Build) -> None:
    job = replace(scoring_job(), parts={"one": PART})
    official, corrected = Items(job, ["one"]), Items(job, ["one"], corrected=True)
    assert (official.texts(), corrected.texts()) == (["a", "c"], ["a", "b", "c"])
    assert [one[:, 0].tolist() for one in official.item_frames()] == [[0, 2, 4], [8, 10, 12]]


def test_embeddings_without_padding_are_for_the_corrected_figure(scoring_job: Build) -> None:
    part = Part(np.zeros((3, 2), dtype=np.float32), np.arange(3), true_x=np.ones((3, 2), dtype=np.float32))
    job = replace(scoring_job(), parts={"one": part})
    assert [Items(job, ["one"], corrected=corrected).x().sum() for corrected in (False, True)] == [0, 6]


def test_an_array_that_is_missing_is_an_error(scoring_job: Build) -> None:
    job = replace(scoring_job(), parts={"one": replace(PART, offsets=None)})
    with pytest.raises(ValueError, match="an array of the job is missing"):
        Items(job, ["one"]).frames()
