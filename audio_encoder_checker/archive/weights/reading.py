"""Weight files found and read, without loading any: what they are, how large, and what their pickles would do."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.identify import HEAD_BYTES, identify
from audio_encoder_checker.archive.submission import NOT_HASHED
from audio_encoder_checker.archive.walking import files_below
from audio_encoder_checker.archive.weights.arrays import MAGIC
from audio_encoder_checker.archive.weights.containers import read_array, read_container
from audio_encoder_checker.archive.weights.draft import Draft, format_of
from audio_encoder_checker.archive.weights.onnx import BrokenModelError, looks_like_onnx, read_onnx
from audio_encoder_checker.archive.weights.opcodes import STARTS
from audio_encoder_checker.archive.weights.pickles import ZIP_START, PickleReader, looks_pickled
from audio_encoder_checker.archive.weights.safetensors import (
    MAX_HEADER_BYTES,
    BrokenHeaderError,
    LongHeaderError,
    read_safetensors,
)
from audio_encoder_checker.archive.weights.streams import (
    Budget,
    Extent,
    TooMuchError,
    file_stream,
    inflated_stream,
    inflater_for,
)
from audio_encoder_checker.archive.window import opened_plainly
from audio_encoder_checker.evidence.weights import FlawKind, WeightFacts, WeightFile, WeightKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from audio_encoder_checker.archive.weights.streams import Stream

    Opener = Callable[[Path], BinaryIO]

STRICT = {".joblib", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth", ".safetensors"}
"""Files of these names are weights, or are broken."""
LOOSE = {".bin", ".ckpt", ".dat", ".jit", ".model", ".onnx", ".p", ".params", ".pt2", ".ptl", ".th", ".weights"}
"""Files of these names may be weights."""
MAX_FILES = 2000
HEADER_BYTES_AN_OPCODE = 16
"""So much JSON takes as long as an opcode."""
UNKNOWN = "a file of a kind unknown here"
PACKED = ("archive", "(.", "LZ4", "lzip", "cabinet", "disk image")
"""Words for what has other files inside."""


def read_weights(root: Path, budget: Budget | None = None, opened: Opener = opened_plainly) -> WeightFacts:
    """Read all weight files of a repository.

    Args:
        root: of the repository.
        budget: what all may cost together.
        opened: opens a file; its bytes may lie elsewhere.
    """
    budget = budget or Budget()
    own = _own_modules(root)
    found: list[WeightFile] = []
    more = 0
    for relative in sorted(_files(root)):
        if not _is_candidate(root / relative, opened):
            continue
        if len(found) == MAX_FILES:
            more += 1
        else:
            found.append(read_weight_file(root / relative, relative, own, budget, opened))
    return WeightFacts(tuple(found), more)


def _own_modules(root: Path) -> frozenset[str]:
    """The names that an import would find at the repository's root."""
    return frozenset(one.stem for one in root.iterdir() if one.suffix == ".py" or (one.is_dir() and not one.suffix))


def _files(root: Path) -> Iterator[str]:
    """Relative names of all regular files."""
    found = files_below(root, lambda folder: folder.name in NOT_HASHED)
    return (name for name, entry in found if entry.is_file(follow_symlinks=False))


def _is_candidate(path: Path, opened: Opener) -> bool:
    if _suffix(path.name) in STRICT | LOOSE:
        return True
    try:
        with opened(path) as file:
            head = file.read(64)
    except OSError:
        return False
    return head.startswith(MAGIC) or (head[:1] == b"\x80" and looks_pickled(head)) or _is_torch_zip(head)


def _is_torch_zip(head: bytes) -> bool:
    """Whether the first member is one that torch writes first."""
    return head.startswith(ZIP_START) and b"/data.pkl" in head


def _suffix(name: str) -> str:
    """The suffix in lower case; that of `best.pth.tar`, as many examples for torch write it, is `.th`."""
    lower = name.lower()
    return ".th" if lower.endswith((".pt.tar", ".pth.tar")) else PurePosixPath(lower).suffix


def read_weight_file(
    path: Path, relative: str, own: Collection[str], budget: Budget, opened: Opener = opened_plainly
) -> WeightFile:
    """Read one weight file; whatever is wrong with it is a fact."""
    draft = Draft(relative, 0)
    reader = PickleReader(budget, own, draft.log)
    try:
        with opened(path) as file:
            draft.size = file.seek(0, os.SEEK_END)
            _read(path, file, draft, reader)
    except TooMuchError as error:
        draft.flaw(FlawKind.UNREAD, str(error))
    except OSError as error:
        draft.flaw(FlawKind.UNREAD, f"the file cannot be read: {error.strerror}")
    return draft.done()


def _read(path: Path, file: BinaryIO, draft: Draft, reader: PickleReader) -> None:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    stream = file_stream(file, Extent(0, draft.size))
    suffix = _suffix(path.name)
    unpacks = inflater_for(head)
    if head.startswith(ZIP_START):
        read_container(file, draft, reader)
    elif head.startswith(MAGIC):
        draft.kind = WeightKind.NUMPY
        read_array(stream, draft.size, draft, reader)
    elif _is_safetensors(head, draft.size) or (suffix == ".safetensors" and identify(head) == UNKNOWN):
        _safetensors(file, draft, reader.budget)
    elif suffix == ".onnx" or looks_like_onnx(head):
        _onnx(path, stream, draft, reader.budget)
    elif unpacks is not None:
        _pickles(inflated_stream(stream, unpacks, reader.budget), head, draft, reader)
    elif head and head[0] in STARTS:
        _pickles(stream, head, draft, reader)
    else:
        _foreign(head, draft)


def _is_safetensors(head: bytes, size: int) -> bool:
    return head[8:10] in {b'{"', b"{}"} and int.from_bytes(head[:8], "little") <= size - 8


def _safetensors(file: BinaryIO, draft: Draft, budget: Budget) -> None:
    draft.kind = WeightKind.SAFETENSORS
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    budget.spend(min(length, draft.size, MAX_HEADER_BYTES) // HEADER_BYTES_AN_OPCODE)
    try:
        for entry in read_safetensors(file, draft.size):
            draft.add(entry.dtype, entry.numbers)
    except BrokenHeaderError as error:
        draft.flaw(FlawKind.DAMAGED, str(error))
    except LongHeaderError as error:
        draft.flaw(FlawKind.UNREAD, str(error))


def _onnx(path: Path, stream: Stream, draft: Draft, budget: Budget) -> None:
    try:
        found = read_onnx(stream, budget)
    except BrokenModelError as error:
        if _suffix(path.name) == ".onnx":
            draft.flaw(FlawKind.DAMAGED, str(error))
        return
    draft.kind = WeightKind.ONNX
    for dtype, count in found.numbers.items():
        draft.add(dtype, count)
    for name in sorted(found.external):
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts:
            draft.flaw(FlawKind.DAMAGED, f"its values should be in '{name}', outside its folder")
        elif "\0" in name or not (path.parent / parts).is_file():
            draft.flaw(FlawKind.DAMAGED, f"its values should be in '{name}', which is missing")


def _pickles(stream: Stream, head: bytes, draft: Draft, reader: PickleReader) -> None:
    """Pickles from the first byte on, bare or in torch's old format."""
    strict = _suffix(draft.path) in STRICT
    sure = strict or looks_pickled(stream.peek(64))
    legacy = reader.read(stream, sure=sure)
    log = draft.log
    if log.pickles == 0 or (log.broken and not log.names and identify(head) != UNKNOWN):
        _foreign(head, draft)
        return
    draft.kind = WeightKind.TORCH_LEGACY if legacy else WeightKind.PICKLE
    if log.broken:
        draft.flaw(FlawKind.DAMAGED, log.broken)
    elif legacy:
        draft.add_storages()
        needed = sum(8 + max(0, one.numbers) * format_of(one)[1] for one in log.storages.values())
        left = draft.size - stream.position
        if left < needed:
            draft.flaw(FlawKind.DAMAGED, f"the file was cut off: its storages take {needed} bytes, there are {left}")


def _foreign(head: bytes, draft: Draft) -> None:
    """No format of weights: say what it is, where that is a mistake."""
    found = identify(head)
    suffix = _suffix(draft.path)
    strict = suffix in STRICT and (suffix, found) != (".pth", "a text file")  # Python's own .pth files are texts
    if any(word in found for word in PACKED):
        draft.flaw(FlawKind.UNREAD, f"{found} is not looked into")
    elif "HTML" in found or "LFS" in found or (strict and not found.startswith("an HDF5")):
        draft.flaw(FlawKind.NO_WEIGHTS, f"this is {found}")
