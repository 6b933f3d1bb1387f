"""Scores to hold a submission's own against: measured ones for the quick set, published ones for the challenge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.evaluation import Reference, References
from audio_encoder_checker.rules import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audio_encoder_checker.evaluation.tasks import Task

ON_MINI_DATA = "the baselines were measured on its mini shards"


def quick_references() -> References:
    """Measured scores of known encoders on the quick set, from `resources/references/quick.json`."""
    path = RESOURCES / "references" / "quick.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return References(tuple(Reference(**entry) for entry in data["scores"]))


def baselines(tasks: Iterable[Task], *, mini: bool) -> References:
    """The four baselines of the challenge page, for the tasks that it lists."""
    scores, notes = [], {}
    for task in tasks:
        for name, (track_a, *track_b) in task.baselines.items():
            scores.append(Reference(name, task.id, task.metric, track_a, track_b[0] if track_b else None))
        if task.baselines_mini and not mini:
            notes[task.id] = ON_MINI_DATA
    return References(tuple(scores), notes)
