"""AEC1xx: the archive as a whole. Checks of its names are in `archive_names`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks import archive_names  # noqa: F401 - the catalogue loads one module a family
from audio_encoder_checker.checks.few import few
from audio_encoder_checker.evidence.archive import (
    MAX_LISTED_ENTRIES,
    ArchiveListing,
    Defect,
    DefectKind,
    Entry,
    EntryKind,
    SpanKind,
    UnpackFacts,
)
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import printable
from audio_encoder_checker.rules import Rules

LARGE_ENTRY_BYTES = 1 << 20
"""Smaller files may shrink as much as they like."""
LARGE_ARCHIVE_BYTES = 64 << 20
MAIL_BYTES = 25_000_000
"""Gmail's limit for a whole message, attachments in base64."""
REFUSED_BY_MAIL = (
    ".bat",
    ".cmd",
    ".com",
    ".dll",
    ".exe",
    ".jar",
    ".js",
    ".lib",
    ".msi",
    ".ps1",
    ".scr",
    ".sys",
    ".vbs",
)
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
ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".gz", ".xz", ".bz2")
MACOS_LITTER = ("__MACOSX", ".DS_Store")
LITTER = (
    *(".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints", ".idea", ".vscode"),
    *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox", ".cache", "Thumbs.db", "desktop.ini"),
)


def _of(listing: ArchiveListing, *kinds: DefectKind) -> Iterator[Problem]:
    """The structural damage of some classes, as problems."""
    return few(Problem(_sentence(listing, defect), _at(listing, defect)) for defect in listing.defects_of(*kinds))


def _sentence(listing: ArchiveListing, defect: Defect) -> str:
    detail = printable(defect.detail, limit=300)
    return f"entry {defect.entry} {_shown(listing.entries[defect.entry])}: {detail}" if defect.entry >= 0 else detail


def _at(listing: ArchiveListing, defect: Defect) -> str:
    return printable(listing.entries[defect.entry].name) if defect.entry >= 0 else ""


def _shown(entry: Entry) -> str:
    return f"'{printable(entry.name, limit=120)}'"


def _size(count: float) -> str:
    """Bytes for people, in decimal units."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.4g} GB"


@check("AEC101")
def not_a_zip(listing: ArchiveListing) -> Iterator[Problem]:
    """The submission is no ZIP archive.

    The challenge asks for a ZIP of the repository; the organisers unpack hundreds of them by script, and any
    other kind of file stops there, whatever it is called.

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

    The list of files stands at the end of a ZIP. Without it no unpacker finds them, so the submission arrives
    as nothing.

    Fix: copy or upload the file again and compare sizes; if the original is cut off too, make the ZIP anew.
    """
    yield from _of(listing, DefectKind.TRUNCATED)


@check("AEC103")
def damaged_archive(listing: ArchiveListing) -> Iterator[Problem]:
    """The records of the archive are damaged.

    Some unpackers stop at a damaged record, others skip it; the organisers' would not see the files that you
    see.

    Fix: make the ZIP anew: `aecc-package build DIR -o submission.zip`.
    """
    yield from _of(listing, DefectKind.STRUCTURE)


@check("AEC104", severity=Severity.WARNING)
def empty_archive(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive holds no file.

    It is a valid ZIP, but there is nothing in it to evaluate.

    Fix: zip the folder that holds the encoder: `aecc-package build DIR -o submission.zip`.
    """
    if listing.is_zip and not listing.declared_entries and not listing.defects:
        yield Problem("the archive has 0 entries")
    elif listing.entries and all(entry.kind is EntryKind.FOLDER for entry in listing.entries):
        yield Problem(f"the archive has no file, its {len(listing.entries)} entries are folders")


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
            f"entry {two.second} {_shown(entries[two.second])} shares {two.shared_bytes} bytes "
            f"with entry {two.first} {_shown(entries[two.first])}",
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
    spans = [span for span in listing.spans if not (explained and span.offset in damaged) or span.found]
    for span in spans:
        if span.kind is SpanKind.BEFORE_END and listing.defects_of(DefectKind.STRUCTURE, DefectKind.AMBIGUOUS):
            spans.remove(span)  # the same bytes were named by the damaged directory already
            break
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

    Fix: make the ZIP without a password.
    """
    yield from few(
        Problem(f"entry {entry.index} {_shown(entry)} needs a password", printable(entry.name))
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
            f"entry {entry.index} {_shown(entry)} {_method(entry)}, expected method 0 (stored) or 8 (deflate)",
            printable(entry.name),
        )
        for entry in listing.entries
        if (entry.method not in (0, 8) or entry.flags & PATCHED_FLAG) and not entry.encrypted
    )


def _method(entry: Entry) -> str:
    if entry.flags & PATCHED_FLAG:
        return "is compressed patched data"
    return f"has compression method {entry.method} ({METHODS.get(entry.method, 'unknown')})"


@check("AEC112")
def too_many_entries(listing: ArchiveListing, rules: Rules) -> Iterator[Problem]:
    """The archive has too many files.

    A repository with an encoder has some dozens of files. Thousands are a virtual environment or a data set
    that slipped in, and unpacking them takes the organisers' time.

    Fix: leave out data, caches and environments; `aecc-package build` does.
    """
    most = min(rules.archive.max_entries, MAX_LISTED_ENTRIES)
    if listing.declared_entries > most:
        top = _largest_folders(listing.entries)
        yield Problem(f"{listing.declared_entries} entries, at most {most} are allowed{top}")


def _largest_folders(entries: Iterable[Entry]) -> str:
    counts = Counter("/".join(entry.name.split("/")[:2]) for entry in entries if "/" in entry.name)
    shown = [f"{printable(name, limit=60)}/ has {count}" for name, count in counts.most_common(3)]
    return f"; {', '.join(shown)}" if shown else ""


@check("AEC113")
def too_large_unpacked(listing: ArchiveListing, rules: Rules) -> Iterator[Problem]:
    """The archive is too large once unpacked.

    It has to lie beside the evaluation data on the organisers' disk.

    Fix: leave out data and old checkpoints; download large weights from the Hugging Face Hub.
    """
    total, most = listing.unpacked_bytes, rules.archive.max_unpacked_bytes
    if total > most:
        largest = max(listing.entries, key=lambda entry: entry.unpacked_bytes)
        yield Problem(
            f"unpacks to {_size(total)}, at most {_size(most)} are allowed; "
            f"the largest file is {_shown(largest)} with {_size(largest.unpacked_bytes)}"
        )


@check("AEC114")
def compression_bomb(listing: ArchiveListing, rules: Rules) -> Iterator[Problem]:
    """The archive unpacks to many times its size.

    Code and weights shrink to a half or a tenth. What shrinks to a thousandth is empty data or an attack that
    fills the disk of whoever unpacks it.

    Fix: leave out files of zeros, logs and placeholder data.
    """
    most = rules.archive.max_entry_ratio
    yield from few(
        Problem(f"entry {entry.index} {_shown(entry)}: {_growth(entry.packed_bytes, entry.unpacked_bytes, most)}")
        for entry in listing.entries
        if entry.unpacked_bytes > LARGE_ENTRY_BYTES and _ratio(entry.unpacked_bytes, entry.packed_bytes) > most
    )
    total, most = listing.unpacked_bytes, rules.archive.max_total_ratio
    if total > LARGE_ARCHIVE_BYTES and _ratio(total, listing.size_bytes) > most:
        yield Problem(f"the archive: {_growth(listing.size_bytes, total, most)}")


def _ratio(unpacked: int, packed: int) -> float:
    return unpacked / max(1, packed)


def _growth(packed: int, unpacked: int, most: float) -> str:
    ratio = _ratio(unpacked, packed)
    return f"{_size(packed)} unpack to {_size(unpacked)}, {ratio:,.0f} times; at most {most:g} times are allowed"


@check("AEC115")
def damaged_members(unpacked: UnpackFacts) -> Iterator[Problem]:
    """A file in the archive is damaged.

    Its bytes do not fit the size or checksum that the archive declares. The organisers' unpacker stops there, or
    the weights load as something else.

    Fix: make the ZIP anew from the original files and send it again.
    """
    yield from few(
        Problem(f"'{printable(member.name, limit=120)}': {printable(member.what)}", printable(member.name))
        for member in unpacked.damaged
    )


@check("AEC116")
def lfs_pointers(unpacked: UnpackFacts) -> Iterator[Problem]:
    """A Git LFS pointer lies where a file should be.

    GitHub's "Download ZIP" and a clone without LFS hold a text of some 130 bytes in place of the weights;
    loading it fails with "invalid load key, 'v'".

    Fix: run `git lfs pull` in the clone, then make the ZIP anew.
    """
    yield from few(
        Problem(
            f"'{printable(pointer.name, limit=120)}' is a pointer to a file"
            + (f" of {_size(pointer.stands_for_bytes)}" if pointer.stands_for_bytes else ""),
            printable(pointer.name),
        )
        for pointer in unpacked.pointers
    )


@check("AEC117", severity=Severity.NOTE)
def hard_to_mail(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive is hard to send by e-mail.

    Attachments grow by a third on the way, most providers stop at 25 MB, and Gmail refuses programs and scripts
    even inside a ZIP.

    Fix: send a link, or let the encoder download its weights from the Hugging Face Hub.
    """
    encoded = -(-listing.size_bytes // 3) * 4
    if encoded > MAIL_BYTES:
        yield Problem(f"{_size(listing.size_bytes)} become {_size(encoded)} as an attachment, the limit is 25 MB")
    refused = [entry for entry in listing.entries if entry.name.lower().endswith(REFUSED_BY_MAIL)]
    yield from few(
        Problem(f"Gmail refuses messages with {_shown(entry)}", printable(entry.name), "leave the file out if you can")
        for entry in refused
    )


@check("AEC118", severity=Severity.WARNING)
def archive_litter(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive holds files that are no part of the repository.

    Caches, environments and version control make it large and hide what matters; macOS's `._x` twins have been
    taken for submissions of their own. They are left aside here.

    Fix: `aecc-package build DIR -o submission.zip` leaves them out; with zip:
        `zip -r -X submission.zip . -x '*.git/*' '*__pycache__/*' '*.DS_Store' '__MACOSX/*'`.
    """
    groups: dict[str, list[Entry]] = {}
    for entry in listing.entries:
        kind = _litter(entry.name)
        if kind and entry.kind is not EntryKind.FOLDER:
            groups.setdefault(kind, []).append(entry)
    for kind, entries in sorted(groups.items()):
        total = sum(entry.unpacked_bytes for entry in entries)
        severity = Severity.NOTE if kind in (*MACOS_LITTER, "._*") else None
        files = "1 file" if len(entries) == 1 else f"{len(entries)} files"
        yield Problem(f"{kind}: {files}, {_size(total)}", printable(entries[0].name), severity=severity)


def _litter(name: str) -> str:
    """Which kind of litter a path is, or nothing."""
    parts = name.split("/")
    named = next((part for part in parts if part in MACOS_LITTER or part in LITTER), "")
    return named or ("._*" if parts[-1].startswith("._") else "")


@check("AEC119", severity=Severity.NOTE)
def nested_root(listing: ArchiveListing) -> Iterator[Problem]:
    """All files lie one folder down.

    X-ARES is run from the repository's root, and other challenges lost submissions that were unpacked one level
    too deep. That folder is taken for the root here; not every script does.

    Fix: zip the contents, not the folder: `cd DIR && zip -r ../submission.zip .`, or `aecc-package build DIR`.
    """
    if listing.top_folder:
        yield Problem(
            f"everything is inside '{printable(listing.top_folder, limit=120)}/'", printable(listing.top_folder)
        )


@check("AEC120", severity=Severity.NOTE)
def nested_archives(listing: ArchiveListing) -> Iterator[Problem]:
    """There is an archive inside the archive.

    Nobody unpacks it on the way to the evaluation.

    Fix: put the files themselves into the ZIP, unless your code opens the inner archive on its own.
    """
    yield from few(
        Problem(f"{_shown(entry)} is not unpacked", printable(entry.name))
        for entry in listing.entries
        if entry.name.lower().endswith(ARCHIVES) and entry.kind is EntryKind.FILE
    )
