"""Clips as points in a plane."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from audio_encoder_checker.evaluation.job import Part, Round, ScoringJob
from audio_encoder_checker.evaluation.scorer.projection import MOST_CLASSES, MOST_POINTS, projection
from tests.scoring import clip_part, task_of


def job_of(part: Part, **changes: Any) -> ScoringJob:
    rounds = (Round(("train",), ("train",), ("test",)),)
    return ScoringJob(task_of(**changes), {"train": part, "test": part}, rounds, 10.0, 10, 0.07, 42)


def test_classes_that_lie_apart_do_so_in_the_plane() -> None:
    found = projection(job_of(clip_part("clip-class", 80, 24, 8.0, 1)))
    assert found is not None
    points = np.array(found["points"])
    centres = np.array([points[points[:, 2] == label, :2].mean(axis=0) for label in range(4)])
    spread = max(points[points[:, 2] == label, :2].std() for label in range(4))
    gaps = [np.linalg.norm(a - b) for n, a in enumerate(centres) for b in centres[:n]]
    assert np.sort(gaps)[1] > 2 * spread, "three directions hold four classes, so two of them may meet in a plane"
    assert sum(found["shares"]) > 0.5


def test_the_plane_is_that_of_the_largest_variance_as_numpy_has_it() -> None:
    part = clip_part("clip-class", 60, 12, 1.0, 2)
    found = projection(job_of(part))
    assert found is not None
    units = np.asarray(part.x, dtype=np.float64)
    units = units / np.linalg.norm(units, axis=1, keepdims=True)
    spectrum = np.linalg.eigvalsh(np.cov(units.T))[::-1]
    np.testing.assert_allclose(found["shares"], spectrum[:2] / spectrum.sum(), rtol=1e-6)
    again = projection(job_of(Part(np.asarray(part.x) * 3, part.y)))
    assert again is not None
    np.testing.assert_allclose(again["points"], found["points"], atol=1e-5)


def test_many_clips_are_taken_evenly() -> None:
    found = projection(job_of(clip_part("clip-class", 1000, 8, 1.0, 3)))
    assert found is not None
    assert len(found["points"]) == MOST_POINTS
    assert {label for *_, label in found["points"]} == {0, 1, 2, 3}


def test_what_has_no_single_class_or_no_plane_has_no_points() -> None:
    assert projection(job_of(clip_part("clip-multilabel", 20, 8, 1.0, 4), kind="clip-multilabel")) is None
    assert projection(job_of(clip_part("clip-class", 20, 8, 1.0, 4), classes=MOST_CLASSES + 1)) is None
    equal = replace(clip_part("clip-class", 20, 8, 1.0, 4), x=np.ones((20, 8), dtype=np.float32))
    assert projection(job_of(equal)) is None
