"""The records of a ZIP archive as they stand in the file, read with `struct` and believed in nothing.

Python's `zipfile` is lenient: it opens archives whose records contradict one another, and other programs then
see other contents. So every record is read here, and every contradiction is kept as a fact. Layouts are those
of PKWARE's APPNOTE.TXT 6.3.10, section 4.3. The file is never read as a whole.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.archive import Defect, DefectKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
END64_SIGNATURE = b"PK\x06\x06"
LOCATOR_SIGNATURE = b"PK\x06\x07"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s2B5H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")

ZIP64_FIELD = 0x0001
FULL_16, FULL_32 = 0xFFFF, 0xFFFFFFFF
"""A field that is full says that its value stands in the ZIP64 record."""
TAIL_BYTES = 1 << 20
"""How far from its end a file is searched for the end record, so that trailing bytes can be named."""
MAX_DIRECTORY_BYTES = 16 << 20
MAX_OFFSET = 1 << 40
"""File systems refuse to seek beyond what they can hold; no submission has a tebibyte."""
MAX_FIELDS = 256
"""Of extra fields; writers have a handful."""
END64_BODY_BYTES = _END64.size - 12
"""What a ZIP64 end record says its size is when nothing was appended to it."""


class BrokenZipError(Exception):
    """The archive is so damaged that its entries cannot be listed."""

    def __init__(self, kind: DefectKind, detail: str) -> None:
        super().__init__(detail)
        self.defect = Defect(kind, detail)


@dataclass
class EndRecord:
    """The end of the archive.

    Attributes:
        offset: of the end record.
        directory_end: where the records after the central directory begin.
        count: number of entries declared.
        directory_size: in bytes, as declared.
        directory_offset: as declared.
        comment: of the archive.
        trailing: number of bytes behind the comment.
        full: whether a field refers to the ZIP64 record.
        defects: what contradicts.
    """

    offset: int
    directory_end: int
    count: int
    directory_size: int
    directory_offset: int
    comment: bytes
    trailing: int
    full: bool = False
    defects: list[Defect] = field(default_factory=list)


@dataclass(frozen=True)
class Header:
    """What local headers and central directory entries have in common, and the rest of the latter."""

    flags: int
    method: int
    crc32: int
    packed_bytes: int
    unpacked_bytes: int
    name: bytes
    extra: bytes
    offset: int = 0
    system: int = 0
    attributes: int = 0
    disk: int = 0
    data_offset: int = 0
    """Of local headers only."""


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Bytes at an offset, fewer where the file ends; an offset that no file can have gives none."""
    if not 0 <= offset < MAX_OFFSET:
        return b""
    file.seek(offset)
    return file.read(length)


def find_end(file: BinaryIO, size: int) -> EndRecord:
    """Find the end record: the last one whose comment reaches the end of the file exactly, else the last.

    Raises:
        BrokenZipError: there is none, or a record that it points to is not there.
    """
    start = max(0, size - TAIL_BYTES)
    tail = read_at(file, start, size - start)
    found = list(_end_candidates(tail, size - start))
    if not found:
        raise BrokenZipError(DefectKind.TRUNCATED, "there is no end record: the last part of the archive is missing")
    exact = [at for at, trailing in found if trailing == 0]
    complete = [at for at, trailing in found if trailing >= 0]
    chosen = _end_record(tail, (exact or complete or [found[-1][0]])[-1], start, size)
    if chosen.trailing < 0:
        raise BrokenZipError(
            DefectKind.TRUNCATED,
            f"the archive comment should have {len(chosen.comment) - chosen.trailing} bytes, "
            f"but the file ends after {len(chosen.comment)}",
        )
    _widen_end(file, chosen)
    others = [(start + at, trailing) for at, trailing in found if start + at != chosen.offset]
    rivals = [trailing for at, trailing in others if trailing == 0 or at >= chosen.directory_offset]
    if any(trailing >= 0 for trailing in rivals):
        chosen.defects.append(
            Defect(DefectKind.AMBIGUOUS, f"{len(rivals) + 1} end records, each with its own contents")
        )
    if any(b"PK" + bytes([low]) in chosen.comment for low in range(1, 9)):
        chosen.defects.append(Defect(DefectKind.AMBIGUOUS, "ZIP records inside the archive comment"))
    return chosen


def _end_candidates(tail: bytes, length: int) -> Iterator[tuple[int, int]]:
    """Every place in the last bytes of the file that looks like an end record, and the bytes behind its comment."""
    at = tail.find(END_SIGNATURE)
    while at >= 0:
        if at + _END.size <= len(tail):
            yield at, length - at - _END.size - int.from_bytes(tail[at + _END.size - 2 : at + _END.size], "little")
        at = tail.find(END_SIGNATURE, at + 1)


def _end_record(tail: bytes, at: int, start: int, size: int) -> EndRecord:
    _, disk, directory_disk, here, count, length, offset, comment_length = _END.unpack_from(tail, at)
    comment_at = at + _END.size
    record = EndRecord(
        offset=start + at,
        directory_end=start + at,
        count=count,
        directory_size=length,
        directory_offset=offset,
        comment=tail[comment_at : comment_at + comment_length],
        trailing=size - (start + comment_at + comment_length),
        full=FULL_16 in (disk, directory_disk, here, count) or FULL_32 in (length, offset),
    )
    parts = {disk, directory_disk} - {0, FULL_16}
    if parts or here != count:
        record.defects.append(Defect(DefectKind.SPLIT, f"this is part {max(disk, directory_disk) + 1} of a split ZIP"))
    return record


def _widen_end(file: BinaryIO, end: EndRecord) -> None:
    """Take values from the ZIP64 end record if there is one.

    Raises:
        BrokenZipError: its locator points nowhere.
    """
    locator_at = end.offset - _LOCATOR.size
    locator = read_at(file, locator_at, _LOCATOR.size) if locator_at >= 0 else b""
    if not locator.startswith(LOCATOR_SIGNATURE):
        if end.full:
            end.defects.append(
                Defect(DefectKind.STRUCTURE, "the end record refers to a ZIP64 record that is not there")
            )
        return
    _, disk, offset, disks = _LOCATOR.unpack(locator)
    if disk or disks > 1:
        detail = f"the ZIP64 locator names part {disk + 1} of {disks}, expected the only one"
        end.defects.append(Defect(DefectKind.SPLIT, detail))
    _read_end64(file, end, offset, locator_at)


def _read_end64(file: BinaryIO, end: EndRecord, offset: int, locator_at: int) -> None:
    usual = locator_at - _END64.size
    places = [at for at in (offset, usual) if 0 <= at <= usual]
    at = next((at for at in places if read_at(file, at, 4) == END64_SIGNATURE), None)
    if at is None:
        raise BrokenZipError(DefectKind.STRUCTURE, f"there is no ZIP64 end record at byte {offset}")
    _, size, _, _, disk, directory_disk, here, count, length, start = _END64.unpack(read_at(file, at, _END64.size))
    if at != offset:
        detail = f"the ZIP64 end record is at byte {at}, its locator says {offset}"
        end.defects.append(Defect(DefectKind.STRUCTURE, detail))
    if size != END64_BODY_BYTES or at + 12 + size != locator_at:
        detail = f"the ZIP64 end record should have {END64_BODY_BYTES} bytes and end at its locator, it says {size}"
        end.defects.append(Defect(DefectKind.STRUCTURE, detail))
    if here != count or disk or directory_disk:
        detail = f"{count} entries, {here} of them in this part, which is number {disk + 1}"
        end.defects.append(Defect(DefectKind.SPLIT, detail))
    pairs = (
        ("entries", end.count, FULL_16, count),
        ("size of the directory", end.directory_size, FULL_32, length),
        ("offset of the directory", end.directory_offset, FULL_32, start),
    )
    for what, narrow, full, wide in pairs:
        if narrow not in (full, wide):
            detail = f"{what}: the end record says {narrow}, the ZIP64 record {wide}"
            end.defects.append(Defect(DefectKind.AMBIGUOUS, detail))
    end.directory_end, end.count, end.directory_size, end.directory_offset = at, count, length, start


def locate_directory(file: BinaryIO, end: EndRecord) -> tuple[int, int]:
    """Where the central directory starts, and by how many bytes all offsets are too small.

    Raises:
        BrokenZipError: there is no central directory where it should be.
    """
    declared, expected = end.directory_offset, end.directory_end - end.directory_size
    if declared == expected or (end.count and read_at(file, declared, 4) == CENTRAL_SIGNATURE):
        return declared, 0
    moved = expected >= 0 and (not end.count or read_at(file, expected, 4) == CENTRAL_SIGNATURE)
    if moved and expected > declared:
        return expected, expected - declared
    raise BrokenZipError(DefectKind.STRUCTURE, f"there is no central directory at byte {declared}")


def read_directory(file: BinaryIO, start: int, end: EndRecord) -> tuple[list[Header], int]:
    """Read the central directory, adding what contradicts to the end record's defects.

    Returns:
        Its entries, and where the last one ends.

    Raises:
        BrokenZipError: it is larger than anything sensible.
    """
    length = end.directory_end - start
    if not 0 <= length <= MAX_DIRECTORY_BYTES:
        raise BrokenZipError(DefectKind.STRUCTURE, f"the central directory would have {length} bytes")
    data = read_at(file, start, length)
    headers: list[Header] = []
    at = 0
    while len(headers) < end.count and data.startswith(CENTRAL_SIGNATURE, at) and at + _CENTRAL.size <= length:
        header, at = _central_header(data, at)
        headers.append(header)
    _compare_directory(end, data, at, start, len(headers))
    return headers, start + min(at, length)


def _central_header(data: bytes, at: int) -> tuple[Header, int]:
    """One entry of the central directory, and where it ends."""
    _, _, system, _, flags, method, _, _, *rest = _CENTRAL.unpack_from(data, at)
    crc32, packed, unpacked, name_length, extra_length, comment_length, disk, _, attributes, offset = rest
    name_at = at + _CENTRAL.size
    extra_at = name_at + name_length
    comment_at = extra_at + extra_length
    header = Header(
        flags=flags,
        method=method,
        crc32=crc32,
        packed_bytes=packed,
        unpacked_bytes=unpacked,
        name=data[name_at:extra_at],
        extra=data[extra_at:comment_at],
        offset=offset,
        system=system,
        attributes=attributes,
        disk=disk,
    )
    return header, comment_at + comment_length


def _compare_directory(end: EndRecord, data: bytes, parsed: int, start: int, count: int) -> None:
    """Compare what was read of the central directory with what the end record says of it."""
    if parsed > len(data):
        end.defects.append(Defect(DefectKind.STRUCTURE, f"entry {count - 1} runs past the central directory"))
    elif count < end.count:
        detail = f"the end record counts {end.count} entries, the directory holds {count}"
        end.defects.append(Defect(DefectKind.STRUCTURE, detail))
    elif data.startswith(CENTRAL_SIGNATURE, parsed):
        detail = f"the directory holds more than the {count} entries that the end record counts"
        end.defects.append(Defect(DefectKind.AMBIGUOUS, detail))
    elif parsed != end.directory_size:
        detail = f"the directory from byte {start} has {parsed} bytes, the end record says {end.directory_size}"
        end.defects.append(Defect(DefectKind.STRUCTURE, detail))


def read_local(file: BinaryIO, offset: int, limit: int) -> Header | None:
    """The local header at an offset, None if none is there or it runs past `limit`."""
    fixed = read_at(file, offset, _LOCAL.size)
    if len(fixed) < _LOCAL.size or not fixed.startswith(LOCAL_SIGNATURE):
        return None
    _, _, flags, method, _, _, crc32, packed, unpacked, name_length, extra_length = _LOCAL.unpack(fixed)
    data_offset = offset + _LOCAL.size + name_length + extra_length
    if data_offset > limit:
        return None
    rest = file.read(name_length + extra_length)
    return Header(
        flags=flags,
        method=method,
        crc32=crc32,
        packed_bytes=packed,
        unpacked_bytes=unpacked,
        name=rest[:name_length],
        extra=rest[name_length:],
        offset=offset,
        data_offset=data_offset,
    )


def extra_fields(extra: bytes) -> tuple[list[tuple[int, bytes]], str]:
    """Split an extra area into its fields (id, data); the text says what is wrong with it, or is empty.

    Up to three zero bytes at the end are padding that aligners such as `zipalign` leave.
    """
    fields: list[tuple[int, bytes]] = []
    at = 0
    while at + 4 <= len(extra):
        if len(fields) == MAX_FIELDS:
            return fields, f"more than {MAX_FIELDS} extra fields"
        kind, length = struct.unpack_from("<HH", extra, at)
        at += 4
        if at + length > len(extra):
            return fields, f"extra field 0x{kind:04x} should have {length} bytes, {len(extra) - at} are left"
        fields.append((kind, extra[at : at + length]))
        at += length
    if any(extra[at:]):
        return fields, f"{len(extra) - at} stray bytes at the end of the extra fields"
    return fields, ""


def widen(header: Header, fields: list[tuple[int, bytes]]) -> tuple[Header, str]:
    """Take sizes and offset from the ZIP64 field where the header's own are full.

    Returns:
        The header with its real values, and what is wrong with the field, or an empty text.
    """
    order = ("unpacked_bytes", "packed_bytes", "offset")
    full = [name for name in order if getattr(header, name) == FULL_32]
    data = next((data for kind, data in fields if kind == ZIP64_FIELD), None)
    if data is None:
        return header, f"{', '.join(full)} should stand in a ZIP64 field that is not there" if full else ""
    if len(data) < 8 * len(full):
        return header, f"the ZIP64 field has {len(data)} bytes, expected {8 * len(full)}"
    values = struct.unpack_from(f"<{len(full)}Q", data)
    wide = replace(header, **dict(zip(full, values, strict=True)))
    if len(data) == 8 * len(full) or _repeats(wide, data, order):
        return wide, ""
    return wide, f"the ZIP64 field has {len(data)} bytes, expected {8 * len(full)}"


def _repeats(header: Header, data: bytes, order: tuple[str, ...]) -> bool:
    """Whether a ZIP64 field that is longer than needed merely repeats the header, as some writers do."""
    count = min(3, len(data) // 8)
    if len(data) not in (16, 24, 28):
        return False
    return all(value == getattr(header, name) for name, value in zip(order, struct.unpack_from(f"<{count}Q", data)))  # noqa: B905 - fewer values than names is usual


def descriptor_ends(file: BinaryIO, data_end: int, header: Header) -> list[int]:
    """Where a data descriptor that repeats the header's CRC and sizes may end, in each form that fits.

    A descriptor comes with or without signature, with sizes of 4 or 8 bytes.
    """
    data = read_at(file, data_end, 24)
    ends = []
    for signature in (DESCRIPTOR_SIGNATURE, b""):
        for form in ("<LLL", "<LQQ"):
            length = len(signature) + struct.calcsize(form)
            if len(data) < length or not data.startswith(signature):
                continue
            found = struct.unpack_from(form, data, len(signature))
            if found == (header.crc32, header.packed_bytes, header.unpacked_bytes):
                ends.append(data_end + length)
    return ends
