"""What must not be scored: its score would mean nothing, and look like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.clips import TEST, TRAIN, VALID

if TYPE_CHECKING:
    from audio_encoder_checker.evaluation.job import EmbeddedTask, ScoringJob

SMALLEST_NORM = 1e-12
"""Below it a vector is as good as zero: X-ARES divides by this instead of the vector's norm."""


class UnscorableError(Exception):
    """A score of this task would mean nothing, although X-ARES might print one (quirk 7).

    Attributes:
        task: the task's id.
        problem: what is wrong with its embeddings or labels.
    """

    def __init__(self, task: str, problem: str) -> None:
        super().__init__(f"task {task}: {problem}")
        self.task = task
        self.problem = problem


def refuse_unscorable(job: ScoringJob) -> None:
    """Let pass only what both tracks can score.

    Raises:
        UnscorableError: of the first task that cannot be scored.
    """
    for one in job.tasks:
        problem = _labels_problem(one, job.neighbours) or _embeddings_problem(one)
        if problem:
            raise UnscorableError(one.task.id, problem)


def _labels_problem(one: EmbeddedTask, neighbours: int) -> str:
    if not len(one.embeddings) == len(one.labels) == len(one.split):
        return f"{len(one.embeddings)} embeddings, {len(one.labels)} labels and {len(one.split)} splits do not match"
    fewest = {"training": (TRAIN, neighbours if one.task.track_b else 1), "validation": (VALID, 1), "test": (TEST, 1)}
    for name, (split, least) in fewest.items():
        found = int((one.split == split).sum())
        if found < least:
            return f"needs {least} {name} clips at least, found {found}"
    if one.labels.min() < 0 or one.labels.max() >= one.task.classes:
        return f"labels go from {one.labels.min()} to {one.labels.max()}, expected 0 to {one.task.classes - 1}"
    return ""


def _embeddings_problem(one: EmbeddedTask) -> str:
    import numpy as np

    vectors = one.embeddings
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        return f"expected embeddings of shape [N, D], found {vectors.shape}"
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if broken.size:
        return f"embeddings of {broken.size} of {len(vectors)} clips are NaN or infinite, the first is clip {broken[0]}"
    squares = np.square(vectors, dtype=np.float64)
    if squares.sum() > np.finfo(np.float32).max:
        return f"embeddings as large as {np.abs(vectors).max():g} overflow float32 when squared"
    zero = np.flatnonzero(squares.sum(axis=1) < SMALLEST_NORM**2)
    if zero.size:
        return f"embeddings of {zero.size} of {len(vectors)} clips are all zero, the first is clip {zero[0]}"
    if (vectors == vectors[0]).all():
        return f"embeddings of all {len(vectors)} clips are the same"
    return ""
