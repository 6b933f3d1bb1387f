"""What is in one ZIP and not, or otherwise, in another."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.manifest import MANIFEST, MOST_BYTES, read_json
from audio_encoder_checker.archive.weights.safetensors import BrokenHeaderError, LongHeaderError, read_safetensors
from audio_encoder_checker.packing.contents import opened_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any, BinaryIO

    from audio_encoder_checker.archive.weights.safetensors import TensorEntry
    from audio_encoder_checker.evidence.manifest import PackedFile
    from audio_encoder_checker.packing.contents import Contents

MOST_TEXT_BYTES, MOST_TEXT_LINES = 1 << 20, 50_000
"""Larger files are compared by size alone: `difflib` takes time with the square of lines that repeat."""
PIECE_BYTES = 1 << 20
LENGTH_BYTES = 8
"""In front of the header of safetensors: how long it is."""


@dataclass(frozen=True)
class Tensors:
    """What changed in a safetensors file, by names of tensors: gone, new, of another kind or size, of other values."""

    removed: tuple[str, ...]
    added: tuple[str, ...]
    reshaped: tuple[str, ...]
    changed: tuple[str, ...]
    same: int


@dataclass(frozen=True)
class Changed:
    """A file that both have, with other contents.

    Attributes:
        before: in the first ZIP.
        after: in the second.
        lines: of a text, its unified diff; empty for anything else.
        tensors: of safetensors.
    """

    before: PackedFile
    after: PackedFile
    lines: tuple[str, ...] = ()
    tensors: Tensors | None = None


@dataclass(frozen=True)
class Difference:
    """What differs between two ZIPs; their manifests count by what they say.

    Attributes:
        removed: files that only the first has.
        added: files that only the second has.
        renamed: the same content under two names.
        changed: files of one name and other contents.
        manifests: what the manifests say differently: the key, and both values.
        same: number of files that are the same.
    """

    removed: tuple[PackedFile, ...]
    added: tuple[PackedFile, ...]
    renamed: tuple[tuple[PackedFile, PackedFile], ...]
    changed: tuple[Changed, ...]
    manifests: tuple[tuple[str, str, str], ...]
    same: int

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.removed or self.added or self.renamed or self.changed or self.manifests)


def compare_archives(first: Path, second: Path) -> Difference:
    """Compare two ZIPs file by file. Nothing of them is run or unpickled.

    Raises:
        UsageError: one is no ZIP, or a broken one.
        MachineError: there is no room to unpack them.
    """
    with opened_archive(first, leave_packed=True) as a, opened_archive(second, leave_packed=True) as b:
        before, after = a.described(), b.described()
        manifests = tuple(_manifests(a, b))
        for files in (before, after):
            files.pop(MANIFEST, None)
        gone = {name: file for name, file in before.items() if name not in after}
        new = {name: file for name, file in after.items() if name not in before}
        renamed = tuple(_renamed(gone, new))
        both = [(before[name], after[name]) for name in before if name in after]
        changed = tuple(_changed(a, b, *pair) for pair in both if pair[0] != pair[1])
    return Difference(
        removed=tuple(gone.values()),
        added=tuple(new.values()),
        renamed=renamed,
        changed=changed,
        manifests=manifests,
        same=len(both) - len(changed),
    )


def _renamed(gone: dict[str, PackedFile], new: dict[str, PackedFile]) -> Iterator[tuple[PackedFile, PackedFile]]:
    """Pairs of one content, which are taken out of both; those that keep the last part of their name come first."""
    for moved in (True, False):
        for name, file in list(gone.items()):
            alike = (one for one in new.values() if one.sha256 == file.sha256 and file.size_bytes)
            last = PurePosixPath(name).name
            twin = next((one for one in alike if not moved or PurePosixPath(one.name).name == last), None)
            if twin:
                yield gone.pop(name), new.pop(twin.name)


def _changed(a: Contents, b: Contents, before: PackedFile, after: PackedFile) -> Changed:
    texts = [_text(contents, file) for contents, file in ((a, before), (b, after))]
    if texts[0] is not None and texts[1] is not None:
        lines = difflib.unified_diff(
            texts[0].splitlines(), texts[1].splitlines(), f"a/{before.name}", f"b/{after.name}", lineterm=""
        )
        return Changed(before, after, lines=tuple(lines))
    if before.name.endswith(".safetensors"):
        with a.opened(a.root / before.name) as one, b.opened(b.root / after.name) as other:
            return Changed(before, after, tensors=_tensors(one, before.size_bytes, other, after.size_bytes))
    return Changed(before, after)


def _text(contents: Contents, file: PackedFile) -> str | None:
    if file.size_bytes > MOST_TEXT_BYTES:
        return None
    with contents.opened(contents.root / file.name) as opened:
        data = opened.read()
    try:
        return None if b"\0" in data or data.count(b"\n") > MOST_TEXT_LINES else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _tensors(one: BinaryIO, one_size: int, other: BinaryIO, other_size: int) -> Tensors | None:
    """What changed between two files of safetensors; None if one is none."""
    try:
        before, after = (
            {entry.name: entry for entry in read_safetensors(file, size)}
            for file, size in ((one, one_size), (other, other_size))
        )
    except (BrokenHeaderError, LongHeaderError):
        return None
    both = [name for name in before if name in after]
    reshaped = [n for n in both if (before[n].dtype, before[n].shape) != (after[n].dtype, after[n].shape)]
    fit = [name for name in both if name not in set(reshaped)]
    changed = [name for name in fit if not _same_bytes(one, before[name], other, after[name])]
    return Tensors(
        removed=tuple(name for name in before if name not in after),
        added=tuple(name for name in after if name not in before),
        reshaped=tuple(reshaped),
        changed=tuple(changed),
        same=len(fit) - len(changed),
    )


def _same_bytes(one: BinaryIO, before: TensorEntry, other: BinaryIO, after: TensorEntry) -> bool:
    """Whether two tensors of one size have the same numbers, read piece by piece."""
    for file, entry in ((one, before), (other, after)):
        file.seek(0)
        file.seek(LENGTH_BYTES + int.from_bytes(file.read(LENGTH_BYTES), "little") + entry.start)
    left = before.end - before.start
    while left > 0:
        size = min(PIECE_BYTES, left)
        if one.read(size) != other.read(size):
            return False
        left -= size
    return True


def _manifests(a: Contents, b: Contents) -> Iterator[tuple[str, str, str]]:
    """Every value that the manifests say differently; their lists of files are compared as the files themselves."""
    one, other = (dict(_flat("", _manifest(contents))) for contents in (a, b))
    for key in dict.fromkeys((*one, *other)):
        if one.get(key) != other.get(key):
            yield key, one.get(key, "nothing"), other.get(key, "nothing")


def _manifest(contents: Contents) -> Any:
    path = contents.root / MANIFEST
    if not path.is_file():
        return {"manifest": "missing"}
    try:
        document = read_json(path, "manifest", MOST_BYTES, contents.opened)
    except ValueError:
        return {"manifest": "unreadable"}
    del document["files"]
    return document


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """The values of a document by their path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else key, inner)
    else:
        yield prefix, ", ".join(value) if isinstance(value, list) else str(value)
