"""AEC10x and 110 to 111: the archive as a structure.

Checks of its contents are in `archive_contents`, of its names in `archive_names`.
"""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few
from audio_encoder_checker.evidence.archive import (
    ArchiveListing,
    Defect,
    DefectKind,
    Entry,
    SpanKind,
)
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import printable, quoted

PATCHED_FLAG = 0x0020
METHODS = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    20: "Zstandard",
    93: "Zstandard",
    95: "xz",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
    99: "AES encryption",
}


def _of(listing: ArchiveListing, *kinds: DefectKind) -> Iterator[Problem]:
    """The structural damage of some classes, as problems."""
    return few(_defect(listing, defect) for defect in listing.defects_of(*kinds))


def _defect(listing: ArchiveListing, defect: Defect) -> Problem:
    detail = printable(defect.detail, limit=300)
    if defect.entry < 0:
        return Problem(detail)
    name = listing.entries[defect.entry].name
    return Problem(f"entry {defect.entry} {quoted(name)}: {detail}", printable(name))


@check("AEC101")
def not_a_zip(listing: ArchiveListing) -> Iterator[Problem]:
    """The submission is not a ZIP archive.

    The challenge asks for a ZIP of the repository; the organisers unpack it by script, which stops at any
    other kind of file, whatever it is called.

    Fix: unpack it and make a ZIP of the folder: `aecc-package build DIR -o submission.zip`.
    """
    if not listing.is_zip:
        yield Problem(f"expected a ZIP archive, this is {listing.found}", hint=_not_a_zip_hint(listing.found))


def _not_a_zip_hint(found: str) -> str:
    if "HTML" in found or "JSON" in found:
        return "download the file itself (its direct link, not the page that shows it), then check again"
    if "LFS" in found:
        return "run `git lfs pull`, then check the real file"
    if "empty" in found or "zero bytes" in found:
        return "copy or download the archive again; compare its size with the original's"
    return ""


@check("AEC102")
def truncated_archive(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive was cut off.

    A ZIP lists its files at its end. Without that list nothing can be unpacked, so the organisers get no files.

    Fix: copy or upload the file again and compare sizes; if the original is cut off too, make the ZIP anew.
    """
    yield from _of(listing, DefectKind.TRUNCATED)


@check("AEC103")
def damaged_archive(listing: ArchiveListing) -> Iterator[Problem]:
    """The records of the archive are damaged.

    Some unpackers stop at a damaged record, others skip it, so the organisers may not get the files that you see.

    Fix: make the ZIP anew: `aecc-package build DIR -o submission.zip`.
    """
    yield from _of(listing, DefectKind.STRUCTURE)


@check("AEC105")
def split_archive(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive is one part of several.

    The organisers take one ZIP; a part cannot be unpacked without the others.

    Fix: make one undivided ZIP; weights that are too large to send can be downloaded from the Hugging Face Hub.
    """
    yield from _of(listing, DefectKind.SPLIT)


@check("AEC106")
def ambiguous_archive(listing: ArchiveListing) -> Iterator[Problem]:
    """Different programs would see different files in the archive.

    What is checked here has to be what the organisers unpack. An archive that describes its contents twice in
    different ways is refused, as PyPI and others do.

    Fix: make the ZIP anew from the folder: `aecc-package build DIR -o submission.zip`.
    """
    yield from _of(listing, DefectKind.AMBIGUOUS)


@check("AEC107")
def disagreeing_headers(listing: ArchiveListing) -> Iterator[Problem]:
    """A file is described differently in two places of the archive.

    Every file has a local header and an entry in the directory at the end. Some unpackers believe the one, some
    the other, so where they differ nobody knows what the organisers get.

    Fix: make the ZIP anew from the folder: `aecc-package build DIR -o submission.zip`.
    """
    yield from _of(listing, DefectKind.HEADERS)


@check("AEC108")
def overlapping_entries(listing: ArchiveListing) -> Iterator[Problem]:
    """Files of the archive share bytes.

    No packer writes such archives; they are made to unpack to enormous sizes or to hide files.

    Fix: make the ZIP anew from the folder: `aecc-package build DIR -o submission.zip`.
    """
    entries = listing.entries
    yield from few(
        Problem(
            f"entry {two.second} {quoted(entries[two.second].name)} shares {two.shared_bytes} bytes "
            f"with entry {two.first} {quoted(entries[two.first].name)}",
            printable(entries[two.second].name),
        )
        for two in listing.overlaps
    )


@check("AEC109")
def unlisted_bytes(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive holds bytes that belong to no file.

    They may be a hidden file, a program in front of the ZIP, or what is left of another archive; unpackers
    disagree on what to do with them.

    Fix: make the ZIP anew instead of adding to it: `aecc-package build DIR -o submission.zip`.
    """
    damaged = {listing.entries[defect.entry].end for defect in listing.defects if defect.entry >= 0}
    explained = {DefectKind.STRUCTURE, DefectKind.HEADERS}.intersection(defect.kind for defect in listing.defects)
    named = listing.defects_of(DefectKind.STRUCTURE, DefectKind.AMBIGUOUS)  # by a directory that does not fit
    spans = [
        span
        for span in listing.spans
        if (span.found or not (explained and span.offset in damaged))
        and not (named and span.kind is SpanKind.BEFORE_END)
    ]
    yield from few(
        Problem(
            f"{span.length} {'zero ' if span.blank else ''}bytes {span.kind.value}, from byte {span.offset}"
            + (f": {span.found}" if span.found and not span.blank else ""),
            severity=Severity.WARNING if span.blank else None,
        )
        for span in spans
    )


@check("AEC110")
def encrypted_entries(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive is encrypted.

    The organisers unpack by script and have no password.

    Fix: make the ZIP without a password: `aecc-package build DIR -o submission.zip`.
    """
    yield from few(
        Problem(f"entry {entry.index} {quoted(entry.name)} needs a password", printable(entry.name))
        for entry in listing.entries
        if entry.encrypted
    )


@check("AEC111")
def unsupported_compression(listing: ArchiveListing) -> Iterator[Problem]:
    """A file is compressed in a way that not every unpacker knows.

    Python, `unzip` and the file managers agree on two methods only: stored and deflate.

    Fix: choose "Deflate" in the packer (7-Zip: `7z a -tzip -mm=Deflate submission.zip DIR`).
    """
    yield from few(
        Problem(
            f"entry {entry.index} {quoted(entry.name)} {_method(entry)}, expected method 0 (stored) or 8 (deflate)",
            printable(entry.name),
        )
        for entry in listing.entries
        if (entry.method not in (0, 8) or entry.flags & PATCHED_FLAG) and not entry.encrypted
    )


def _method(entry: Entry) -> str:
    if entry.flags & PATCHED_FLAG:
        return "is compressed patched data"
    return f"has compression method {entry.method} ({METHODS.get(entry.method, 'unknown')})"
