"""ZIP archives that hold weights: torch's checkpoints, TorchScript and NumPy's .npz.

Every member is looked at, whatever its name: which of them a program unpickles is the program's choice.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.listing import list_open
from audio_encoder_checker.archive.weights.arrays import MAGIC, BrokenArrayError, read_head
from audio_encoder_checker.archive.weights.draft import format_of
from audio_encoder_checker.archive.weights.opcodes import STARTS
from audio_encoder_checker.archive.weights.pickles import HEAD_BYTES, ZIP_START, looks_pickled
from audio_encoder_checker.archive.weights.streams import Extent, file_stream, inflated_stream, raw_deflate
from audio_encoder_checker.evidence.archive import DefectKind, EntryKind
from audio_encoder_checker.evidence.weights import FlawKind, WeightKind

if TYPE_CHECKING:
    from typing import BinaryIO

    from audio_encoder_checker.archive.weights.draft import Draft
    from audio_encoder_checker.archive.weights.pickles import PickleReader
    from audio_encoder_checker.archive.weights.streams import Stream
    from audio_encoder_checker.evidence.archive import ArchiveListing, Entry

PICKLE_NAMES = (".pkl", ".pickle", ".p")
STORED, DEFLATED = 0, 8


def read_container(file: BinaryIO, draft: Draft, reader: PickleReader) -> None:
    """Look at all members of an open file.

    Raises:
        TooMuchError: they are too large or too many.
    """
    listing = list_open(file)
    draft.kind = _kind({entry.name for entry in listing.entries})
    _structure(listing, draft)
    for entry in listing.entries:
        if entry.kind is EntryKind.FILE and entry.data_offset:
            _member(file, entry, draft, reader)
    if draft.kind in {WeightKind.TORCH_ZIP, WeightKind.TORCHSCRIPT}:
        _storages(listing, draft)
        draft.add_storages()


def _kind(names: set[str]) -> WeightKind:
    last = {name.rpartition("/")[2] for name in names}
    if "data.pkl" in last:
        return WeightKind.TORCHSCRIPT if "constants.pkl" in last else WeightKind.TORCH_ZIP
    return WeightKind.NPZ if names and all(name.endswith(".npy") for name in names) else WeightKind.OTHER


def _structure(listing: ArchiveListing, draft: Draft) -> None:
    """Damage for which readers differ in what they find."""
    damage = [defect.detail for defect in listing.defects if defect.kind is not DefectKind.NAME]
    damage += [f"{span.length} bytes {span.kind.value} belong to no member" for span in listing.spans if not span.blank]
    damage += ["two members share bytes" for _ in listing.overlaps[:1]]
    counts = Counter(entry.name for entry in listing.entries)
    damage += [f"two members are called '{name}'" for name, count in counts.items() if count > 1]
    for detail in damage:
        draft.flaw(FlawKind.DAMAGED, detail)
    if len(listing.entries) < listing.declared_entries and not damage:
        draft.flaw(FlawKind.UNREAD, f"an archive of {listing.declared_entries} members")


def _member(file: BinaryIO, entry: Entry, draft: Draft, reader: PickleReader) -> None:
    if entry.encrypted:
        draft.flaw(FlawKind.UNREAD, f"'{entry.name}' is encrypted, or says so")
    stream = file_stream(file, Extent(entry.data_offset, entry.packed_bytes))
    if entry.method == DEFLATED:
        stream = inflated_stream(stream, raw_deflate, reader.budget)
    elif entry.method != STORED:
        draft.flaw(FlawKind.UNREAD, f"'{entry.name}' has compression method {entry.method}")
        return
    head = stream.peek(HEAD_BYTES)
    if head.startswith(MAGIC):
        read_array(stream, entry.unpacked_bytes, draft, reader, where=entry.name)
    elif head.startswith(ZIP_START):
        draft.flaw(FlawKind.UNREAD, f"'{entry.name}' is an archive inside the archive")
    elif entry.name.lower().endswith(PICKLE_NAMES) or looks_pickled(head):
        named = entry.name.lower().endswith(PICKLE_NAMES) and not entry.encrypted
        _pickle(stream, entry, draft, reader, sure=named)
    elif head[:1] and head[0] in STARTS and draft.kind is WeightKind.OTHER:
        reader.read(stream, entry.name, sure=False)


def _pickle(stream: Stream, entry: Entry, draft: Draft, reader: PickleReader, *, sure: bool) -> None:
    before = draft.log.broken
    draft.log.broken = ""
    reader.read(stream, entry.name, sure=sure)
    if draft.log.broken and sure:
        draft.flaw(FlawKind.DAMAGED, f"'{entry.name}': {draft.log.broken}")
    draft.log.broken = draft.log.broken or before


def read_array(stream: Stream, size: int, draft: Draft, reader: PickleReader, *, where: str = "") -> None:
    """One array: its header, its length, and its pickle if it holds objects.

    Raises:
        TooMuchError: the pickle is too long, or there are too many headers.
    """
    shown = f"'{where}': " if where else ""
    start = stream.position
    try:
        head = read_head(stream)
    except BrokenArrayError as error:
        draft.flaw(FlawKind.DAMAGED, f"{shown}{error}")
        return
    finally:
        reader.budget.spend(stream.position - start)  # a byte of a header takes as long as an opcode
    draft.add(head.dtype, head.numbers)
    left = size - stream.position
    if head.pickled:
        reader.read(stream, where)
        if draft.log.broken:
            draft.flaw(FlawKind.DAMAGED, f"{shown}{draft.log.broken}")
    elif head.data_bytes is not None and head.data_bytes > left:
        draft.flaw(FlawKind.DAMAGED, f"{shown}cut off: {head.data_bytes} bytes expected, there are {left}")


def _storages(listing: ArchiveListing, draft: Draft) -> None:
    """Hold the storages that the pickles refer to against the members that hold their values."""
    sizes = {entry.name: entry.unpacked_bytes for entry in listing.entries}
    for (where, key), storage in draft.log.storages.items():
        name = f"{where.removesuffix('.pkl')}/{key}"
        width = format_of(storage)[1]
        if name not in sizes:
            draft.flaw(FlawKind.DAMAGED, f"'{name}' is missing, which '{where}' refers to")
        elif width and sizes[name] < storage.numbers * width:
            needed = storage.numbers * width
            draft.flaw(FlawKind.DAMAGED, f"'{name}' has {sizes[name]} bytes, '{where}' expects {needed}")
