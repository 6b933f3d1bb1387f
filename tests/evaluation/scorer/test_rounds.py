from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

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
    x, y, left_out = labelled(Frames(X, Y), 100, 0)
    assert x[:, 0].tolist() == [0, 4, 6, 8, 12]
    assert y.tolist() == [0, 1, 2, 2, 3]
    assert not left_out


def test_a_few_of_them_are_chosen_by_the_seed() -> None:
    x, y, left_out = labelled(Frames(X, Y), 3, 0)
    assert left_out
    assert len(x) == len(y) == 3
    pairs = dict(zip([0, 4, 6, 8, 12], [0, 1, 2, 2, 3], strict=True))
    assert all(pairs[int(one)] == own for one, own in zip(x[:, 0], y, strict=True))
    assert np.array_equal(x, labelled(Frames(X, Y), 3, 0)[0])


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


def test_a_whole_part_is_not_copied_and_others_once(scoring_job: Build) -> None:
    job = scoring_job()
    train, test = np.asarray(job.parts["train"].x), np.asarray(job.parts["test"].x)
    assert Items(job, ["train"]).x() is job.parts["train"].x
    kept = np.arange(30) % 3 == 0
    job = replace(job, parts={**job.parts, "test": replace(job.parts["test"], kept=kept)})
    assert np.array_equal(Items(job, ["test", "train"]).x(), np.concatenate((test[kept], train)))
