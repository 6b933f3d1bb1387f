"""Encoded parts and their labels put together for the scorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evaluation.job import Part, ScoringJob
from audio_encoder_checker.evaluation.labels import as_array, class_names, label_frames, missing_from_training

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.encode import Manner
    from audio_encoder_checker.evaluation.job import Round
    from audio_encoder_checker.evaluation.store import PartStore, Record
    from audio_encoder_checker.rules import EvaluationRules


@dataclass(frozen=True, eq=False)
class Assembled:
    """A job for the scorer, and what was noticed on the way.

    Attributes:
        job: to be scored.
        unseen: classes of the test data that the training data lacks, in any round.
    """

    job: ScoringJob
    unseen: tuple[str, ...]


def assemble(
    stores: Mapping[str, PartStore], rounds: tuple[Round, ...], manner: Manner, rules: EvaluationRules, seed: int
) -> Assembled:
    """Make a job of the finished parts of a task.

    Raises:
        LabelError: labels do not fit the task.
    """
    task = manner.task
    names: tuple[Any, ...] = ()
    if task.kind not in ("retrieval", "asr", "clip-regression"):
        names = class_names(task, [record.label for store in stores.values() for record in store.records])
    job = ScoringJob(
        task=task,
        parts={name: _part(store, manner, names) for name, store in stores.items()},
        rounds=rounds,
        hop_ms=manner.hop_ms,
        neighbours=rules.knn_neighbours,
        temperature=rules.knn_temperature,
        seed=seed,
        corrected=manner.corrected,
    )
    return Assembled(job, _unseen(stores, rounds, names))


def _part(store: PartStore, manner: Manner, names: tuple[Any, ...]) -> Part:
    import numpy as np

    records = store.records
    labels = [record.label for record in records]
    frames = np.array([record.frames for record in records], dtype=np.int64)
    texts = manner.task.kind in ("retrieval", "asr")
    spans = label_frames(labels, frames.tolist(), manner.hop_ms) if manner.task.per_frame else None
    return Part(
        x=store.x,
        y=None if texts else as_array(manner.task, names, labels, spans, manner.hop_ms),
        texts=tuple(labels) if texts else None,
        offsets=np.concatenate(([0], np.cumsum(frames))) if manner.keeps_frames else None,
        label_offsets=np.concatenate(([0], np.cumsum(spans, dtype=np.int64))) if spans else None,
        kept=_marks(records),
        clip=np.array([record.clip for record in records], dtype=np.int64),
        true_x=store.true_x,
        true_frames=np.array([record.true_frames for record in records], dtype=np.int64) if manner.corrected else None,
    )


def _marks(records: Sequence[Record]) -> NDArray[np.bool_] | None:
    """Which items X-ARES keeps, None if all."""
    import numpy as np

    marks = np.array([record.kept for record in records], dtype=bool)
    return None if marks.all() else marks


def _unseen(stores: Mapping[str, PartStore], rounds: tuple[Round, ...], names: tuple[Any, ...]) -> tuple[str, ...]:
    def labels(parts: Sequence[str]) -> list[Any]:
        return [record.label for name in parts for record in stores[name].records if record.kept]

    unseen = [missing_from_training(names, labels(one.train), labels(one.test)) for one in rounds]
    return tuple(dict.fromkeys(name for some in unseen for name in some))
