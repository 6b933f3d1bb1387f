"""A folder of X-ARES shards: what is there, what is to be fetched, what is damaged."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.datasets.download import PART, md5_of
from audio_encoder_checker.datasets.records import RemoteFile, files_for, read_record
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evaluation.documents import read_object, write_object
from audio_encoder_checker.evaluation.shards import list_samples, shards_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from audio_encoder_checker.datasets.download import Downloader
    from audio_encoder_checker.evaluation.tasks import Task

MANIFEST = "aecc-data.json"
"""Sizes and checksums of what was fetched, in each task's folder."""


@dataclass(frozen=True)
class Wanted:
    """Files to fetch for one folder."""

    folder: Path
    files: tuple[RemoteFile, ...]

    @property
    def missing(self) -> tuple[RemoteFile, ...]:
        """Those that are not there in full size."""
        return tuple(one for one in self.files if not _has_size(self.folder / one.name, one.size))

    @property
    def bytes_left(self) -> int:
        """To be downloaded."""
        return sum(one.size - _size(self.folder / (one.name + PART)) for one in self.missing)


def plan(root: Path, tasks: Sequence[Task], downloader: Downloader, base: str, *, mini: bool) -> list[Wanted]:
    """Find out what to fetch; tasks with the same folder are fetched once.

    Raises:
        UsageError: a task has no public data, or its record not what it needs.
        MachineError: a record cannot be read.
    """
    hidden = [task.id for task in tasks if not task.layout.zenodo]
    if hidden:
        raise UsageError(
            f"task {hidden[0]} has no public record",
            f"the organisers alone have its data, or it is made by you; it is read from DIR/{hidden[0]}/",
        )
    records: dict[str, tuple[RemoteFile, ...]] = {}
    wanted: dict[str, set[RemoteFile]] = {}
    for task in tasks:
        number = task.layout.zenodo
        if number not in records:
            records[number] = read_record(downloader.document(f"{base}/api/records/{number}"), number)
        wanted.setdefault(task.folder, set()).update(files_for(task, records[number], mini=mini))
    return [Wanted(root / folder, tuple(sorted(files))) for folder, files in wanted.items()]


def fetch(root: Path, wanted: Sequence[Wanted], downloader: Downloader) -> Iterator[tuple[Path, str]]:
    """Download what is missing; tells each file and how it came to be there.

    Raises:
        MachineError: a file cannot be had, or the disk is too small.
    """
    needed = sum(one.bytes_left for one in wanted)
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    if needed > free:
        raise MachineError(
            f"{needed / 2**30:.1f} GiB are to be fetched and {free / 2**30:.1f} GiB are free in {root}",
            "choose another folder with --to, fewer tasks with --tasks, or --mini",
        )
    for one in wanted:
        one.folder.mkdir(parents=True, exist_ok=True)
        _remember(one)
        for file in one.files:
            target = one.folder / file.name
            if _has_size(target, file.size):
                yield target, "there"
            elif _link_twin(root, target, file):
                downloader.on_bytes(file.size)
                yield target, "linked to the same file of another task"
            else:
                try:
                    downloader.fetch(file, target)
                except OSError as error:
                    raise MachineError(f"{target}: {error.strerror}", "free some disk space, then repeat") from None
                yield target, "fetched"


def _link_twin(root: Path, target: Path, file: RemoteFile) -> bool:
    """Use the same file of another task, where the file system has links."""
    for manifest in root.glob(f"*/{MANIFEST}"):
        twin = manifest.parent / file.name
        known = read_object(manifest).get(file.name)
        if twin != target and known == [file.size, file.md5] and _has_size(twin, file.size):
            try:
                os.link(twin, target)
            except OSError:
                return False
            return True
    return False


def _remember(wanted: Wanted) -> None:
    path = wanted.folder / MANIFEST
    write_object(path, read_object(path) | {one.name: [one.size, one.md5] for one in wanted.files})


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def verify(root: Path, task: Task, *, mini: bool) -> list[str]:
    """What is wrong with the data of a task; nothing if all is well.

    Every shard is held against the size and the checksum that its record told when it was fetched, and read to its
    end.
    """
    problems = []
    shards = shards_of(root, task, mini=mini)
    for part, found in shards.items():
        if not found:
            problems.append(f"no shard for {part}")
    known = read_object(root / task.folder / MANIFEST)
    for path in sorted({shard for found in shards.values() for shard in found}):
        problem = _file_problem(path, known.get(path.name))
        if problem:
            problems.append(f"{path.name}: {problem}")
    return problems


def _file_problem(path: Path, known: Any) -> str:
    if isinstance(known, list) and len(known) == 2:
        size, md5 = known
        if path.stat().st_size != size:
            return f"{path.stat().st_size} bytes, the record says {size}"
        if md5_of(path) != md5:
            return "its checksum is not that of the record"
    samples, problem = list_samples(path)
    return problem or ("" if samples else "it holds no clips")
