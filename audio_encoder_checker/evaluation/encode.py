"""Clips of a part in, embeddings on disk out: the encoder is asked batch by batch, as X-ARES would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.ahead import read_ahead
from audio_encoder_checker.evaluation.batches import make_batches
from audio_encoder_checker.evaluation.pooling import mean_over_frames
from audio_encoder_checker.evaluation.store import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.batches import Batch
    from audio_encoder_checker.evaluation.clips import Clip, Position
    from audio_encoder_checker.evaluation.store import PartStore
    from audio_encoder_checker.evaluation.tasks import Task

    Encode = Callable[[Batch], NDArray[np.float32]]
    """A batch of audio in, frames [B, T, D] out."""
    Problems = list[tuple[str, str, str]]
    """Shard, key and problem of each clip that could not be read."""
    Source = Callable[[Position, Problems], Iterator[Clip]]
    """The clips of a part from a position on; what cannot be read is noted."""

BATCHES_AHEAD = 2
BATCHES_BEFORE_COMMIT = 64


@dataclass(frozen=True)
class Manner:
    """How a task is encoded.

    Attributes:
        task: the task.
        rate_hz: of the encoder.
        hop_ms: from frame to frame, as declared.
        corrected: keep what the corrected figures need.
    """

    task: Task
    rate_hz: int
    hop_ms: float
    corrected: bool = False

    @property
    def keeps_frames(self) -> bool:
        """Whether frames are stored, not their mean."""
        return self.task.per_frame or self.task.kind == "asr"


def embed(store: PartStore, source: Source, encode: Encode, manner: Manner, on_clips: Callable[[int], None]) -> None:
    """Encode what a store lacks of a part.

    Audio is read, resampled and batched by a thread while the encoder works. Clip kinds are averaged over frames at
    once, so that disk and memory stay small. Whatever `source` and `encode` raise passes through; all that was
    committed by then stays.

    Args:
        store: of the part, opened.
        source: of its clips.
        encode: asks the encoder.
        manner: of the task.
        on_clips: told how many clips are done, after each batch.
    """
    if store.state.done:
        return
    progress = store.state.progress
    problems: Problems = list(store.state.problems)
    task = manner.task
    clips = source(progress.position, problems)
    batches = make_batches(clips, manner.rate_hz, task.encoding, progress, every_crop=manner.corrected)
    uncommitted = 0
    for batch in read_ahead(batches, BATCHES_AHEAD):
        _put(store, batch, encode(batch), manner)
        last = batch.items[-1]
        on_clips(last.clip + 1)
        uncommitted += 1
        if last.after:
            progress = last.after
            if uncommitted >= BATCHES_BEFORE_COMMIT:
                store.commit(progress, _once(problems))
                uncommitted = 0
    store.commit(progress, _once(problems), done=True)


def _once(problems: Problems) -> tuple[tuple[str, str, str], ...]:
    """Each problem once: the reader is ahead, and after an interruption it meets the last ones again."""
    return tuple(dict.fromkeys(problems))


def _put(store: PartStore, batch: Batch, frames: NDArray[np.float32], manner: Manner) -> None:
    """Store the frames [B, T, D] of a batch, or their means."""
    count = frames.shape[1]
    per_second = 1000 / manner.hop_ms
    own = [min(count, max(1, round(item.samples / manner.rate_hz * per_second))) for item in batch.items]
    records = [
        Record(item.key, item.shard, item.clip, item.label, item.kept, count, true)
        for item, true in zip(batch.items, own, strict=True)
    ]
    if manner.keeps_frames:
        store.append(records, frames.reshape(-1, frames.shape[2]))
    else:
        store.append(records, mean_over_frames(frames), _own_means(frames, own) if manner.corrected else None)


def _own_means(frames: NDArray[np.float32], own: Sequence[int]) -> NDArray[np.float32]:
    """Means [B, D] over the first frames of each clip, those of its own."""
    import numpy as np

    return np.concatenate([mean_over_frames(one[None, :count]) for one, count in zip(frames, own, strict=True)])
