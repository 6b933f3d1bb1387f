"""Names of entries: their bytes as text, however they were written."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.archive import Defect, DefectKind

if TYPE_CHECKING:
    from audio_encoder_checker.archive.rawzip import Header

UTF8_FLAG = 0x0800
UNICODE_PATH_FIELD = 0x7075


def decode_name(header: Header, fields: list[tuple[int, bytes]], index: int) -> tuple[str, str, list[Defect]]:
    """A name as text, the encoding it was read in, and what readers would disagree about.

    Without the UTF-8 flag a name is cp437 by the letter of the format; in practice it is UTF-8 (old macOS) or
    the writer's own code page. GBK is guessed where every letter is among its common ones (GB 2312), since other
    code pages seldom fit by accident.
    """
    raw = header.name
    if raw.isascii():
        name, encoding = raw.decode("ascii"), "ascii"
    elif header.flags & UTF8_FLAG:
        try:
            name, encoding = raw.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            defect = Defect(DefectKind.NAME, "the name is marked as UTF-8 but is none", index)
            return raw.decode("cp437"), "cp437", [defect]
    else:
        name, encoding = _guess(raw)
    return _unicode_path(raw, name, encoding, fields, index)


def _guess(raw: bytes) -> tuple[str, str]:
    for codec, words in (("utf-8", "utf-8 without its flag"), ("gb2312", "gbk")):
        try:
            return raw.decode(codec), words
        except UnicodeDecodeError:
            continue
    return raw.decode("cp437"), "cp437"


def _unicode_path(
    raw: bytes, name: str, encoding: str, fields: list[tuple[int, bytes]], index: int
) -> tuple[str, str, list[Defect]]:
    """Use the Unicode path field (Info-ZIP 0x7075) if it belongs to this name.

    A field whose checksum is not that of the name is stale, and every reader leaves it aside. One that renames
    a plain ASCII name makes some readers see another file.
    """
    paths = [data for kind, data in fields if kind == UNICODE_PATH_FIELD]
    if not paths or len(paths[0]) < 5 or paths[0][0] != 1:
        return name, encoding, []
    (checksum,) = struct.unpack_from("<L", paths[0], 1)
    if checksum != zlib.crc32(raw):
        return name, encoding, []
    try:
        path = paths[0][5:].decode("utf-8")
    except UnicodeDecodeError:
        return name, encoding, [Defect(DefectKind.NAME, "the Unicode path field is no UTF-8", index)]
    if path != name and raw.isascii():
        return name, encoding, [Defect(DefectKind.AMBIGUOUS, f"a Unicode path field calls it {path!r}", index)]
    return path, "utf-8 in an extra field", []
