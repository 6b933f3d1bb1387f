"""Which tasks are evaluated, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evaluation.tasks import challenge_tasks, choose_tasks, quick_tasks

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.evaluation.tasks import Task


@dataclass(frozen=True)
class Wishes:
    """What the user wants evaluated.

    Attributes:
        data: folder of X-ARES shards, None for the built-in quick set.
        tasks: ids; empty for all that there are.
        mini: take X-ARES's smaller shards where there are any.
        corrected: give the figures without X-ARES's quirks, too.
        keep: embeddings of real data may be kept in the user's cache folder, and are found there.
    """

    data: Path | None = None
    tasks: tuple[str, ...] = ()
    mini: bool = False
    corrected: bool = False
    keep: bool = True


@dataclass(frozen=True)
class Plan:
    """What is evaluated.

    Attributes:
        wishes: of the user.
        tasks: in order.
    """

    wishes: Wishes
    tasks: tuple[Task, ...]


def make_plan(wishes: Wishes) -> Plan:
    """Find out what wishes mean.

    Raises:
        UsageError: they cannot be fulfilled.
    """
    if wishes.data is not None and not wishes.data.is_dir():
        raise UsageError(
            f"there is no folder {str(wishes.data)!r}", "`aecc-data fetch --tasks TASK --to DIR` makes one"
        )
    if wishes.mini and wishes.data is None:
        raise UsageError("--mini chooses among shards on disk", "name their folder with `--data DIR`")
    chosen = choose_tasks(wishes.tasks) if wishes.tasks else ()
    odd = [task.id for task in chosen if task.built_in == (wishes.data is not None)]
    if odd and wishes.data is None:
        raise UsageError(f"task {odd[0]} needs its data", "name the folder of its shards with `--data DIR`")
    if odd:
        raise UsageError(f"task {odd[0]} is built in and has no shards", "leave out `--data`")
    return Plan(wishes, chosen or (quick_tasks() if wishes.data is None else challenge_tasks()))
