"""The table of contents of an archive: every byte of the file accounted for, nothing unpacked.

The entries and the central directory have to tile the file from the first byte to the end record. What is
left over, shared, or described twice in different ways becomes a fact; whether it matters is for the checks.
"""

from __future__ import annotations

import stat
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.identify import HEAD_BYTES, identify
from audio_encoder_checker.archive.layout import single_top_folder
from audio_encoder_checker.archive.names import UNICODE_PATH_FIELD, UTF8_FLAG, decode_name
from audio_encoder_checker.archive.rawzip import (
    END_SIGNATURE,
    LOCAL_SIGNATURE,
    ZIP64_FIELD,
    BrokenZipError,
    EndRecord,
    Header,
    descriptor_ends,
    extra_fields,
    find_end,
    locate_directory,
    read_at,
    read_directory,
    read_local,
    widen,
)
from audio_encoder_checker.evidence.archive import (
    MAX_LISTED_ENTRIES,
    ArchiveListing,
    Defect,
    DefectKind,
    Entry,
    EntryKind,
    Overlap,
    Span,
    SpanKind,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
DESCRIPTOR_FLAG = 0x0008
COMPARED_FLAGS = ENCRYPTED_FLAGS | UTF8_FLAG
AES_FIELD = 0x9901
UNICODE_COMMENT_FIELD = 0x6375
SINGLE_FIELDS = (ZIP64_FIELD, UNICODE_PATH_FIELD, UNICODE_COMMENT_FIELD, AES_FIELD)
"""Extra fields that readers take the first or the last of."""
UNIX_SYSTEMS = (3, 19)
DOS_FOLDER = 0x10
SHARED_BYTES = 1 << 20
"""How many bytes more than the file has may be read as local headers: only those that lie in one another need any."""
BLANK_BYTES = 1 << 20
"""Up to how many leftover bytes are looked at to tell padding from hidden contents."""
KINDS = {stat.S_IFREG: EntryKind.FILE, stat.S_IFDIR: EntryKind.FOLDER, stat.S_IFLNK: EntryKind.SYMLINK}
SPECIAL_TYPES = {stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK}


def read_listing(path: Path) -> ArchiveListing:
    """List an archive; whatever the file is, facts come back.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return list_open(file)


def list_open(file: BinaryIO) -> ArchiveListing:
    """The same of a file that is open for reading.

    Raises:
        OSError: it cannot be read.
    """
    size = file.seek(0, 2)
    head = read_at(file, 0, HEAD_BYTES)
    try:
        return _list(file, size, find_end(file, size))
    except BrokenZipError as error:
        return _broken(head, size, error.defect)


def _broken(head: bytes, size: int, defect: Defect) -> ArchiveListing:
    """What can be said of a file whose entries cannot be listed."""
    is_zip = head.startswith((LOCAL_SIGNATURE, END_SIGNATURE)) or defect.kind is not DefectKind.TRUNCATED
    found = "a ZIP archive" if is_zip else identify(head)
    return ArchiveListing(size, found, is_zip, defects=(defect,) if is_zip else ())


def _list(file: BinaryIO, size: int, end: EndRecord) -> ArchiveListing:
    if end.count > MAX_LISTED_ENTRIES:
        return ArchiveListing(
            size, "a ZIP archive", is_zip=True, declared_entries=end.count, defects=tuple(end.defects)
        )
    start, base = locate_directory(file, end)
    if base and end.trailing:
        raise BrokenZipError(
            DefectKind.TRUNCATED, "the only end record belongs to an archive inside: the last part is missing"
        )
    headers, directory_end = read_directory(file, start, end)
    reader = _Reader(file, start, base, size + SHARED_BYTES)
    entries = reader.entries(headers)
    spans, overlaps = _tile(file, entries, start)
    spans += _outer_spans(file, end, directory_end)
    return ArchiveListing(
        size_bytes=size,
        found="a ZIP archive",
        is_zip=True,
        declared_entries=end.count,
        entries=tuple(entries),
        spans=tuple(sorted(spans, key=lambda span: span.offset)),
        overlaps=tuple(overlaps),
        defects=(*end.defects, *reader.defects),
        top_folder=single_top_folder(_folder_marked(entry) for entry in entries),
    )


def _folder_marked(entry: Entry) -> str:
    return entry.name + "/" if entry.kind is EntryKind.FOLDER and not entry.name.endswith("/") else entry.name


class _Reader:
    """Reads entries one by one and collects what contradicts.

    `base` is what has to be added to every declared offset, `patience` how many bytes all local headers may have.
    """

    def __init__(self, file: BinaryIO, directory_start: int, base: int, patience: int) -> None:
        self.file = file
        self.directory_start = directory_start
        self.base = base
        self.patience = patience
        self.defects: list[Defect] = []

    def entries(self, headers: list[Header]) -> list[Entry]:
        """Every entry with its local header looked up."""
        wide = [self._central(index, header) for index, header in enumerate(headers)]
        starts = sorted({header.offset for header, _ in wide})
        following = dict(pairwise([*starts, self.directory_start]))
        return [self._entry(i, header, fields, following[header.offset]) for i, (header, fields) in enumerate(wide)]

    def _defect(self, kind: DefectKind, detail: str, index: int) -> None:
        self.defects.append(Defect(kind, detail, index))

    def _central(self, index: int, header: Header) -> tuple[Header, list[tuple[int, bytes]]]:
        fields = self._fields(index, header, "directory")
        header, trouble = widen(header, fields)
        if trouble:
            self._defect(DefectKind.STRUCTURE, trouble, index)
        if header.disk not in (0, 0xFFFF):
            self._defect(DefectKind.SPLIT, f"it lies in part {header.disk + 1} of a split ZIP", index)
        return replace(header, offset=header.offset + self.base), fields

    def _fields(self, index: int, header: Header, where: str) -> list[tuple[int, bytes]]:
        fields, trouble = extra_fields(header.extra)
        if trouble:
            self._defect(DefectKind.STRUCTURE, f"{where}: {trouble}", index)
        kinds = [kind for kind, _ in fields]
        for kind in SINGLE_FIELDS:
            if kinds.count(kind) > 1:
                self._defect(DefectKind.AMBIGUOUS, f"{where}: extra field 0x{kind:04x} is there twice", index)
        return fields

    def _entry(self, index: int, header: Header, fields: list[tuple[int, bytes]], following: int) -> Entry:
        name, encoding, defects = decode_name(header, fields, index)
        self.defects += defects
        data_offset, end = self._data(index, header, following)
        encrypted = bool(header.flags & ENCRYPTED_FLAGS) or any(kind == AES_FIELD for kind, _ in fields)
        kind = _kind(header)
        if header.method == 0 and not encrypted and header.packed_bytes != header.unpacked_bytes:
            sizes = f"{header.packed_bytes} bytes, unpacked {header.unpacked_bytes}"
            self._defect(DefectKind.STRUCTURE, f"it is stored, not compressed, yet its packed size is {sizes}", index)
        if kind is EntryKind.FOLDER and header.unpacked_bytes:
            self._defect(DefectKind.AMBIGUOUS, f"a folder with {header.unpacked_bytes} bytes of data", index)
        if kind is EntryKind.FILE and header.name.endswith(b"/"):
            self._defect(DefectKind.AMBIGUOUS, "its name is a folder's, its mode a file's", index)
        if (kind is EntryKind.FOLDER or header.attributes & DOS_FOLDER) and not header.name.endswith((b"/", b"\\")):
            self._defect(DefectKind.AMBIGUOUS, "its name is a file's, its mode a folder's", index)
        return Entry(
            index=index,
            name=name,
            encoding=encoding,
            method=header.method,
            flags=header.flags,
            crc32=header.crc32,
            packed_bytes=header.packed_bytes,
            unpacked_bytes=header.unpacked_bytes,
            offset=header.offset,
            data_offset=data_offset,
            end=end,
            mode=header.attributes >> 16,
            kind=kind,
            encrypted=encrypted,
        )

    def _data(self, index: int, header: Header, following: int) -> tuple[int, int]:
        """Where an entry's data starts and where all of it ends."""
        local = read_local(self.file, header.offset, self.directory_start)
        if local is None:
            detail = f"there is no local header at byte {header.offset}"
            self._defect(DefectKind.STRUCTURE, detail, index)
            return 0, header.offset
        self.patience -= local.data_offset - local.offset
        if self.patience < 0:
            raise BrokenZipError(DefectKind.STRUCTURE, "its local headers share so many bytes that they were not read")
        end = local.data_offset + header.packed_bytes
        if end > self.directory_start:
            self._defect(
                DefectKind.STRUCTURE,
                f"its {header.packed_bytes} packed bytes would run past the central directory",
                index,
            )
            return local.data_offset, end
        fields = self._fields(index, local, "local header")
        local, trouble = widen(local, fields)
        if trouble:
            self._defect(DefectKind.STRUCTURE, f"local header: {trouble}", index)
        self._compare(index, header, local, fields)
        return local.data_offset, self._after_descriptor(index, header, local, end, following)

    def _compare(self, index: int, header: Header, local: Header, fields: list[tuple[int, bytes]]) -> None:
        """Note every difference between an entry's two descriptions."""
        called, _, trouble = decode_name(local, fields, index)
        name, _, known_trouble = decode_name(header, extra_fields(header.extra)[0], index)
        if local.name != header.name:
            self._defect(DefectKind.HEADERS, f"the local header calls it {called!r}", index)
        elif (called, trouble) != (name, known_trouble):
            self._defect(DefectKind.HEADERS, "its Unicode path differs between local header and directory", index)
        if local.method != header.method:
            self._defect(DefectKind.HEADERS, f"method {header.method}, the local header says {local.method}", index)
        differing = (local.flags ^ header.flags) & COMPARED_FLAGS
        if differing:
            self._defect(DefectKind.HEADERS, f"flags differ from the local header's in 0x{differing:04x}", index)
        streamed = local.flags & DESCRIPTOR_FLAG
        for what in ("crc32", "packed_bytes", "unpacked_bytes"):
            declared, found = getattr(header, what), getattr(local, what)
            if found != declared and not (streamed and found == 0):
                words = what.replace("_", " ")
                self._defect(DefectKind.HEADERS, f"{words} {declared}, the local header says {found}", index)

    def _after_descriptor(self, index: int, header: Header, local: Header, end: int, following: int) -> int:
        """Where the data descriptor behind an entry's data ends, if it has one."""
        if not local.flags & DESCRIPTOR_FLAG:
            return end
        ends = descriptor_ends(self.file, end, header)
        if following in ends:
            return following
        if ends:
            return ends[0]
        if following != end or local.packed_bytes != header.packed_bytes or local.crc32 != header.crc32:
            self._defect(DefectKind.HEADERS, "its data descriptor does not repeat the directory's CRC and sizes", index)
        return end


def _kind(header: Header) -> EntryKind:
    """What an entry would become on disk, from its Unix mode if it has one, else from its name."""
    file_type = stat.S_IFMT(header.attributes >> 16)
    if file_type in KINDS:
        return KINDS[file_type]
    if file_type in SPECIAL_TYPES or (file_type and header.system in UNIX_SYSTEMS):
        return EntryKind.SPECIAL
    return EntryKind.FOLDER if header.name.endswith(b"/") else EntryKind.FILE


def _tile(file: BinaryIO, entries: list[Entry], directory_start: int) -> tuple[list[Span], list[Overlap]]:
    """Lay the entries side by side: what is left over, and what is shared."""
    spans: list[Span] = []
    overlaps: list[Overlap] = []
    at, before = 0, -1
    for entry in sorted(entries, key=lambda entry: (entry.offset, entry.end)):
        if entry.offset > at:
            kind = SpanKind.PREFIX if before < 0 else SpanKind.GAP
            spans.append(_span(file, kind, at, entry.offset - at))
        elif entry.offset < at:
            overlaps.append(Overlap(before, entry.index, min(at, max(entry.end, entry.offset + 1)) - entry.offset))
        if entry.end > at:
            at, before = entry.end, entry.index
    if at < directory_start:
        kind = SpanKind.BEFORE_DIRECTORY if entries else SpanKind.PREFIX
        spans.append(_span(file, kind, at, directory_start - at))
    return spans, overlaps


def _outer_spans(file: BinaryIO, end: EndRecord, directory_end: int) -> list[Span]:
    spans = []
    if directory_end < end.directory_end:
        spans.append(_span(file, SpanKind.BEFORE_END, directory_end, end.directory_end - directory_end))
    if end.trailing:
        offset = end.offset + 22 + len(end.comment)
        spans.append(_span(file, SpanKind.TRAILING, offset, end.trailing))
    return spans


def _span(file: BinaryIO, kind: SpanKind, offset: int, length: int) -> Span:
    sample = read_at(file, offset, min(length, BLANK_BYTES))
    found = ""
    if LOCAL_SIGNATURE in sample:
        found = "an entry that the directory does not list"
    elif kind is SpanKind.PREFIX:
        found = identify(sample)
    return Span(kind, offset, length, blank=length <= BLANK_BYTES and not any(sample), found=found)
