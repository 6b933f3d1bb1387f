"""Build a submission ZIP from a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.manifest import MOST_PLAIN_BYTES, describe_file
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.config import read_config
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.packing.manifest import declared_in, manifest_text
from audio_encoder_checker.packing.selection import Selection, select_files
from audio_encoder_checker.packing.writing import refuse_full_disk, replaced_when_done, write_zip
from audio_encoder_checker.printable import printable, size_words
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audio_encoder_checker.evidence.source import SourceFacts
    from audio_encoder_checker.packing.manifest import Declared
    from audio_encoder_checker.rules import Rules

SPARE_BYTES = 1 << 20
"""What a ZIP needs beside the contents: entries and manifest."""


@dataclass(frozen=True)
class Built:
    """A ZIP that was written.

    Attributes:
        name: of the ZIP, as it was given.
        size_bytes: of the ZIP.
        sha256: of the ZIP; empty if it is so large that hashing it would take as long as packing it.
        selection: what is in it beside the manifest, and what was left out.
        content_bytes: sum of the sizes of the files.
    """

    name: str
    size_bytes: int
    sha256: str
    selection: Selection
    content_bytes: int


def select(root: Path, target: Path | None = None, profile: str = "icme-2025") -> Selection:
    """What of a folder would be packed, and what would not.

    Args:
        root: the folder.
        target: the ZIP to be written, which is no part of it.
        profile: rule book, by name or TOML file.

    Raises:
        UsageError: as `select_files` says, or no ZIP may hold so many files.
    """
    return _select(root, target, load_rules(profile))


def _select(root: Path, target: Path | None, rules: Rules) -> Selection:
    return select_files(root, without=target, most=rules.archive.max_entries - 1)


def build_zip(
    root: Path,
    target: Path,
    *,
    force: bool = False,
    profile: str = "icme-2025",
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> Built:
    """Pack a folder; an existing target is kept until the new one is whole.

    Args:
        root: the folder.
        target: the ZIP to write.
        force: replace an existing target.
        profile: rule book, by name or TOML file.
        told: hears how many bytes of how many were packed.

    Raises:
        UsageError: the folder or the target is not usable; the message says why and what to do.
        MachineError: reading or writing failed on the way, the disk is full for one.
    """
    refuse_target(target, force=force)
    rules = load_rules(profile)
    selection = _select(root, target, rules)
    total = _total(selection, rules)
    declared = _declared(root, selection, rules)
    done = 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        told(done, total)

    try:
        with replaced_when_done(target) as file:
            refuse_full_disk(target, total + SPARE_BYTES)
            write_zip(file, selection.files, lambda packed: manifest_text(packed, declared), count)
        size = target.stat().st_size
        digest = describe_file(target, str(target)).sha256 if size <= MOST_PLAIN_BYTES else ""
    except OSError as error:
        raise MachineError(
            f"cannot write {printable(str(target))!r}: {error}", "free some space and try again"
        ) from None
    return Built(str(target), size, digest, selection, total)


def _total(selection: Selection, rules: Rules) -> int:
    """Sum of the sizes.

    Raises:
        UsageError: it is more than a submission may unpack to.
    """
    sizes = {chosen.name: chosen.path.stat().st_size for chosen in selection.files}
    total, most = sum(sizes.values()), rules.archive.max_unpacked_bytes
    if total > most:
        name = max(sizes, key=lambda name: sizes[name])
        largest = f"the largest file is {printable(name)!r} with {size_words(sizes[name])}"
        message = f"{size_words(total)} would be packed, and a submission may unpack to {size_words(most)}; {largest}"
        raise UsageError(
            message, "`aecc-package slim DIR` tells what could go; `aecc-package upload` puts weights on the Hub"
        )
    return total


def refuse_target(target: Path, *, force: bool) -> None:
    """Refuse to write a ZIP where it would not do.

    Raises:
        UsageError: the target is a folder, has another suffix, or is there and may not be replaced.
    """
    shown = printable(str(target))
    if target.is_dir():
        raise UsageError(f"{shown!r} is a folder", f"name a file, such as `-o {shown}/submission.zip`")
    if target.suffix.lower() != ".zip":
        raise UsageError(f"{shown!r}: expected a name ending in .zip", "for example `-o submission.zip`")
    if target.exists() and not force:
        raise UsageError(f"{shown!r} is there already", "add --force to replace it, or name another file with -o")


def _declared(root: Path, selection: Selection, rules: Rules) -> Declared:
    """What the submission says of itself.

    Raises:
        UsageError: the settings name an encoder that is not packed.
    """
    packed = {chosen.name for chosen in selection.files}
    encoder = read_config(root).encoder
    file = encoder.partition(":")[0]
    if file and file not in packed:
        there = os.path.exists(root / file)  # noqa: PTH110 - `Path.exists` raises for a name that no file system holds
        missing = "is left out of the ZIP" if there else "is not there"
        message = f"the settings name the encoder {printable(file)!r}, which {missing}"
        raise UsageError(message, "mend `encoder = ...` in aecc.toml, or the pattern in .aeccignore")
    sources = read_sources(root, encoder or None)
    return declared_in(sources, encoder or _found(root, sources, packed), rules)


def _found(root: Path, sources: SourceFacts, packed: set[str]) -> str:
    """The encoder that is found, empty if there is no telling or it is not packed."""
    if not sources.chosen:
        return ""
    name = (sources.root / sources.chosen.path).relative_to(root.resolve()).as_posix()
    return name if name in packed else ""
