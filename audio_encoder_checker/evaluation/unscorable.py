"""What must not be scored: its score would mean nothing, and look like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.job import Part, ScoringJob

SMALLEST_NORM = 1e-12
"""Below it a vector is as good as zero: X-ARES divides by this instead of the vector's norm."""
ROWS = 16384
"""Embeddings that are looked at together."""


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


def problem_of(job: ScoringJob) -> str:
    """Why a job cannot be scored, empty if it can."""
    for name, part in job.parts.items():
        problem = _shape_problem(part) or _embeddings_problem(part)
        if problem:
            return f"{name}: {problem}"
    return _labels_problem(job)


def _items(part: Part) -> int:
    return len(part.offsets) - 1 if part.offsets is not None else len(part.x)  # type: ignore[arg-type]  # an array by now


def _labels_problem(job: ScoringJob) -> str:
    fewest = job.neighbours if job.task.track_b else 1
    for one in job.rounds:
        if sum(_items(job.parts[name]) for name in one.train) < fewest:
            return f"needs {fewest} training clips at least"
        if not all(sum(_items(job.parts[name]) for name in names) for names in one):
            return "a split has no clips"
    if not job.task.kind.endswith("-class"):
        return ""
    for name, part in job.parts.items():
        if part.y is not None and len(part.y) and (part.y.min() < -1 or part.y.max() >= job.task.classes):
            return f"{name}: labels go from {part.y.min()} to {part.y.max()}, expected 0 to {job.task.classes - 1}"
    return ""


def _shape_problem(part: Part) -> str:
    x: Any = part.x
    if x.ndim != 2 or x.shape[1] == 0:
        return f"expected embeddings of shape [N, D], found {x.shape}"
    labels = part.y if part.y is not None else part.texts
    expected = len(x) if part.texts is None else _items(part)
    if labels is None or len(labels) != expected:
        return f"{expected} embeddings and {0 if labels is None else len(labels)} labels do not match"
    return ""


def _embeddings_problem(part: Part) -> str:
    import numpy as np

    x: Any = part.x
    same, largest = True, 0.0
    per_clip = part.offsets is None
    zeros = []
    for first, block in _blocks(x):
        broken = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if broken.size:
            return f"{broken.size} embeddings or more of {len(x)} are NaN or infinite, the first is {first + broken[0]}"
        squares = np.square(block, dtype=np.float64).sum(axis=1)
        largest = max(largest, float(squares.sum()))
        zeros += [first + row for row in np.flatnonzero(squares < SMALLEST_NORM**2)[:1]]
        same = same and bool((block == x[0]).all())
    if largest > float(np.finfo(np.float32).max):
        return "the embeddings are so large that they overflow float32 when squared"
    if zeros and per_clip:
        return f"embeddings are all zero, the first is {zeros[0]} of {len(x)}"
    return f"all {len(x)} embeddings are the same" if same and len(x) > 1 else ""


def _blocks(x: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for first in range(0, len(x), ROWS):
        yield first, x[first : first + ROWS]
