"""Tasks and embeddings of every kind, for tests of what scores them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from audio_encoder_checker.evaluation.job import Part
from audio_encoder_checker.evaluation.tasks import Task, Training

if TYPE_CHECKING:
    from numpy.typing import NDArray


def task_of(kind: str = "clip-class", **changes: Any) -> Task:
    metrics = {
        "clip-class": "accuracy", "clip-multilabel": "mAP", "clip-regression": "MSE", "frame-class": "accuracy",
        "frame-multilabel": "segment-F1-macro", "retrieval": "recall@1", "asr": "iWER",
    }  # fmt: skip
    task = Task(
        id=f"a-{kind}",
        title="A task",
        domain="sound",
        kind=kind,  # type: ignore[arg-type]  # of a test
        metric=metrics[kind],
        classes=4,
        weight=100.0,
        track_b=kind in ("clip-class", "frame-class", "frame-multilabel"),
        segment_s=0.2,
        training=Training(epochs=10, batch_size=16, learning_rate=0.02),
    )
    return replace(task, **changes)


def clip_part(kind: str, clips: int, dim: int, apart: float, seed: int) -> Part:
    """Clips around centres of their classes, `apart` times unit noise away from one another."""
    centres = apart * np.random.default_rng(5).standard_normal((4, dim))
    draw = np.random.default_rng((7, seed))
    labels = np.arange(clips, dtype=np.int64) % 4
    hot = np.eye(4, dtype=np.uint8)[labels]
    if kind == "clip-multilabel":
        hot[np.arange(clips), draw.integers(0, 4, clips)] = 1
    x = (hot @ centres + draw.standard_normal((clips, dim))).astype(np.float32)
    if kind == "retrieval":
        words = ("dog", "cat", "rain", "bell")
        texts = tuple((f"a {words[one]} number{number}", f"{words[one]}") for number, one in enumerate(labels))
        return Part(x, texts=texts)
    y: dict[str, NDArray[Any]] = {"clip-class": labels, "clip-multilabel": hot}
    return Part(x, y.get(kind, hot.astype(np.float32)))


def frame_part(kind: str, clips: int, dim: int, apart: float, seed: int) -> Part:
    """Clips of 20 to 40 frames in runs of one class; every fourth run has none."""
    centres = apart * np.random.default_rng(5).standard_normal((5, dim))
    centres[4] = 0
    draw = np.random.default_rng((7, seed))
    counts = draw.integers(20, 41, clips)
    classes = np.concatenate([np.repeat(draw.integers(0, 5, 10), 4)[:count] for count in counts])
    x = (centres[classes] + draw.standard_normal((len(classes), dim))).astype(np.float32)
    y = np.where(classes < 4, classes, -1) if kind == "frame-class" else np.eye(5, 4, dtype=np.uint8)[classes]
    return Part(x, y, offsets=np.concatenate(([0], np.cumsum(counts))))
