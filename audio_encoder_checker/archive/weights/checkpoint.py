"""torch's checkpoints, read without torch: what they hold, and where in the file the numbers of every storage lie.

Both formats are known: the ZIP of torch 1.6 and later, and the five pickles in a row with raw numbers behind them.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.listing import list_open
from audio_encoder_checker.archive.weights.pickles import LEGACY_MAGIC, ZIP_START
from audio_encoder_checker.archive.weights.streams import CutOffError, Extent, file_stream
from audio_encoder_checker.archive.weights.tree import NoTreeError, read_tree
from audio_encoder_checker.archive.weights.values import Table, storages_below

if TYPE_CHECKING:
    from typing import BinaryIO

    from audio_encoder_checker.archive.weights.streams import Budget, Stream
    from audio_encoder_checker.archive.weights.values import StoredNumbers
    from audio_encoder_checker.evidence.archive import ArchiveListing, Entry

PICKLE = "data.pkl"
COUNT_BYTES = 8
"""In the old format the length of a storage stands in front of its numbers."""


class NoCheckpointError(Exception):
    """The file is no checkpoint that can be read so; its message says why."""


class Checkpoint(NamedTuple):
    """A checkpoint.

    Attributes:
        tree: what it holds (`values`).
        places: where the bytes of each storage lie in the file, by key.
    """

    tree: object
    places: dict[str, Extent]

    def size_of(self, storage: StoredNumbers) -> int:
        """Bytes that a storage takes in the file; 0 where it is missing."""
        place = self.places.get(storage.key)
        return place.length if place else 0


def read_checkpoint(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read an open file.

    Raises:
        NoCheckpointError: it is no checkpoint, is damaged, or holds more than is looked at.
        OSError: it cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        if file.read(len(ZIP_START)) == ZIP_START:
            return _from_zip(file, budget)
        return _from_pickles(file_stream(file, Extent(0, size)), size, budget)
    except NoTreeError as error:
        raise NoCheckpointError(str(error)) from None


def _from_zip(file: BinaryIO, budget: Budget) -> Checkpoint:
    listing = list_open(file)
    members = _members(listing)
    found = [name for name in members if name.rpartition("/")[2] == PICKLE]
    if len(found) != 1:
        raise NoCheckpointError(f"expected one {PICKLE}, the ZIP has {len(found)}")
    folder = found[0].removesuffix(PICKLE)
    if f"{folder}constants.pkl" in members:
        raise NoCheckpointError("this is TorchScript, a program and no checkpoint")
    order = members.get(f"{folder}byteorder")
    if order and file_stream(file, _place(order)).some(8).strip() != b"little":
        raise NoCheckpointError("its numbers are written in the order of another machine")
    tree = read_tree(file_stream(file, _place(members[found[0]])), budget)
    prefix = f"{folder}data/"
    places = {name.removeprefix(prefix): _place(entry) for name, entry in members.items() if name.startswith(prefix)}
    return Checkpoint(tree, places)


def _members(listing: ArchiveListing) -> dict[str, Entry]:
    """The ZIP's members by name, where every reader finds the same."""
    twice = [name for name, count in Counter(entry.name for entry in listing.entries).items() if count > 1]
    whole = listing.is_zip and len(listing.entries) == listing.declared_entries
    if listing.defects or listing.overlaps or twice or not whole:
        raise NoCheckpointError("its ZIP is damaged or ambiguous")
    return {entry.name: entry for entry in listing.entries}


def _place(entry: Entry) -> Extent:
    if entry.method or entry.encrypted or not entry.data_offset:
        raise NoCheckpointError("its ZIP is packed, and torch stores")
    return Extent(entry.data_offset, entry.packed_bytes)


def _from_pickles(stream: Stream, size: int, budget: Budget) -> Checkpoint:
    """The old format: a number that marks it, a version, facts of the machine, the object, the keys, the numbers."""
    if read_tree(stream, budget) != LEGACY_MAGIC:
        raise NoCheckpointError("it does not begin as a checkpoint does")
    read_tree(stream, budget)
    machine = read_tree(stream, budget)
    if not isinstance(machine, Table) or machine.items().get("little_endian", True) is not True:
        raise NoCheckpointError("its numbers are written in the order of another machine")
    tree = read_tree(stream, budget)
    keys = read_tree(stream, budget)
    if not isinstance(keys, list):
        raise NoCheckpointError("its storages are not listed")
    return Checkpoint(tree, _legacy_places(stream, size, keys, storages_below(tree)))


def _legacy_places(
    stream: Stream, size: int, keys: list[object], storages: dict[str, StoredNumbers]
) -> dict[str, Extent]:
    places = {}
    for key in keys:
        storage = storages.get(key) if isinstance(key, str) else None
        if storage is None or not storage.width or storage.key in places:
            raise NoCheckpointError("its list of storages is not that of its tensors")
        try:
            numbers = int.from_bytes(stream.take(COUNT_BYTES), "little")
        except CutOffError:
            raise NoCheckpointError("it was cut off") from None
        place = Extent(stream.position, storage.numbers * storage.width)
        if numbers != storage.numbers or place.start + place.length > size:
            raise NoCheckpointError("a storage is not as long as its tensors say")
        stream.pass_over(place.length)
        places[storage.key] = place
    return places
