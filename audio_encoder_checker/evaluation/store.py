"""The embeddings of one part of a task on disk: written batch by batch, taken up again after an interruption.

A part takes items x D x 4 bytes for kinds that label clips, frames x D x 4 bytes for kinds that label frames and for
ASR, twice as much for clips where the corrected figures are wanted, too. Memory holds one batch. What was committed
survives a kill and a power loss; what was written after it is cut off on the next start.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from audio_encoder_checker.evaluation.batches import Progress
from audio_encoder_checker.evaluation.clips import Position
from audio_encoder_checker.evaluation.documents import read_object, write_object

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

HEADER = 128
"""Bytes of an `.npy` header, which is written when the number of rows is known."""
FLOAT_BYTES = 4
BEGINNING = Progress(Position())
BINARY: int = getattr(os, "O_BINARY", 0)
"""On Windows a file is text otherwise."""
STATE, RECORDS, ROWS, TRUE_ROWS = "state.json", "items.jsonl", "x.npy", "true_x.npy"


class Record(NamedTuple):
    """One item that was encoded.

    Attributes:
        key, shard, clip, label, kept: see `batches.Item`.
        frames: that came back, padding included.
        true_frames: of them, those that begin before the item's own end.
    """

    key: str
    shard: str
    clip: int
    label: Any
    kept: bool
    frames: int
    true_frames: int


@dataclass(frozen=True)
class State:
    """What was committed: how much of each file counts, and where to go on."""

    dim: int = 0
    rows: int = 0
    true_rows: int = 0
    record_bytes: int = 0
    progress: Progress = BEGINNING
    problems: tuple[tuple[str, str, str], ...] = ()
    done: bool = False


class PartStore:
    """Rows and records of one part; use it as a context manager.

    Attributes:
        state: as of the last commit.
        records: of all items, those of an earlier run included.
        resumed: clips that an earlier run had encoded.

    Args:
        folder: of this part alone, made if it is not there.

    Raises:
        OSError: it cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds labels
        self.folder = folder
        self.state = _read_state(folder)
        self.records = _read_records(folder, self.state.record_bytes)
        self.resumed = self.state.progress.clips
        self._written = self.state

    def __enter__(self) -> PartStore:
        """Open the files behind what was committed; what an interrupted run left there is cut off."""
        state = self.state
        self._rows = _open_at(self.folder / ROWS, HEADER + state.rows * state.dim * FLOAT_BYTES)
        self._true_rows = _open_at(self.folder / TRUE_ROWS, HEADER + state.true_rows * state.dim * FLOAT_BYTES)
        self._records = _open_at(self.folder / RECORDS, state.record_bytes)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Close the files."""
        for descriptor in (self._rows, self._true_rows, self._records):
            os.close(descriptor)

    @property
    def x(self) -> Path:
        """The rows as an `.npy` file, once finished."""
        return self.folder / ROWS

    @property
    def true_x(self) -> Path | None:
        """The rows without the frames of padding, if they were asked for."""
        return self.folder / TRUE_ROWS if self.state.true_rows else None

    def append(
        self, records: list[Record], rows: NDArray[np.float32], true_rows: NDArray[np.float32] | None = None
    ) -> None:
        """Add items and their rows float32 [R, D]; they count from the next commit on."""
        text = "".join(json.dumps(record) + "\n" for record in records).encode()
        _write(self._records, text)
        _write(self._rows, rows.data.cast("B"))
        if true_rows is not None:
            _write(self._true_rows, true_rows.data.cast("B"))
        self.records += records
        self._written = replace(
            self._written,
            dim=rows.shape[1],
            rows=self._written.rows + len(rows),
            true_rows=self._written.true_rows + (0 if true_rows is None else len(true_rows)),
            record_bytes=self._written.record_bytes + len(text),
        )

    def commit(self, progress: Progress, problems: tuple[tuple[str, str, str], ...], *, done: bool = False) -> None:
        """From here on an interrupted run goes on."""
        if done:
            for descriptor, rows in ((self._rows, self._written.rows), (self._true_rows, self._written.true_rows)):
                os.lseek(descriptor, 0, os.SEEK_SET)
                os.write(descriptor, _header(rows, self._written.dim))
        for descriptor in (self._rows, self._true_rows, self._records):
            os.fsync(descriptor)
        self.state = self._written = replace(self._written, progress=progress, problems=problems, done=done)
        write_object(self.folder / STATE, asdict(self.state))


def _read_state(folder: Path) -> State:
    """What was committed; the start if nothing was, or if it cannot be understood."""
    try:
        data = read_object(folder / STATE)
        position, clips, items = data["progress"]
        progress = Progress(Position(*position), clips, items)
        state = State(**data | {"progress": progress, "problems": tuple(map(tuple, data["problems"]))})
        return state if _complete(folder, state) else State()
    except (OSError, ValueError, TypeError, KeyError):
        return State()


def _complete(folder: Path, state: State) -> bool:
    """Whether the files hold all that was committed."""
    needed = {
        RECORDS: state.record_bytes,
        ROWS: HEADER + state.rows * state.dim * FLOAT_BYTES,
        TRUE_ROWS: HEADER + state.true_rows * state.dim * FLOAT_BYTES,
    }
    return all((folder / name).stat().st_size >= size for name, size in needed.items())


def _read_records(folder: Path, size: int) -> list[Record]:
    if not size:
        return []
    with (folder / RECORDS).open("rb") as file:
        return [Record(*json.loads(line)) for line in file.read(size).splitlines()]


def _open_at(path: Path, offset: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | BINARY, 0o600)
    os.ftruncate(descriptor, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return descriptor


def _write(descriptor: int, content: bytes | memoryview) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _header(rows: int, dim: int) -> bytes:
    """The head of an `.npy` file of float32 [rows, dim], format 1.0, filled up to `HEADER` bytes."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}".encode()
    return b"\x93NUMPY\x01\x00" + (HEADER - 10).to_bytes(2, "little") + text.ljust(HEADER - 11) + b"\n"
