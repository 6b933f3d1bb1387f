"""What a file that is no ZIP really is, by its first bytes."""

from __future__ import annotations

MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"\x1f\x8b", "a gzip file (.gz or .tar.gz)"),
    (0, b"BZh", "a bzip2 file (.bz2 or .tar.bz2)"),
    (0, b"\xfd7zXZ\x00", "an xz file (.xz or .tar.xz)"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file (.zst or .tar.zst)"),
    (0, b"\x04\x22\x4d\x18", "an LZ4 file"),
    (0, b"LZIP", "an lzip file"),
    (0, b"\x60\xea", "an ARJ archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"!<arch>\n", "a Unix ar archive"),
    (0, b"MSCF", "a Microsoft cabinet"),
    (32769, b"CD001", "an ISO disk image"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file it stands for"),
    (0, b"\x89HDF\r\n", "an HDF5 file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x7fELF", "a Linux program"),
    (0, b"MZ", "a Windows program"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document"),
    (0, b"RIFF", "a RIFF file (WAV or AVI)"),
    (0, b"fLaC", "a FLAC file"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"PK00", "a part of a split ZIP archive"),
    (0, b"PK\x07\x08", "the first part of a split ZIP archive"),
)
HEAD_BYTES = 32_774
"""How many bytes `identify` wants to see."""


def identify(head: bytes) -> str:
    """Name a file by its first bytes, as words after "this is"."""
    if not head:
        return "an empty file"
    for offset, magic, words in MAGICS:
        if head[offset : offset + len(magic)] == magic:
            return words
    return _text_kind(head[:2048])


def _text_kind(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page, such as a sharing site shows instead of the file"
    if start.startswith(b"<?xml"):
        return "an XML document"
    if start.startswith((b"{", b"[")):
        return "a JSON text, such as a server sends instead of the file"
    if not any(head):
        return "a file of zero bytes, as an interrupted download leaves it"
    if all(byte >= 0x20 or byte in b"\t\r\n" for byte in head):
        return "a text file"
    return "a file of a kind unknown here"
