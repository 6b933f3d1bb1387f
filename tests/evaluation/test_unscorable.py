from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.unscorable import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from audio_encoder_checker.evaluation.job import ScoringJob

    Build = Callable[..., ScoringJob]


def changed(job: ScoringJob, part: str, **changes: Any) -> ScoringJob:
    return replace(job, parts={**job.parts, part: replace(job.parts[part], **changes)})


def with_value(job: ScoringJob, rows: int | slice, value: float) -> ScoringJob:
    x = np.array(job.parts["test"].x)
    x[rows] = value
    return changed(job, "test", x=x)


@pytest.mark.parametrize("kind", ["clip-class", "clip-regression", "frame-class", "frame-multilabel", "retrieval"])
def test_ordinary_embeddings_are_accepted(scoring_job: Build, kind: str) -> None:
    assert problem_of(scoring_job(kind)) == ""


@pytest.mark.parametrize(
    ("rows", "value", "problem"),
    [
        (7, np.nan, "1 embeddings or more of 30 are NaN or infinite, the first is 7"),
        (slice(3, 5), -np.inf, "2 embeddings or more of 30 are NaN or infinite, the first is 3"),
        (10, 0.0, "embeddings are all zero, the first is 10 of 30"),
        (2, 1e-20, "embeddings are all zero, the first is 2 of 30"),
        (slice(None), 0.25, "all 30 embeddings are the same"),
        (9, 1e30, "the embeddings are so large that they overflow float32 when squared"),
    ],
)
def test_embeddings_whose_score_would_be_chance_are_refused(
    scoring_job: Build, rows: int | slice, value: float, problem: str
) -> None:
    assert problem_of(with_value(scoring_job(), rows, value)) == f"test: {problem}"


def test_a_single_embedding_is_not_all_the_same(scoring_job: Build) -> None:
    job = scoring_job()
    x, y = np.array(job.parts["test"].x), np.array(job.parts["test"].y)
    assert problem_of(changed(job, "test", x=x[:1], y=y[:1])) == ""
    assert problem_of(changed(job, "test", y=None)) == "test: 30 embeddings and 0 labels do not match"


def test_a_silent_frame_among_many_may_be_zero(scoring_job: Build) -> None:
    assert problem_of(with_value(scoring_job("frame-class"), 3, 0.0)) == ""


def test_fewer_training_clips_than_neighbours_are_refused(scoring_job: Build) -> None:
    assert problem_of(scoring_job(clips=18)) == "needs 10 training clips at least"
    assert problem_of(scoring_job(clips=18, track_b=False)) == ""


@pytest.mark.parametrize(("label", "span"), [(-2, "-2 to 3"), (-1, "-1 to 3"), (4, "0 to 4")])
def test_a_label_of_no_class_is_refused(scoring_job: Build, label: int, span: str) -> None:
    job = scoring_job()
    y = np.array(job.parts["train"].y)
    y[50] = label
    assert problem_of(changed(job, "train", y=y)) == f"train: labels go from {span}, expected 0 to 3"


def test_embeddings_that_are_no_vectors_are_refused(scoring_job: Build) -> None:
    job = scoring_job()
    x = np.array(job.parts["test"].x)
    assert problem_of(changed(job, "test", x=x[:, :0])) == "test: expected embeddings of shape [N, D], found (30, 0)"


def test_labels_that_outlast_the_frames_of_an_item_are_accepted(scoring_job: Build) -> None:
    job = scoring_job("frame-multilabel")
    part = job.parts["test"]
    assert part.offsets is not None
    y = np.array(part.y)
    longer = np.concatenate([y, y[-2:]])
    label_offsets = part.offsets.copy()
    label_offsets[-1] += 2
    assert problem_of(changed(job, "test", y=longer, label_offsets=label_offsets)) == ""
    total = len(y)
    assert problem_of(changed(job, "test", y=y, label_offsets=label_offsets)) == (
        f"test: {total + 2} embeddings and {total} labels do not match"
    )
    shorter = changed(job, "test", x=np.array(part.x)[:-1], y=longer, label_offsets=label_offsets)
    assert problem_of(shorter) == f"test: {total - 1} embeddings, where the items have {total} frames"


def test_a_lost_clip_is_refused(scoring_job: Build) -> None:
    job = scoring_job()
    x = np.array(job.parts["test"].x)
    assert problem_of(changed(job, "test", x=x[1:])) == "test: 29 embeddings and 30 labels do not match"


def test_clips_that_x_ares_loses_are_no_neighbours(scoring_job: Build) -> None:
    kept = np.arange(60) < 9
    assert problem_of(changed(scoring_job(), "train", kept=kept)) == "needs 10 training clips at least"


@pytest.mark.parametrize(
    ("part", "labelled", "problem"),
    [
        ("train", 9, "needs 10 training frames with a label at least"),
        ("test", 0, "a split has no frames with a label"),
        ("test", 1, ""),
    ],
)
def test_frames_without_labels_do_not_count(scoring_job: Build, part: str, labelled: int, problem: str) -> None:
    job = scoring_job("frame-class")
    y = np.full_like(np.asarray(job.parts[part].y), -1)
    y[:labelled] = 2
    assert problem_of(changed(job, part, y=y)) == problem


@pytest.mark.parametrize("metrics", [{"metric": "EER"}, {"also": ("EER",)}])
@pytest.mark.parametrize("part", ["valid", "test"])
def test_an_equal_error_rate_needs_both_classes(scoring_job: Build, metrics: dict[str, Any], part: str) -> None:
    job = scoring_job(classes=2, **metrics)
    for name, one in job.parts.items():
        job = changed(job, name, y=np.asarray(one.y) % 2)
    assert problem_of(job) == ""
    found = problem_of(changed(job, part, y=np.ones_like(np.asarray(job.parts[part].y))))
    assert found == f"{part}: an equal error rate needs clips of both classes, found class 1 alone"
