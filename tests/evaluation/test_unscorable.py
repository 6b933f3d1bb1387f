from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import EmbeddedTask, ScoringJob
from audio_encoder_checker.evaluation.unscorable import UnscorableError, refuse_unscorable

if TYPE_CHECKING:
    from collections.abc import Callable


def problem_of(one: EmbeddedTask) -> str:
    try:
        refuse_unscorable(ScoringJob((one,), neighbours=10, temperature=0.07, seed=0))
    except UnscorableError as error:
        return error.problem
    return ""


def changed(one: EmbeddedTask, clip: int | slice, value: float) -> EmbeddedTask:
    vectors = one.embeddings.copy()
    vectors[clip] = value
    return replace(one, embeddings=vectors)


def with_train(one: EmbeddedTask, clips: int) -> EmbeddedTask:
    kept = (one.split != 0) | (np.cumsum(one.split == 0) <= clips)
    return replace(one, embeddings=one.embeddings[kept], labels=one.labels[kept], split=one.split[kept])


def test_ordinary_embeddings_are_accepted(embedded_task: Callable[..., EmbeddedTask]) -> None:
    assert problem_of(embedded_task()) == ""


@pytest.mark.parametrize(
    ("clip", "value", "problem"),
    [
        (7, np.nan, "embeddings of 1 of 120 clips are NaN or infinite, the first is clip 7"),
        (slice(3, 5), -np.inf, "embeddings of 2 of 120 clips are NaN or infinite, the first is clip 3"),
        (100, 0.0, "embeddings of 1 of 120 clips are all zero, the first is clip 100"),
        (2, 1e-20, "embeddings of 1 of 120 clips are all zero, the first is clip 2"),
        (slice(None), 0.25, "embeddings of all 120 clips are the same"),
        (9, 1e30, "embeddings as large as 1e+30 overflow float32 when squared"),
    ],
)
def test_embeddings_whose_score_would_be_chance_are_refused(
    embedded_task: Callable[..., EmbeddedTask], clip: int | slice, value: float, problem: str
) -> None:
    assert problem_of(changed(embedded_task(), clip, value)) == problem


def test_fewer_training_clips_than_neighbours_are_refused_and_as_many_will_do(
    embedded_task: Callable[..., EmbeddedTask],
) -> None:
    one = embedded_task()
    assert problem_of(with_train(one, 9)) == "needs 10 training clips at least, found 9"
    assert problem_of(with_train(one, 10)) == ""
    assert problem_of(with_train(embedded_task(track_b=False), 1)) == ""


@pytest.mark.parametrize(("split", "name"), [(1, "validation"), (2, "test")])
def test_a_split_without_clips_is_refused(embedded_task: Callable[..., EmbeddedTask], split: int, name: str) -> None:
    one = embedded_task()
    none_left = replace(one, split=np.where(one.split == split, 0, one.split).astype(np.uint8))
    assert problem_of(none_left) == f"needs 1 {name} clips at least, found 0"


@pytest.mark.parametrize(("label", "span"), [(-1, "-1 to 3"), (4, "0 to 4")])
def test_a_label_of_no_class_is_refused(embedded_task: Callable[..., EmbeddedTask], label: int, span: str) -> None:
    one = embedded_task()
    labels = one.labels.copy()
    labels[50] = label
    assert problem_of(replace(one, labels=labels)) == f"labels go from {span}, expected 0 to 3"


def test_embeddings_that_are_no_vectors_are_refused(embedded_task: Callable[..., EmbeddedTask]) -> None:
    one = embedded_task()
    assert (
        problem_of(replace(one, embeddings=one.embeddings[:, :0]))
        == "expected embeddings of shape [N, D], found (120, 0)"
    )
    assert problem_of(replace(one, embeddings=one.embeddings[..., None])).endswith("found (120, 16, 1)")


def test_a_lost_clip_is_refused(embedded_task: Callable[..., EmbeddedTask]) -> None:
    one = embedded_task()
    assert problem_of(replace(one, embeddings=one.embeddings[1:])) == (
        "119 embeddings, 120 labels and 120 splits do not match"
    )
