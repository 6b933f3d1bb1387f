"""Where a task's clips come from: the generated quick set, or X-ARES shards on disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from audio_encoder_checker.evaluation.cache import cache_folder
from audio_encoder_checker.evaluation.clips import SPLITS, Clip, Position
from audio_encoder_checker.evaluation.job import Round
from audio_encoder_checker.evaluation.quick import quick_clips
from audio_encoder_checker.evaluation.shards import count_clips, digest_of, read_clips, rounds_of, shards_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

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


class MissingDataError(Exception):
    """A task's data is not there; the text says what is missing.

    Attributes:
        partly: some of it is there, so that it may have been lost.
    """

    def __init__(self, problem: str, *, partly: bool = False) -> None:
        super().__init__(problem)
        self.partly = partly


def on_disk(task: Task, root: Path, *, mini: bool, keep: bool) -> TaskData:
    """The clips of a task of the challenge, in the shards below a folder.

    Args:
        task: of the challenge.
        root: X-ARES's layout: `<task>/<split>*.tar`.
        mini: take the smaller shards where there are any.
        keep: find out what the shards hold, so that embeddings can be kept.

    Raises:
        MissingDataError: a split has no shards.
    """
    shards = shards_of(root, task, mini=mini)
    missing = [name for name, found in shards.items() if not found]
    if len(missing) == len(shards):
        raise MissingDataError("the organisers alone have its data" if task.hidden else "no data")
    if missing:
        raise MissingDataError(f"no shards of {', '.join(missing)} in {task.folder}/", partly=True)
    index = cache_folder() / "shards.json"
    return TaskData(
        parts={name: partial(read_clips, task, found) for name, found in shards.items()},
        rounds=rounds_of(task),
        digests={name: digest_of(found, index) for name, found in shards.items()} if keep else {},
        clips={name: count_clips(found) for name, found in shards.items()},
    )
