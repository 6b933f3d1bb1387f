"""The files of a submission, each with what it is for and, of weights, what is in them; nothing is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.reading import LOOSE, STRICT, read_weight_file
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.weights import WeightKind
from audio_encoder_checker.packing.selection import AUDIO, Chosen, select_files
from audio_encoder_checker.packing.slimming.facts import FileKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audio_encoder_checker.archive.weights.streams import Budget
    from audio_encoder_checker.evidence.weights import WeightFile

FOREIGN = {".h5", ".msgpack", ".ot", ".gguf", ".tflite", ".pb", ".mlmodel", ".onnx_data"}
"""Weights of other frameworks, whose formats are not read."""
SUFFIXES = {
    FileKind.CODE: {
        ".py", ".pyi", ".pyx", ".ipynb", ".c", ".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp", ".sh", ".so", ".whl",
        ".json", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".conf",
    },
    FileKind.DOCUMENTS: {
        ".md", ".rst", ".txt", ".pdf", ".tex", ".bib", ".html", ".docx", ".pptx", ".png", ".jpg", ".jpeg", ".gif",
        ".svg", ".webp",
    },
    FileKind.DATA: {
        *AUDIO, ".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".tfrecord", ".lmdb", ".tar", ".gz", ".tgz", ".zip",
        ".xz", ".7z", ".hdf5", ".dat", ".db",
    },
}  # fmt: skip
NAMES = {"license": FileKind.DOCUMENTS, "readme": FileKind.DOCUMENTS, "makefile": FileKind.CODE}


@dataclass(frozen=True)
class Item:
    """A file.

    Attributes:
        name: relative to the root, with `/`.
        path: where its bytes lie.
        size_bytes: of it.
        kind: what it is for.
        weights: what its bytes say, None unless it holds weights.
    """

    name: str
    path: Path
    size_bytes: int
    kind: FileKind
    weights: WeightFile | None = None

    @property
    def folder(self) -> str:
        """That it lies in, with `/` at its end; empty for the top."""
        return self.name[: self.name.rfind("/") + 1]

    @property
    def base(self) -> str:
        """Its name in its folder."""
        return self.name.rpartition("/")[2]


def list_items(root: Path, *, unpacked: bool, budget: Budget) -> tuple[Item, ...]:
    """All files, by name.

    Args:
        root: a folder.
        unpacked: it is an unpacked ZIP, of which all counts; otherwise what would be packed does.
        budget: what reading the weights may cost.

    Raises:
        UsageError: the folder cannot be read, or holds nothing to pack.
    """
    chosen = _unpacked(root) if unpacked else select_files(root).files
    try:
        return tuple(_item(one, budget) for one in chosen)
    except OSError as error:
        raise UsageError(
            f"cannot read {printable(str(error.filename))!r}: {error.strerror}", "make it readable"
        ) from None


def _unpacked(root: Path) -> Sequence[Chosen]:
    paths = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted((Chosen(path.relative_to(root).as_posix(), path) for path in paths), key=lambda one: one.name)


def _item(chosen: Chosen, budget: Budget) -> Item:
    size = chosen.path.stat().st_size
    suffix = PurePosixPath(chosen.name.lower()).suffix
    weights = read_weight_file(chosen.path, chosen.name, (), budget) if suffix in STRICT | LOOSE else None
    if suffix in FOREIGN or suffix in STRICT or (weights and weights.kind is not WeightKind.OTHER):
        return Item(chosen.name, chosen.path, size, FileKind.WEIGHTS, weights)
    return Item(chosen.name, chosen.path, size, _kind(chosen.name.lower(), suffix))


def _kind(name: str, suffix: str) -> FileKind:
    for kind, suffixes in SUFFIXES.items():
        if suffix in suffixes:
            return kind
    return NAMES.get(PurePosixPath(name).stem, FileKind.OTHER)
