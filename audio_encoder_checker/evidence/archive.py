"""What an archive's bytes say, before and after it was unpacked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MAX_LISTED_ENTRIES = 20_000
"""An archive that declares more than this is not listed at all: reading it would cost more than it tells."""


class EntryKind(str, Enum):
    """What an entry would become on disk."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    SPECIAL = "special file"


class DefectKind(str, Enum):
    """Classes of structural damage; each belongs to one check."""

    TRUNCATED = "truncated"
    SPLIT = "split"
    STRUCTURE = "structure"
    HEADERS = "headers"
    AMBIGUOUS = "ambiguous"
    NAME = "name"


@dataclass(frozen=True)
class Defect:
    """One way in which the bytes break the ZIP format or let readers disagree.

    Attributes:
        kind: the class of damage.
        detail: what was expected and what was found.
        entry: number of the entry it belongs to, -1 for the whole archive.
    """

    kind: DefectKind
    detail: str
    entry: int = -1


@dataclass(frozen=True)
class Entry:
    """One entry of the central directory.

    Attributes:
        index: its place in the central directory, from 0.
        name: the name as text.
        encoding: `ascii`, `utf-8`, or what was guessed: `utf-8 without its flag`, `utf-8 in an
            extra field`, `gbk`, `cp437`.
        method: compression method, 0 stored, 8 deflate.
        flags: general purpose flags.
        crc32: of the unpacked bytes.
        packed_bytes: size inside the archive.
        unpacked_bytes: declared size outside.
        offset: where its local header starts in the file.
        data_offset: where its data starts, 0 where the local header could not be read.
        end: where its data (and descriptor) ends.
        mode: Unix mode, 0 if there is none.
        kind: what it would become on disk.
        encrypted: whether a password is needed.
    """

    index: int
    name: str
    encoding: str
    method: int
    flags: int
    crc32: int
    packed_bytes: int
    unpacked_bytes: int
    offset: int
    data_offset: int
    end: int
    mode: int
    kind: EntryKind
    encrypted: bool


class SpanKind(str, Enum):
    """Where bytes lie that belong to no entry."""

    PREFIX = "in front of the first entry"
    GAP = "between two entries"
    BEFORE_DIRECTORY = "between the last entry and the central directory"
    BEFORE_END = "between the central directory and the end record"
    TRAILING = "after the end of the archive"


@dataclass(frozen=True)
class Span:
    """Bytes of the file that no record accounts for.

    Attributes:
        kind: where they lie.
        offset: of the first byte.
        length: number of bytes.
        blank: whether all of them are zero.
        found: what they look like, such as `a local header that the directory does not list`; may be empty.
    """

    kind: SpanKind
    offset: int
    length: int
    blank: bool
    found: str = ""


@dataclass(frozen=True)
class Overlap:
    """Two entries that share bytes: the index of each, and how many bytes."""

    first: int
    second: int
    shared_bytes: int


@dataclass(frozen=True)
class ArchiveListing:
    """The table of contents of an archive, with nothing unpacked.

    Attributes:
        size_bytes: of the file.
        found: what the file is by its first and last bytes: `a ZIP archive`, `a RAR archive`, ...
        is_zip: whether an end record or a local header of a ZIP was found.
        declared_entries: number of entries as the end record says.
        entries: those read; fewer than declared if the archive is damaged or has too many.
        spans: bytes that no record accounts for.
        overlaps: entries that share bytes.
        defects: structural damage.
        top_folder: the only folder at the top if everything lies in it, else empty.
    """

    size_bytes: int
    found: str
    is_zip: bool
    declared_entries: int = 0
    entries: tuple[Entry, ...] = ()
    spans: tuple[Span, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    defects: tuple[Defect, ...] = ()
    top_folder: str = ""

    @property
    def packed_bytes(self) -> int:
        """Sum of the packed sizes."""
        return sum(entry.packed_bytes for entry in self.entries)

    @property
    def unpacked_bytes(self) -> int:
        """Sum of the declared sizes."""
        return sum(entry.unpacked_bytes for entry in self.entries)

    def defects_of(self, *kinds: DefectKind) -> tuple[Defect, ...]:
        """The structural damage of some classes."""
        return tuple(defect for defect in self.defects if defect.kind in kinds)


@dataclass(frozen=True)
class DamagedMember:
    """A file whose data is not what the archive promises: its name, and what is wrong."""

    name: str
    what: str


@dataclass(frozen=True)
class LfsPointer:
    """A Git LFS pointer in place of a file: its name, and the size of the file it stands for (0 if unknown)."""

    name: str
    stands_for_bytes: int


@dataclass(frozen=True)
class LeftPacked:
    """A stored file that was verified where it lies in the archive: its name, offset of its data, and its size."""

    name: str
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class UnpackFacts:
    """What came out of an archive.

    Attributes:
        files: number of files written.
        unpacked_bytes: sum of their sizes.
        damaged: files that could not be written as the archive promises; they are not there.
        skipped: names of macOS metadata left aside.
        pointers: Git LFS pointers where a file should be.
        left_packed: large files that nobody is going to run: in their place lie empty ones of the same size.
    """

    files: int
    unpacked_bytes: int
    damaged: tuple[DamagedMember, ...] = ()
    skipped: tuple[str, ...] = ()
    pointers: tuple[LfsPointer, ...] = ()
    left_packed: tuple[LeftPacked, ...] = ()
