"""Where a task's clips come from: the generated quick set, or X-ARES shards on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.clips import SPLITS, Clip, Position
from audio_encoder_checker.evaluation.job import Round
from audio_encoder_checker.evaluation.quick import quick_clips

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audio_encoder_checker.evaluation.clips import Clips
    from audio_encoder_checker.evaluation.encode import Problems, Source
    from audio_encoder_checker.evaluation.tasks import Task


@dataclass(frozen=True)
class TaskData:
    """The clips of one task.

    Attributes:
        parts: a source for each split or fold, by name.
        rounds: what is trained and tested on what.
        digests: of each part's contents; empty for generated clips, whose embeddings are not kept.
        clips: how many each part has, readable or not.
    """

    parts: Mapping[str, Source]
    rounds: tuple[Round, ...]
    digests: Mapping[str, str]
    clips: Mapping[str, int]


def generated(task: Task) -> TaskData:
    """The clips of a task of the quick set, made on first use."""
    clips = quick_clips(task.id)
    counts = {name: int((clips.split == number).sum()) for number, name in enumerate(SPLITS)}
    parts = {name: _generated_part(clips, number) for number, name in enumerate(SPLITS)}
    return TaskData(parts, (Round(*((name,) for name in SPLITS)),), {}, counts)


def _generated_part(clips: Clips, split: int) -> Source:
    def read(start: Position, _problems: Problems) -> Iterator[Clip]:
        indices = [index for index, own in enumerate(clips.split) if own == split]
        for number, index in enumerate(indices[start.sample :], start.sample + 1):
            yield Clip(
                str(index), clips.audio[index], clips.sampling_rate, clips.labels[index], next=Position(0, number)
            )

    return read
