"""What a public record holds, and which of its files a task needs."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evaluation.clips import SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audio_encoder_checker.evaluation.tasks import Task


class RemoteFile(NamedTuple):
    """One file of a record: its name, size in bytes, MD5 in hexadecimal digits and address."""

    name: str
    size: int
    md5: str
    url: str


def read_record(document: Any, number: str) -> tuple[RemoteFile, ...]:
    """The shards of a record, from what Zenodo's `/api/records/NUMBER` answers.

    Names are taken only where they are plain names of tar files: they become files here.

    Raises:
        MachineError: it is not a record.
    """
    try:
        files = [
            RemoteFile(
                one["key"], int(one["size"]), str(one["checksum"]).removeprefix("md5:"), str(one["links"]["self"])
            )
            for one in document["files"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MachineError(
            f"record {number} is not what a record looks like: {type(error).__name__}: {error}",
            "look at it in a browser; the address may answer for something else",
        ) from None
    return tuple(one for one in files if _plain(one.name))


def _plain(name: object) -> bool:
    return (
        isinstance(name, str)
        and name.endswith(".tar")
        and PurePath(name).name == name
        and not name.startswith(".")
        and name.isprintable()
        and "\\" not in name
        and len(name) < 200
    )


def files_for(task: Task, files: Sequence[RemoteFile], *, mini: bool) -> tuple[RemoteFile, ...]:
    """The files of a record that a task needs, sorted by name.

    Raises:
        UsageError: a split has none.
    """
    layout = task.layout
    wanted: dict[str, tuple[str, ...]] = {f"fold {n}": (prefix,) for n, prefix in enumerate(layout.folds, 1)} or {
        split: layout.mini[split] if mini and split in layout.mini else (getattr(layout, split),) for split in SPLITS
    }
    chosen = set()
    for part, prefixes in wanted.items():
        found = [one for one in files if one.name.startswith(prefixes)]
        if not found:
            held = ", ".join(sorted(one.name for one in files)[:5]) or "no shards at all"
            raise UsageError(
                f"task {task.id}: record {layout.zenodo} has no shard {prefixes[0]}*.tar for {part}",
                f"it holds {held}; the record may have changed",
            )
        chosen.update(found)
    return tuple(sorted(chosen))
