"""What the scorer process is asked: embeddings and labels of some tasks, in a file without pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evaluation.tasks import Task

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

ARRAYS = {"embeddings": "float32", "labels": "int64", "split": "uint8"}
"""The arrays of a task in the file, and their types."""


@dataclass(frozen=True, eq=False)
class EmbeddedTask:
    """A task whose clips were encoded.

    Attributes:
        task: its recipe.
        embeddings: float32 [N, D], one vector for each clip.
        labels: int64 [N].
        split: uint8 [N], 0 train, 1 valid, 2 test.
    """

    task: Task
    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]
    split: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ScoringJob:
    """Everything the scorer has to know.

    Attributes:
        tasks: to score, under both tracks.
        neighbours: k of track B.
        temperature: of track B.
        seed: of initial weights, shuffling and bootstrap.
    """

    tasks: tuple[EmbeddedTask, ...]
    neighbours: int
    temperature: float
    seed: int


def write_job(path: Path, job: ScoringJob) -> None:
    """Write an `.npz` that holds arrays of numbers and one JSON text, hence no pickle.

    Raises:
        OSError: it cannot be written.
    """
    import numpy as np

    text = json.dumps(
        {
            "tasks": [asdict(one.task) for one in job.tasks],
            "neighbours": job.neighbours,
            "temperature": job.temperature,
            "seed": job.seed,
        }
    )
    arrays: dict[str, Any] = {
        f"{number}.{name}": np.asarray(getattr(one, name), dtype=dtype)
        for number, one in enumerate(job.tasks)
        for name, dtype in ARRAYS.items()
    }
    np.savez(path, job=np.array(text), **arrays)


def read_job(path: Path) -> ScoringJob:
    """Read what `write_job` wrote.

    Raises:
        OSError: it cannot be read.
        KeyError, ValueError: it is something else.
    """
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        data = json.loads(str(arrays["job"]))
        tasks = tuple(
            EmbeddedTask(Task(**task), *(arrays[f"{number}.{name}"] for name in ARRAYS))
            for number, task in enumerate(data["tasks"])
        )
    return ScoringJob(tasks, data["neighbours"], data["temperature"], data["seed"])
