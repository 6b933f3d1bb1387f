"""The tasks of the evaluation: labelled audio with a metric and the recipe to train on it, read from TOML."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from audio_encoder_checker import toml
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.rules import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Domain = Literal["speech", "sound", "music"]
Kind = Literal[
    "clip-class",  # one of some classes for each clip
    "clip-multilabel",  # any of some classes for each clip
    "clip-regression",  # some numbers for each clip
    "frame-class",  # one of some classes for each frame, or none
    "frame-multilabel",  # any of some classes for each frame
    "retrieval",  # captions and clips find one another
    "asr",  # what is said, word by word
]


@dataclass(frozen=True)
class Training:
    """How track A is trained.

    Attributes:
        epochs: passes over the training items.
        batch_size: items.
        learning_rate: at the start.
        pos_weight: of the positive class in binary cross entropy, for multi-label kinds.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    pos_weight: float = 1.0


@dataclass(frozen=True)
class Encoding:
    """How clips are handed to the encoder.

    Attributes:
        batch: clips that are zero-padded to the longest and encoded at once.
        crop_s: length in seconds of the pieces that a clip is cut into, None for whole clips.
        hours: of audio that X-ARES encodes, padding and all splits included, from and to; None where nobody knows.
    """

    batch: int = 16
    crop_s: int | None = None
    hours: tuple[float, float] | None = None


@dataclass(frozen=True)
class Labels:
    """Where labels lie in a clip's JSON document, and what they mean.

    Attributes:
        field: key of the label; empty if the whole document is the label.
        names: the classes in the order of their numbers; empty for the sorted labels found in the data.
        aliases: other words for a class, for example `{"1": "spoof"}`.
        otherwise: the class of every label that is not among the names, empty if that is an error.
        separator: between the classes in one text, for multi-label kinds.
        scale: what numbers are divided by, for regression.
    """

    field: str = ""
    names: tuple[str, ...] = ()
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    otherwise: str = ""
    separator: str = ""
    scale: float = 1.0


@dataclass(frozen=True)
class Layout:
    """Which shards hold which split; a shard of prefix P is any `P*.tar` in the task's folder.

    Attributes:
        train, valid, test: prefixes; two of them may be the same. Empty where there are folds.
        folds: prefixes; each fold is test and validation data once (quirk 5), the others are for training.
        mini: X-ARES's smaller shards by split, for a fast run.
        zenodo: number of the public record, empty where there is none.
        folder: whose shards these are, empty for the task's own.
    """

    train: str = ""
    valid: str = ""
    test: str = ""
    folds: tuple[str, ...] = ()
    mini: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    zenodo: str = ""
    folder: str = ""


@dataclass(frozen=True)
class Task:
    """One task: what its clips are, and how X-ARES would train and weigh it.

    Attributes:
        id: name of its file in `resources/tasks`, without the suffix; of its folder on disk.
        title: for people.
        domain: one of the challenge's three.
        kind: what carries a label.
        metric: what is reported and averaged, as in X-ARES.
        also: metrics reported beside it: the rule book's, where that names another.
        classes: number of classes, or of numbers in a regression; 0 for retrieval and ASR.
        weight: in the weighted averages of both tracks.
        track_b: whether it counts for track B, too.
        hidden: the organisers alone have its data.
        segment_s: length of a segment in seconds, for segment-F1.
        note: what differs between rule book and X-ARES, or how we define what X-ARES lacks.
        baselines_mini: those were measured on the mini shards.
        baselines: scores of the challenge page by encoder: track A, and track B where there is one.
    """

    id: str
    title: str
    domain: Domain
    kind: Kind
    metric: str
    classes: int
    weight: float
    track_b: bool
    training: Training
    also: tuple[str, ...] = ()
    hidden: bool = False
    segment_s: float = 1.0
    note: str = ""
    encoding: Encoding = dataclasses.field(default_factory=Encoding)
    labels: Labels = dataclasses.field(default_factory=Labels)
    layout: Layout = dataclasses.field(default_factory=Layout)
    baselines_mini: bool = False
    baselines: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)

    @property
    def per_frame(self) -> bool:
        """Whether each frame has a label of its own."""
        return self.kind.startswith("frame-")

    @property
    def folder(self) -> str:
        """Name of the folder that its shards lie in."""
        return self.layout.folder or self.id

    @property
    def built_in(self) -> bool:
        """Whether its clips are generated."""
        return self.id.startswith("quick-")


def as_task(data: Mapping[str, Any]) -> Task:
    """A task from what stands in its file, or from `dataclasses.asdict` of one."""
    return Task(
        **{
            **data,
            "training": Training(**data["training"]),
            "also": tuple(data.get("also", ())),
            "encoding": Encoding(**_tuples(data.get("encoding", {}), "hours")),
            "labels": Labels(**_tuples(data.get("labels", {}), "names")),
            "layout": _layout(data.get("layout", {})),
            "baselines": {name: tuple(scores) for name, scores in data.get("baselines", {}).items()},
        }
    )


def _layout(data: Mapping[str, Any]) -> Layout:
    mini = {split: tuple(prefixes) for split, prefixes in data.get("mini", {}).items()}
    return Layout(**{**_tuples(data, "folds"), "mini": mini})


def _tuples(data: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: tuple(value) if key in keys and value is not None else value for key, value in data.items()}


@cache
def all_tasks() -> Mapping[str, Task]:
    """Every task there is by its id, domain by domain."""
    tasks = [as_task(toml.loads(path.read_text(encoding="utf-8"))) for path in (RESOURCES / "tasks").glob("*.toml")]
    order = get_args(Domain)
    return {task.id: task for task in sorted(tasks, key=lambda task: (order.index(task.domain), task.id))}


def choose_tasks(ids: Iterable[str]) -> tuple[Task, ...]:
    """Tasks by their ids, in the order given.

    Raises:
        UsageError: there is no such task.
    """
    tasks = all_tasks()
    chosen = list(ids)
    unknown = [task_id for task_id in chosen if task_id not in tasks]
    if unknown:
        raise UsageError(f"there is no task {unknown[0]!r}", f"choose among {', '.join(tasks)}")
    return tuple(tasks[task_id] for task_id in chosen)


def quick_tasks() -> tuple[Task, ...]:
    """The tasks of the built-in quick set."""
    return tuple(task for task in all_tasks().values() if task.built_in)


def challenge_tasks() -> tuple[Task, ...]:
    """The tasks of the challenge, whose data has to be on disk."""
    return tuple(task for task in all_tasks().values() if not task.built_in)
