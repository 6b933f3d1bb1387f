"""A folder of results: one folder for each submission, named by its SHA-256, that is there whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.archive.manifest import describe_file, read_json
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.organising.worker import REPORT
from audio_encoder_checker.packing.writing import replaced_when_done
from audio_encoder_checker.printable import printable
from audio_encoder_checker.sandbox.sweep import LOCKS, remove

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

if LOCKS:
    import fcntl

RECORD, LOCK, WORK = "record.json", ".lock", ".work"
MOST_BYTES = 16 << 20


class Results:
    """A folder of results that nobody else writes to meanwhile; use it as a context manager.

    Args:
        root: the folder; made if it is not there.

    Raises:
        UsageError: it cannot be written, or another run works in it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(root / LOCK, os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as error:
            message = f"cannot write to {printable(str(root))!r}: {error.strerror}"
            raise UsageError(message, "name another folder with --out") from None

    def __enter__(self) -> Self:
        """Lock the folder, and clear away what a run that was killed has left."""
        if LOCKS:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it, however we end
            except OSError:
                os.close(self._lock)
                message = f"another run works in {printable(str(self.root))!r}"
                raise UsageError(message, "wait until it is done, or name another folder with --out") from None
        if (self.root / WORK).exists():
            remove(self.root / WORK)
        return self

    def __exit__(self, *_error: object) -> None:
        """Free the folder."""
        if (self.root / WORK).exists():
            remove(self.root / WORK)
        os.close(self._lock)

    def begin(self, sha256: str) -> Path:
        """An empty folder to work in; what is done there is lost unless it is kept."""
        folder = self.root / WORK / f"{sha256}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        return folder

    def keep(self, work: Path, record: dict[str, Any]) -> None:
        """Make a work folder the result of a submission, in place of an earlier one.

        Everything is on the disk before the name is: after a power loss the result is there whole or not at all.

        Raises:
            OSError: the disk is full.
        """
        (work / RECORD).write_text(_as_text(record), encoding="utf-8")
        for path in work.iterdir():
            _sync(path)
        _sync(work)
        target = self.root / record["submission"]["sha256"]
        if target.exists():
            target.rename(self.root / WORK / f"old-{secrets.token_hex(8)}")
        work.rename(target)
        _sync(self.root)

    def rewrite(self, record: dict[str, Any]) -> None:
        """Replace the record of a result that is there."""
        self.write(f"{record['submission']['sha256']}/{RECORD}", _as_text(record))

    def write(self, name: str, text: str) -> None:
        """Write a file of the whole folder, such as the board, that is never seen half written."""
        target = self.root / name
        target.parent.mkdir(exist_ok=True)
        with replaced_when_done(target) as file:
            file.write(text.encode("utf-8", "replace"))

    def drop(self, work: Path) -> None:
        """Take a work folder away."""
        shutil.rmtree(work, ignore_errors=True)


def _as_text(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _sync(path: Path) -> None:
    """Have the kernel write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_records(root: Path) -> dict[str, dict[str, Any]]:
    """The records of all results by SHA-256; what is damaged is left out, and judged again by the next run.

    Raises:
        UsageError: there is no such folder, or no result in it.
    """
    if not root.is_dir():
        raise UsageError(f"there is no folder {printable(str(root))!r}", "name the folder that --out named")
    found = dict(_records(root))
    if not found:
        hint = "name the folder that --out named: `aecc-check inbox/*.zip --out results`"
        raise UsageError(f"{printable(str(root))!r} holds no results", hint)
    return found


def known_records(root: Path) -> dict[str, dict[str, Any]]:
    """The same of a folder that may be new."""
    return dict(_records(root)) if root.is_dir() else {}


def _records(root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for folder in sorted(root.iterdir()):
        try:
            record = read_json(folder / RECORD, "record", MOST_BYTES)
        except (OSError, ValueError):
            continue
        if record["submission"]["sha256"] == folder.name:
            yield folder.name, record


def is_sound(root: Path, record: dict[str, Any]) -> bool:
    """Whether the report of a record is the one that the record was written for."""
    path = root / record["submission"]["sha256"] / REPORT
    said = record["report_sha256"]
    return bool(said) and path.is_file() and describe_file(path, REPORT).sha256 == said
