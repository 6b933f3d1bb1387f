"""Archives and repositories to test with: well-formed ones, and ones that are broken in a single way."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.archive import ArchiveListing, Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SYMLINK_MODE = stat.S_IFLNK | 0o777


def _dated(name: str) -> zipfile.ZipInfo:
    """An entry of a fixed date: tests are named after what they are given."""
    entry = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
    entry.external_attr = 0o600 << 16  # as `writestr` gives it to a plain name
    if name.endswith("/"):
        entry.external_attr = 0o40775 << 16 | 0x10
    return entry


def make_zip(files: Mapping[str, bytes | str], *, compress: bool = True) -> bytes:
    """An ordinary archive, as Python's `zipfile` writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(_dated(name), data, archive.compression)
    return buffer.getvalue()


@dataclass(frozen=True)
class Member:
    """One entry with every field at hand; what is None is taken from the data."""

    name: bytes = b"encoder.py"
    data: bytes = b"x = 1\n"
    method: int = 0
    flags: int = 0
    packed: bytes | None = None
    crc32: int | None = None
    unpacked_size: int | None = None
    mode: int = stat.S_IFREG | 0o644
    extra: bytes = b""
    local_name: bytes | None = None
    local_method: int | None = None
    local_crc32: int | None = None
    local_extra: bytes | None = None
    descriptor: bytes = b""
    after: bytes = b""
    """Bytes behind the entry that nothing accounts for."""
    offset: int | None = None

    @property
    def body(self) -> bytes:
        """The data as it stands in the archive."""
        if self.packed is not None:
            return self.packed
        if self.method == 8:
            deflate = zlib.compressobj(wbits=-15)
            return deflate.compress(self.data) + deflate.flush()
        return self.data

    @property
    def sums(self) -> tuple[int, int, int]:
        """CRC, packed and unpacked size as declared."""
        crc = zlib.crc32(self.data) if self.crc32 is None else self.crc32
        return crc, len(self.body), len(self.data) if self.unpacked_size is None else self.unpacked_size

    def local(self) -> bytes:
        """Local header, name, extra fields, data and descriptor."""
        crc, packed, unpacked = self.sums
        if self.descriptor:
            crc = packed = unpacked = 0
        crc = crc if self.local_crc32 is None else self.local_crc32
        name = self.name if self.local_name is None else self.local_name
        extra = self.extra if self.local_extra is None else self.local_extra
        method = self.method if self.local_method is None else self.local_method
        sizes = (crc, packed, unpacked, len(name), len(extra))
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, self.flags, method, 0, 33, *sizes)
        return head + name + extra + self.body + self.descriptor + self.after

    def central(self, offset: int) -> bytes:
        """The entry of the central directory."""
        lengths = (len(self.name), len(self.extra), 0, 0, 0, self.mode << 16)
        versions = (20, 3, 20, 0)
        where = offset if self.offset is None else self.offset
        head = struct.pack(
            "<4s4B4H3L5H2L", b"PK\1\2", *versions, self.flags, self.method, 0, 33, *self.sums, *lengths, where
        )
        return head + self.name + self.extra


def raw_zip(
    *members: Member, prefix: bytes = b"", before_directory: bytes = b"", end: bytes | None = None, **fields: int
) -> bytes:
    """An archive put together byte by byte.

    Args:
        members: in order.
        prefix: bytes in front, which the offsets count.
        before_directory: bytes between the last entry and the directory.
        end: the end record, or None for one that fits; then `fields` may change `count`, `size`, `offset`, `disk`.
    """
    body, directory = bytearray(prefix), b""
    for member in members:
        directory += member.central(len(body))
        body += member.local()
    body += before_directory
    if end is None:
        count = fields.get("count", len(members))
        size, offset = fields.get("size", len(directory)), fields.get("offset", len(body))
        end = end_record(count, size, offset, disk=fields.get("disk", 0))
    return bytes(body) + directory + end


def end_record(count: int, size: int, offset: int, *, disk: int = 0, comment: bytes = b"") -> bytes:
    return struct.pack("<4s4H2LH", b"PK\5\6", disk, disk, count, count, size, offset, len(comment)) + comment


def zip64_end(count: int, size: int, offset: int, at: int, *, surplus: bytes = b"") -> bytes:
    """ZIP64 end record, its locator, and an end record that refers to them."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44 + len(surplus), 45, 45, 0, 0, count, count, size, offset) + surplus
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
    return record + locator + end_record(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)


def descriptor(member: Member, *, signature: bool = True, wide: bool = False) -> bytes:
    """A data descriptor that repeats what the member declares."""
    return (b"PK\7\x08" if signature else b"") + struct.pack("<LQQ" if wide else "<LLL", *member.sums)


def unicode_path(raw: bytes, path: str) -> bytes:
    """Info-ZIP's extra field with the name in UTF-8."""
    body = b"\1" + struct.pack("<L", zlib.crc32(raw)) + path.encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


def entry(name: str, **changes: object) -> Entry:
    """One entry as a literal."""
    usual = Entry(
        index=0,
        name=name,
        encoding="ascii",
        method=0,
        flags=0,
        crc32=0,
        packed_bytes=10,
        unpacked_bytes=10,
        offset=0,
        data_offset=40,
        end=50,
        mode=0o100644,
        kind=EntryKind.FOLDER if name.endswith("/") else EntryKind.FILE,
        encrypted=False,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # fields by name, each checked where it is used


def listing(*entries: Entry | str, **changes: object) -> ArchiveListing:
    """A table of contents as a literal; entries are numbered in order."""
    full = [entry(one) if isinstance(one, str) else one for one in entries]
    numbered = tuple(replace(one, index=index) for index, one in enumerate(full))
    usual = ArchiveListing(1000, "a ZIP archive", is_zip=True, declared_entries=len(full), entries=numbered)
    return replace(usual, **changes)  # type: ignore[arg-type]  # fields by name, each checked where it is used


def write_tree(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """Files with their folders below `root`."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def dress(folder: Path) -> Path:
    """Add what every repository has to hold, and a specimen of something else leaves out."""
    for name in ("README.md", "requirements.txt"):
        if not (folder / name).exists():
            (folder / name).write_text("torch\n", encoding="utf-8")
    return folder
