"""How encoding the evaluation's clips went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.run import Outcome


LOG_MEL = "log-mel"
"""Name of the reference that a pre-trained encoder has to beat."""


@dataclass(frozen=True)
class EncodingFacts:
    """The encoder's work for the evaluation.

    Attributes:
        outcome: how the last call ended; anything but `answered` broke the evaluation off.
        task: the task being encoded then, empty if all were.
        problem: why a returned embedding cannot be used, empty if it can.
        seconds: spent in calls of the encoder.
        audio_seconds: duration of what was encoded.
    """

    outcome: Outcome
    task: str
    problem: str
    seconds: float
    audio_seconds: float


@dataclass(frozen=True)
class Reference:
    """A known encoder's score on a task of the built-in quick set, accuracy in [0, 1]."""

    name: str
    task: str
    track_a: float
    track_b: float


@dataclass(frozen=True)
class References:
    """Scores to hold a submission's own against."""

    scores: tuple[Reference, ...]

    def find(self, name: str, task: str) -> Reference | None:
        """The score of one known encoder on one task."""
        return next((s for s in self.scores if s.name == name and s.task == task), None)
