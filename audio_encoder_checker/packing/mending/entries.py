"""The entries of a ZIP as they will be: without litter, with folders where backslashes stood, at the top."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.layout import single_top_folder
from audio_encoder_checker.checks.archive_contents import LITTER, MACOS_LITTER
from audio_encoder_checker.checks.archive_names import SETUID_BITS
from audio_encoder_checker.evidence.archive import DefectKind, EntryKind
from audio_encoder_checker.packing.mending.changes import LeftOut, Mending, Renamed, Rewritten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from audio_encoder_checker.evidence.archive import ArchiveListing, Entry

NO_REPOSITORY = frozenset((*MACOS_LITTER, *LITTER))
ENVIRONMENT = "pyvenv.cfg"
"""The folder that holds this file is a virtual environment, whatever it is called."""
KNOWN_ENCODINGS = ("ascii", "utf-8")


@dataclass(frozen=True)
class MendedEntries:
    """What becomes of the entries of a ZIP.

    Attributes:
        listing: the table of contents with the new names; entries keep their numbers.
        mendings: what differs from the ZIP as it is.
        flattened: the folder that everything was inside and is no more, else empty.
        notes: what was left alone, and why.
    """

    listing: ArchiveListing
    mendings: tuple[Mending, ...]
    flattened: str = ""
    notes: tuple[str, ...] = ()


def mend_entries(listing: ArchiveListing, encoder: str = "") -> MendedEntries:
    """Mend names and records.

    Args:
        listing: of the ZIP as it is.
        encoder: the encoder file if the user has named it; the folder that it lies in by that name has to stay.
    """
    named = [_with_folders(entry) for entry in listing.entries]
    litter = _litter_of(named)
    kept = [entry for entry in named if entry.index not in litter]
    top, note = _top(kept, encoder)
    placed = list(_placed(kept, f"{top}/" if top else ""))
    mendings = [
        _mend_litter([entry for entry in named if entry.index in litter], litter),
        _mend_backslashes(listing.entries, kept),
        Mending("AEC119", f"everything inside '{top}/' moves to the top", (Renamed(f"{top}/", "./"),)) if top else None,
        _mend_encodings(placed),
        _mend_modes(placed),
    ]
    fresh = tuple(_fresh(entry) for entry in placed)
    left_out = len(listing.entries) - len(fresh)
    return MendedEntries(
        listing=replace(
            listing,
            declared_entries=listing.declared_entries - left_out,
            entries=fresh,
            spans=(),
            overlaps=(),
            defects=listing.defects_of(DefectKind.NAME),
            top_folder=single_top_folder(_marked(fresh)),
        ),
        mendings=tuple(one for one in mendings if one and one.changes),
        flattened=top,
        notes=(note,) if note else (),
    )


def _with_folders(entry: Entry) -> Entry:
    """An entry with `/` between its folders; an empty file whose name ends in a backslash is .NET's empty folder."""
    if "\\" not in entry.name:
        return entry
    name = entry.name.replace("\\", "/")
    is_folder = name.endswith("/") and entry.kind is EntryKind.FILE and not entry.unpacked_bytes
    return replace(entry, name=name, kind=EntryKind.FOLDER if is_folder else entry.kind)


def _marked(entries: Iterable[Entry]) -> list[str]:
    """Names, with `/` at the end of those of folders."""
    return [f"{one.name.rstrip('/')}/" if one.kind is EntryKind.FOLDER else one.name for one in entries]


def _litter_of(entries: Sequence[Entry]) -> dict[int, str]:
    """The numbers of entries that are no part of the repository, and below what each lies."""
    names = (entry.name.rpartition("/") for entry in entries)
    environments = {folder for folder, _, name in names if name == ENVIRONMENT and folder}
    found = ((entry.index, litter_at(entry.name, environments)) for entry in entries)
    return {index: at for index, at in found if at}


def litter_at(name: str, environments: Iterable[str] = ()) -> str:
    """Where a path turns into litter: a folder (with `/` at its end) or the file itself; empty if it does not.

    Args:
        name: with `/` between the parts.
        environments: paths of folders that are virtual environments.
    """
    parts = name.rstrip("/").split("/")
    for depth, part in enumerate(parts, 1):
        path, is_last = "/".join(parts[:depth]), depth == len(parts)
        if part in NO_REPOSITORY or path in environments or (is_last and part.startswith("._")):
            return path if is_last and not name.endswith("/") else f"{path}/"
    return ""


def _top(entries: Sequence[Entry], encoder: str) -> tuple[str, str]:
    """The folder to take away, or nothing and perhaps why it stays."""
    top = single_top_folder(_marked(entries))
    if not top or encoder.startswith(f"{top}/"):
        return "", ""
    second = single_top_folder(_marked(_placed(entries, f"{top}/")))
    if second:  # without its neighbour the inner folder would be taken for the root, and imports through it fail
        return "", f"AEC119: the files lie two folders down, in '{top}/{second}/'; which is the root is for you to say"
    return top, ""


def _placed(entries: Iterable[Entry], prefix: str) -> Iterator[Entry]:
    """Entries without the folder that all of them lie in; a folder is passed on once."""
    folders = {prefix.rstrip("/")}
    for entry in entries:
        if entry.kind is EntryKind.FOLDER:
            if entry.name.rstrip("/") in folders:
                continue
            folders.add(entry.name.rstrip("/"))
        yield replace(entry, name=entry.name.removeprefix(prefix))


def _fresh(entry: Entry) -> Entry:
    """An entry as it will be written."""
    encoding = "ascii" if entry.name.isascii() else "utf-8"
    return replace(entry, encoding=encoding, mode=entry.mode & ~SETUID_BITS)


def _mend_litter(entries: Sequence[Entry], places: dict[int, str]) -> Mending:
    files = [entry for entry in entries if entry.kind is not EntryKind.FOLDER]
    groups: dict[str, list[int]] = {}
    for entry in files:
        groups.setdefault(places[entry.index], []).append(entry.unpacked_bytes)
    changes = [LeftOut(name, len(sizes), sum(sizes)) for name, sizes in groups.items()]
    changes.sort(key=lambda one: (-one.size_bytes, one.name))
    return Mending("AEC118", "what is no part of the repository is left out", tuple(changes))


def _mend_backslashes(before: Sequence[Entry], kept: Sequence[Entry]) -> Mending:
    old = {entry.index: entry.name for entry in before}
    changes = [Renamed(old[one.index], one.name) for one in kept if one.name != old[one.index]]
    return Mending("AEC131", "backslashes become folders", tuple(changes))


def _mend_encodings(entries: Sequence[Entry]) -> Mending:
    changes = [
        Rewritten(one.name, f"read as {one.encoding}, written as UTF-8 and marked so")
        for one in entries
        if one.encoding not in KNOWN_ENCODINGS
    ]
    return Mending("AEC139", "names say in which encoding they are", tuple(changes))


def _mend_modes(entries: Sequence[Entry]) -> Mending:
    changes = [
        Rewritten(one.name, f"mode {one.mode & 0o7777:04o} is dropped") for one in entries if one.mode & SETUID_BITS
    ]
    return Mending("AEC140", "no file asks for special rights", tuple(changes))
