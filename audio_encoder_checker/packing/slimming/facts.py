"""What takes the space in a submission, and what could go, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FileKind(str, Enum):
    """What files are for."""

    WEIGHTS = "weights"
    CODE = "code"
    DOCUMENTS = "documents"
    DATA = "data"
    OTHER = "other"


class SavingKind(str, Enum):
    """Why something could go."""

    LEFTOVERS = "training leftovers"
    CHECKPOINTS = "other checkpoints"
    SAME_FILE = "the same file again"
    SHARDS = "shards that no index names"
    SAME_WEIGHTS = "the same weights in another format"
    TRAINING_STATE = "training state in a checkpoint"
    AVERAGE = "the weights a second time in a checkpoint"
    UNUSED = "numbers that no tensor uses"
    FLOAT64 = "float64 where float32 would do"
    UNNAMED = "weights that nothing names"


@dataclass(frozen=True)
class Total:
    """All files of a kind: how many, and their size."""

    kind: FileKind
    files: int
    size_bytes: int


@dataclass(frozen=True)
class Sized:
    """A file, its name relative to the root, and its size."""

    path: str
    size_bytes: int


@dataclass(frozen=True)
class Saving:
    """Something that could go.

    Attributes:
        kind: why.
        paths: files, relative to the root; a folder ends with `/` and stands for all that is in it. A part of them
            goes where the kind says so.
        size_bytes: that would be saved; what an earlier saving has taken does not count.
        why: in words.
        remedy: the line or command that does it.
        sure: nothing seems to need it; where False, have a look first.
    """

    kind: SavingKind
    paths: tuple[str, ...]
    size_bytes: int
    why: str
    remedy: str
    sure: bool = True


@dataclass(frozen=True)
class Slimming:
    """What takes the space in a submission, and what could go.

    Attributes:
        root: of the repository.
        totals: by kind, largest first.
        largest: files, largest first.
        savings: sure ones first, then by size; no byte counts twice.
        notes: what was not looked into, and why.
    """

    root: Path
    totals: tuple[Total, ...]
    largest: tuple[Sized, ...]
    savings: tuple[Saving, ...]
    notes: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(total.size_bytes for total in self.totals)
