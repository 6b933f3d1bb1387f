"""How the evaluation's clips were encoded, and what the scores are held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.run import Ending, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping


LOG_MEL = "log-mel"
"""Name of the reference that a pre-trained encoder has to beat."""
ALL_ANSWERED = Outcome(Ending.ANSWERED, 0.0)


@dataclass(frozen=True)
class DataProblem:
    """A clip of a task's data that cannot be used.

    Attributes:
        shard: name of the file it lies in.
        key: of the clip, empty where the whole shard is meant.
        problem: what is wrong.
    """

    shard: str
    key: str
    problem: str


@dataclass(frozen=True)
class TaskRun:
    """What became of one task.

    Attributes:
        task: its id.
        outcome: how the encoder's last call ended; anything but `answered` ended the task.
        problem: why its embeddings cannot be used, empty if they can.
        batch: clips in the call that failed, or whose embedding cannot be used.
        at: the shard and the key of the clip that did it, as far as that is known.
        skipped: why it was not scored without any fault of the encoder, empty if it was.
        data: clips that could not be read.
        unseen: classes of the test data that the training data lacks.
        clips: that were encoded, those of an interrupted run included.
        resumed: of them, those that an earlier run had encoded.
        seconds: spent in calls of the encoder.
        audio_seconds: duration of what was encoded.
    """

    task: str
    outcome: Outcome = ALL_ANSWERED
    problem: str = ""
    batch: int = 0
    at: str = ""
    skipped: str = ""
    data: tuple[DataProblem, ...] = ()
    unseen: tuple[str, ...] = ()
    clips: int = 0
    resumed: int = 0
    seconds: float = 0.0
    audio_seconds: float = 0.0

    @property
    def scored(self) -> bool:
        """Whether it has a score."""
        return self.outcome.ending is Ending.ANSWERED and not (self.problem or self.skipped)


@dataclass(frozen=True)
class EncodingFacts:
    """The encoder's work for the evaluation, task by task.

    Attributes:
        tasks: that were asked for, in order.
    """

    tasks: tuple[TaskRun, ...]

    @property
    def seconds(self) -> float:
        """Spent in calls of the encoder."""
        return sum(one.seconds for one in self.tasks)

    @property
    def audio_seconds(self) -> float:
        """Duration of what was encoded."""
        return sum(one.audio_seconds for one in self.tasks)


@dataclass(frozen=True)
class Reference:
    """A known encoder's score on a task: of the built-in quick set as measured, of the challenge as published.

    `track_b` is None where the task does not count for track B.
    """

    name: str
    task: str
    metric: str
    track_a: float
    track_b: float | None


@dataclass(frozen=True)
class References:
    """Scores to hold a submission's own against.

    Attributes:
        scores: one for each encoder and task.
        notes: of a task, what keeps its figures from being compared as they stand.
    """

    scores: tuple[Reference, ...]
    notes: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str, task: str) -> Reference | None:
        """The score of one known encoder on one task."""
        return next((s for s in self.scores if s.name == name and s.task == task), None)

    def of(self, task: str) -> tuple[Reference, ...]:
        """All known encoders on one task."""
        return tuple(s for s in self.scores if s.task == task)
