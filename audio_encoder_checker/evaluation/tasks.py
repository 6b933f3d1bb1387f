"""The tasks of the evaluation: labelled audio with a metric and the recipe to train on it, read from TOML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audio_encoder_checker import toml
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.rules import RESOURCES

QUICK_TASKS = ("quick-speech", "quick-sound", "quick-music")
"""Ids of the tasks of the built-in quick set, one for each domain of the challenge."""


@dataclass(frozen=True)
class Task:
    """One task: what its clips are, and how X-ARES would train and weigh it.

    Attributes:
        id: name of its file in `resources/tasks`, without the suffix.
        title: for people.
        domain: one of the challenge's three.
        kind: what carries a label; a clip.
        metric: what is reported, higher is better.
        classes: number of classes, labels are 0 to classes - 1.
        epochs: of track A.
        batch_size: of track A, in clips.
        learning_rate: at the start of track A.
        weight: in the weighted averages of both tracks.
        track_b: whether it counts for track B, too.
    """

    id: str
    title: str
    domain: Literal["speech", "sound", "music"]
    kind: Literal["clip"]
    metric: Literal["accuracy"]
    classes: int
    epochs: int
    batch_size: int
    learning_rate: float
    weight: float
    track_b: bool


def load_task(task_id: str) -> Task:
    """Read one task by its id.

    Raises:
        UsageError: there is no such task.
    """
    folder = RESOURCES / "tasks"
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if task_id not in known:
        raise UsageError(f"there is no task {task_id!r}", f"choose one of {', '.join(known)}")
    return Task(**toml.loads((folder / f"{task_id}.toml").read_text(encoding="utf-8")))


def quick_tasks() -> tuple[Task, ...]:
    """The tasks of the built-in quick set."""
    return tuple(load_task(task_id) for task_id in QUICK_TASKS)
