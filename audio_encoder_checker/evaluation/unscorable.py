"""What must not be scored: its score would mean nothing, and look like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.job import Part, Round, ScoringJob

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


def _labels_problem(job: ScoringJob) -> str:
    for one in job.rounds:
        problem = _round_problem(job, one)
        if problem:
            return problem
    if not job.task.kind.endswith("-class"):
        return ""
    smallest = -1 if job.task.per_frame else 0  # a frame may have no label, a clip must have one (quirk 24)
    for name, part in job.parts.items():
        if part.y is not None and len(part.y) and (part.y.min() < smallest or part.y.max() >= job.task.classes):
            return f"{name}: labels go from {part.y.min()} to {part.y.max()}, expected 0 to {job.task.classes - 1}"
    return ""


def _round_problem(job: ScoringJob, one: Round) -> str:
    what = "frames with a label" if job.task.per_frame else "clips"
    fewest = job.neighbours if job.task.track_b else 1
    train, *judged = (sum(_counted(job, job.parts[name]) for name in names) for names in one)
    if train < fewest:
        return f"needs {fewest} training {what} at least"
    if not all(judged):
        return f"a split has no {what}"
    if "EER" not in (job.task.metric, *job.task.also):
        return ""
    for names in (one.valid, one.test):
        found = {label for name in names for label in set(_kept_labels(job.parts[name]).tolist())}
        if len(found) == 1:
            only = found.pop()
            return f"{', '.join(names)}: an equal error rate needs clips of both classes, found class {only} alone"
    return ""


def _counted(job: ScoringJob, part: Part) -> int:
    """What a part adds to training or test: clips that X-ARES keeps, or frames that have a label."""
    if not job.task.per_frame:
        return part.items if part.kept is None else int(part.kept.sum())
    if part.y is None:
        return 0
    return len(part.y) if part.y.ndim == 2 else int((part.y >= 0).sum())


def _kept_labels(part: Part) -> NDArray[Any]:
    import numpy as np

    labels = np.asarray(part.y)
    return labels if part.kept is None else labels[part.kept]


def _shape_problem(part: Part) -> str:
    x: Any = part.x
    if x.ndim != 2 or x.shape[1] == 0:
        return f"expected embeddings of shape [N, D], found {x.shape}"
    labels = part.y if part.y is not None else part.texts
    expected = len(x) if part.texts is None else part.items
    if part.label_offsets is not None and part.offsets is not None:  # labels may outlast frames: `labels.label_frames`
        if len(x) != part.offsets[-1]:
            return f"{len(x)} embeddings, where the items have {part.offsets[-1]} frames"
        expected = int(part.label_offsets[-1])
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
