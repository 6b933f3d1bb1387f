"""Build a submission ZIP from a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.config import read_config
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.packing.manifest import describe_file, manifest_text
from audio_encoder_checker.packing.selection import Selection, select_files
from audio_encoder_checker.packing.writing import replaced_when_done, write_zip
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audio_encoder_checker.evidence.manifest import PackedFile


@dataclass(frozen=True)
class Built:
    """A ZIP that was written.

    Attributes:
        archive: the ZIP itself, its size and its hash.
        selection: what is in it beside the manifest, and what was left out.
        content_bytes: sum of the sizes of the files.
    """

    archive: PackedFile
    selection: Selection
    content_bytes: int


def build_zip(root: Path, target: Path, *, force: bool = False) -> Built:
    """Pack a folder; an existing target is kept until the new one is whole.

    Args:
        root: the folder.
        target: the ZIP to write.
        force: replace an existing target.

    Raises:
        UsageError: the folder or the target is not usable; the message says why and what to do.
        MachineError: reading or writing failed on the way, the disk is full for one.
    """
    _refuse_target(target, force=force)
    selection = select_files(root, without=target)
    encoder = _encoder(root, selection)
    packed = [describe_file(chosen.path, chosen.name) for chosen in selection.files]
    try:
        with replaced_when_done(target) as file:
            write_zip(file, selection.files, manifest_text(packed, encoder))
    except OSError as error:
        raise MachineError(
            f"cannot write {printable(str(target))!r}: {error}", "free some space and try again"
        ) from None
    return Built(describe_file(target, str(target)), selection, sum(file.size_bytes for file in packed))


def _refuse_target(target: Path, *, force: bool) -> None:
    shown = printable(str(target))
    if target.is_dir():
        raise UsageError(f"{shown!r} is a folder", f"name a file, such as `-o {shown}/submission.zip`")
    if target.suffix.lower() != ".zip":
        raise UsageError(f"{shown!r}: expected a name ending in .zip", "for example `-o submission.zip`")
    if target.exists() and not force:
        raise UsageError(f"{shown!r} is there already", "add --force to replace it, or name another file with -o")


def _encoder(root: Path, selection: Selection) -> str:
    """The encoder that the settings of the folder name, or the one that is found; empty if there is no telling.

    Raises:
        UsageError: the settings name a file that is not packed.
    """
    packed = {chosen.name for chosen in selection.files}
    encoder = read_config(root).encoder
    file = encoder.partition(":")[0]
    if file and file not in packed:
        missing = "is left out of the ZIP" if (root / file).exists() else "is not there"
        message = f"the settings name the encoder {printable(file)!r}, which {missing}"
        raise UsageError(message, "mend `encoder = ...` in aecc.toml, or the pattern in .aeccignore")
    return encoder or next((name for name in _found(root) if name in packed), "")


def _found(root: Path) -> Iterator[str]:
    sources = read_sources(root)
    if sources.chosen:
        yield (sources.root / sources.chosen.path).relative_to(root.resolve()).as_posix()
