"""The reader of raw ZIP records, on archives that are broken in one way each."""

from __future__ import annotations

import gzip
import struct
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.evidence.archive import ArchiveListing, DefectKind, EntryKind, Span, SpanKind
from tests.builders import (
    SYMLINK_MODE,
    Member,
    descriptor,
    end_record,
    make_zip,
    raw_zip,
    unicode_path,
    zip64_end,
)

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Member()
STREAMED = Member(flags=0x0008, method=8, data=b"y = 2\n" * 50)


def listed(tmp_path: Path, data: bytes) -> ArchiveListing:
    path = tmp_path / "submission.zip"
    path.write_bytes(data)
    return read_listing(path)


def is_clean(found: ArchiveListing) -> bool:
    return found.is_zip and not (found.defects or found.spans or found.overlaps)


def zip64_field(*values: int) -> bytes:
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)


def with_zip64_end(*, surplus: bytes = b"", directory_at: int = 46, moved: int = 0) -> bytes:
    body, directory = PLAIN.local(), PLAIN.central(0)
    at = len(body) + len(directory) + moved
    return body + directory + zip64_end(1, len(directory), directory_at, at, surplus=surplus)


def changed(data: bytes, signature: bytes, at: int, value: bytes) -> bytes:
    """The same archive with other bytes at a place in its first record of a kind."""
    place = data.index(signature) + at
    return data[:place] + value + data[place + len(value) :]


LOCAL, CENTRAL, END, END64, LOCATOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
RAW = "größe.py".encode("cp437")
WITH_PATH = Member(name=RAW, extra=unicode_path(RAW, "größe.py"))
COMMENTED = struct.pack("<HHBL", 0x6375, 7, 1, 0) + b"ab"


@pytest.mark.parametrize(
    "data",
    [
        make_zip({"encoder.py": "x = 1\n", "lib/model.py": b"\0" * 1000}),
        make_zip(
            {"a.pt": make_zip({"inner": "stored archives end in an end record too"}, compress=False)}, compress=False
        ),
        raw_zip(PLAIN),
        raw_zip(Member(name=b"lib/", data=b"", mode=0o40755), PLAIN),
        raw_zip(PLAIN, end=end_record(1, len(PLAIN.central(0)), len(PLAIN.local()), comment=b"made by hand")),
        with_zip64_end(),
        changed(with_zip64_end(), END, 4, b"\xff\xff\xff\xff"),
        changed(raw_zip(PLAIN), LOCAL, 10, bytes(4)),
        raw_zip(Member(extra=b"\0\0\0")),
        end_record(0, 0, 0),
    ],
)
def test_ordinary_archive_has_no_defects(tmp_path: Path, data: bytes) -> None:
    assert is_clean(listed(tmp_path, data))


@pytest.mark.parametrize("signature", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_consistent_data_descriptor_is_accepted_in_every_form(tmp_path: Path, *, signature: bool, wide: bool) -> None:
    member = Member(**{**STREAMED.__dict__, "descriptor": descriptor(STREAMED, signature=signature, wide=wide)})
    assert is_clean(listed(tmp_path, raw_zip(member, PLAIN)))


def test_entries_tell_names_sizes_and_places(tmp_path: Path) -> None:
    found = listed(tmp_path, make_zip({"repo/encoder.py": "x" * 100, "repo/lib/": ""}))
    encoder, folder = found.entries
    assert (encoder.name, encoder.kind, encoder.method, encoder.unpacked_bytes) == (
        "repo/encoder.py",
        EntryKind.FILE,
        8,
        100,
    )
    assert folder.kind is EntryKind.FOLDER
    assert encoder.end == folder.offset
    assert found.top_folder == "repo"


def test_zip64_sizes_are_taken_from_the_extra_field(tmp_path: Path) -> None:
    member = Member(extra=zip64_field(6, 6), unpacked_size=0xFFFFFFFF)
    data = bytearray(raw_zip(member))
    for signature, at in ((b"PK\3\4", 18), (b"PK\1\2", 20)):
        place = data.index(signature) + at
        data[place : place + 4] = b"\xff" * 4
    found = listed(tmp_path, bytes(data))
    assert is_clean(found)
    assert (found.entries[0].packed_bytes, found.entries[0].unpacked_bytes) == (6, 6)


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (raw_zip(PLAIN)[:60], DefectKind.TRUNCATED, "no end record"),
        (
            make_zip({"a.pt": make_zip({"b": "c"}), "d": "e" * 500}, compress=False)[:400],
            DefectKind.TRUNCATED,
            "last part",
        ),
        (raw_zip(PLAIN)[:-2] + b"\x09\0", DefectKind.TRUNCATED, "comment should have 9 bytes"),
        (raw_zip(PLAIN, disk=1), DefectKind.SPLIT, "part 2"),
        (raw_zip(PLAIN, count=2), DefectKind.STRUCTURE, "counts 2 entries, the directory holds 1"),
        (raw_zip(PLAIN, PLAIN, count=1), DefectKind.AMBIGUOUS, "more than the 1 entries"),
        (raw_zip(PLAIN, size=40), DefectKind.STRUCTURE, "the end record says 40"),
        (raw_zip(PLAIN, offset=200), DefectKind.STRUCTURE, "no central directory"),
        (with_zip64_end(directory_at=(1 << 64) - 1), DefectKind.STRUCTURE, "no central directory"),
        (raw_zip(PLAIN, count=0xFFFF), DefectKind.STRUCTURE, "ZIP64 record that is not there"),
        (with_zip64_end(surplus=b"12345678"), DefectKind.STRUCTURE, "44 bytes"),
        (raw_zip(Member(extra=b"\x99\x99\x08\0ab")), DefectKind.STRUCTURE, "should have 8 bytes, 2 are left"),
        (raw_zip(Member(extra=b"abc")), DefectKind.STRUCTURE, "3 stray bytes"),
        (raw_zip(Member(extra=b"\x99\x99\0\0" * 300)), DefectKind.STRUCTURE, "more than 256 extra fields"),
        (raw_zip(Member(unpacked_size=7)), DefectKind.STRUCTURE, "stored, not compressed"),
        (raw_zip(Member(offset=9)), DefectKind.STRUCTURE, "no local header at byte 9"),
        (raw_zip(Member(unpacked_size=0xFFFFFFFF)), DefectKind.STRUCTURE, "ZIP64 field that is not there"),
        (raw_zip(Member(local_name=b"evil.py")), DefectKind.HEADERS, "calls it 'evil.py'"),
        (raw_zip(Member(local_method=8)), DefectKind.HEADERS, "the local header says 8"),
        (raw_zip(Member(local_crc32=1)), DefectKind.HEADERS, "the local header says 1"),
        (raw_zip(Member(flags=8, descriptor=b"PK\7\x08" + b"\1" * 12)), DefectKind.HEADERS, "descriptor"),
        (raw_zip(Member(name=b"a/", data=b"hidden", mode=0o40755)), DefectKind.AMBIGUOUS, "folder with 6 bytes"),
        (raw_zip(Member(name=b"a/", data=b"")), DefectKind.AMBIGUOUS, "folder's, its mode a file's"),
        (raw_zip(Member(extra=unicode_path(b"encoder.py", "evil.py"))), DefectKind.AMBIGUOUS, "calls it 'evil.py'"),
        (raw_zip(Member(extra=2 * unicode_path(b"encoder.py", "encoder.py"))), DefectKind.AMBIGUOUS, "twice"),
        (raw_zip(Member(local_extra=2 * COMMENTED)), DefectKind.AMBIGUOUS, "0x6375 is there twice"),
        (raw_zip(Member(name=b"lib", data=b"", mode=0o40755)), DefectKind.AMBIGUOUS, "file's, its mode a folder's"),
        (changed(raw_zip(PLAIN), CENTRAL, 38, b"\x10"), DefectKind.AMBIGUOUS, "file's, its mode a folder's"),
        (changed(raw_zip(WITH_PATH), LOCAL, 47, b"\xff"), DefectKind.HEADERS, "Unicode path differs"),
        (changed(raw_zip(PLAIN), END, 4, b"\xff\xff"), DefectKind.STRUCTURE, "ZIP64 record that is not there"),
        (changed(with_zip64_end(), LOCATOR, 4, b"\1"), DefectKind.SPLIT, "names part 2 of 1"),
        (changed(with_zip64_end(), END64, 16, b"\1"), DefectKind.SPLIT, "number 2"),
        (with_zip64_end(moved=3), DefectKind.STRUCTURE, "at byte 102, its locator says 105"),
        (raw_zip(Member(name=b"\xff.py", flags=0x0800)), DefectKind.NAME, "marked as UTF-8"),
        (make_zip({"a": "b"})[:-2] + b"\x16\0" + end_record(0, 0, 0), DefectKind.AMBIGUOUS, "2 end records"),
    ],
)
def test_damage_becomes_a_defect(tmp_path: Path, data: bytes, kind: DefectKind, words: str) -> None:
    found = listed(tmp_path, data)
    defects = found.defects_of(kind)
    assert found.is_zip
    assert any(words in defect.detail for defect in defects)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (raw_zip(PLAIN, prefix=b"#!/bin/sh\n"), Span(SpanKind.PREFIX, 0, 10, blank=False, found="a text file")),
        (b"#!/bin/sh\n" + raw_zip(PLAIN), Span(SpanKind.PREFIX, 0, 10, blank=False, found="a text file")),
        (raw_zip(Member(after=b"\0" * 8), PLAIN), Span(SpanKind.GAP, 46, 8, blank=True)),
        (raw_zip(PLAIN, before_directory=b"??"), Span(SpanKind.BEFORE_DIRECTORY, 46, 2, blank=False)),
        (raw_zip(PLAIN) + b"junk", Span(SpanKind.TRAILING, 124, 4, blank=False)),
    ],
)
def test_bytes_of_no_record_become_a_span(tmp_path: Path, data: bytes, expected: Span) -> None:
    assert listed(tmp_path, data).spans == (expected,)


def test_entry_missing_in_the_directory_is_named(tmp_path: Path) -> None:
    (span,) = listed(tmp_path, raw_zip(Member(after=Member(name=b"hidden.py").local()), PLAIN)).spans
    assert span.found == "an entry that the directory does not list"


def test_two_entries_on_the_same_data_overlap(tmp_path: Path) -> None:
    (overlap,) = listed(tmp_path, raw_zip(PLAIN, Member(offset=0), before_directory=b"")).overlaps
    assert (overlap.first, overlap.second) == (0, 1)
    assert overlap.shared_bytes == 46


@pytest.mark.parametrize(
    ("raw", "flags", "name", "encoding"),
    [
        ("副本.py".encode(), 0x0800, "副本.py", "utf-8"),
        ("副本.py".encode(), 0, "副本.py", "utf-8 without its flag"),
        ("副本.py".encode("gbk"), 0, "副本.py", "gbk"),
        ("größe.py".encode("cp437"), 0, "größe.py", "cp437"),
    ],
)
def test_names_are_read_in_the_encoding_they_were_written_in(
    tmp_path: Path, raw: bytes, flags: int, name: str, encoding: str
) -> None:
    found = listed(tmp_path, raw_zip(Member(name=raw, flags=flags)))
    assert is_clean(found)
    assert (found.entries[0].name, found.entries[0].encoding) == (name, encoding)


def test_unicode_path_field_of_a_legacy_name_is_used(tmp_path: Path) -> None:
    raw = "größe.py".encode("cp437")
    found = listed(tmp_path, raw_zip(Member(name=raw, extra=unicode_path(raw, "größe.py"))))
    assert is_clean(found)
    assert (found.entries[0].name, found.entries[0].encoding) == ("größe.py", "utf-8 in an extra field")


@pytest.mark.parametrize(
    ("mode", "kind"),
    [(SYMLINK_MODE, EntryKind.SYMLINK), (0o010644, EntryKind.SPECIAL), (0o100644, EntryKind.FILE), (0, EntryKind.FILE)],
)
def test_unix_mode_tells_the_kind(tmp_path: Path, mode: int, kind: EntryKind) -> None:
    assert listed(tmp_path, raw_zip(Member(mode=mode))).entries[0].kind is kind


@pytest.mark.parametrize("flags", [0x0001, 0x0041, 0x2000])
def test_encryption_is_noted(tmp_path: Path, flags: int) -> None:
    assert listed(tmp_path, raw_zip(Member(flags=flags))).entries[0].encrypted


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (gzip.compress(b"x", mtime=0), "a gzip file (.gz or .tar.gz)"),
        (b"\n<!DOCTYPE html><html>", "an HTML page, such as a sharing site shows instead of the file"),
        (b"%PDF-1.7", "a PDF document"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer, not the file it stands for"),
        (b"a" * 257 + b"ustar", "a tar archive"),
        (bytes(500), "a file of zero bytes, as an interrupted download leaves it"),
        (b"hello", "a text file"),
        (bytes(range(200)), "a file of a kind unknown here"),
    ],
)
def test_what_is_no_zip_is_named(tmp_path: Path, data: bytes, found: str) -> None:
    said = listed(tmp_path, data)
    assert (said.is_zip, said.found) == (False, found)


def test_enormous_count_is_not_parsed(tmp_path: Path) -> None:
    found = listed(tmp_path, raw_zip(PLAIN, count=60_000))
    assert (found.declared_entries, found.entries) == (60_000, ())


@pytest.mark.parametrize("name", [b"b" * 65_000, "é".encode() * 32_000 + b"\xff"])
def test_local_headers_in_one_another_are_not_read_over_and_over(tmp_path: Path, name: bytes) -> None:
    member = Member(name=b"a", local_name=name)
    body, directory = member.local(), 15_000 * member.central(0)
    start = time.process_time()
    found = listed(tmp_path, body + directory + end_record(15_000, len(directory), len(body)))
    assert time.process_time() - start < 2
    assert [defect.detail[:30] for defect in found.defects] == ["its local headers share so man"]


@pytest.mark.parametrize(
    "data", [LOCAL + END * (1 << 17), LOCAL + (END + bytes(18)) * 30_000], ids=("one in another", "many")
)
def test_end_records_without_number_are_not_held(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "submission.zip"
    path.write_bytes(data)
    tracemalloc.start()
    read_listing(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_mutation_raises(tmp_path: Path, data: st.DataObject) -> None:
    archive = bytearray(raw_zip(Member(extra=zip64_field(6)), STREAMED))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(archive) - 1))
        archive[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    assert listed(tmp_path, bytes(archive)).size_bytes == len(archive)
