"""AEC11x: what is in an archive, how much of it, and what became of it when it was unpacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from audio_encoder_checker.archive.mailing import mail_readiness
from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few
from audio_encoder_checker.evidence.archive import MAX_LISTED_ENTRIES, ArchiveListing, Entry, EntryKind, UnpackFacts
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import printable, quoted, size_words
from audio_encoder_checker.rules import Rules

LARGE_ENTRY_BYTES = 1 << 20
"""Smaller files may shrink as much as they like."""
LARGE_ARCHIVE_BYTES = 64 << 20
ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".gz", ".xz", ".bz2")
MACOS_LITTER = ("__MACOSX", ".DS_Store")
LITTER = (
    *(".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints", ".idea", ".vscode"),
    *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox", ".cache", "Thumbs.db", "desktop.ini"),
)


@check("AEC112")
def too_many_entries(listing: ArchiveListing, rules: Rules) -> Iterator[Problem]:
    """The archive has too many files.

    A repository with an encoder has some dozens of files. Thousands are a virtual environment or a data set
    that slipped in, and unpacking them takes the organisers' time.

    Fix: leave out data, caches and environments; `aecc-package build DIR -o submission.zip` leaves out the last two.
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

    The unpacked files have to fit on the organisers' disk beside the evaluation data.

    Fix: leave out data and old checkpoints (`aecc-package slim DIR` lists what takes the space); download large
        weights from the Hugging Face Hub.
    """
    total, most = listing.unpacked_bytes, rules.archive.max_unpacked_bytes
    if total > most:
        largest = max(listing.entries, key=lambda entry: entry.unpacked_bytes)
        yield Problem(
            f"the archive unpacks to {size_words(total)}, at most {size_words(most)} are allowed; "
            f"the largest file is {quoted(largest.name)} with {size_words(largest.unpacked_bytes)}"
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
        Problem(f"entry {entry.index} {quoted(entry.name)}: {_growth(entry.packed_bytes, entry.unpacked_bytes, most)}")
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
    return (
        f"{size_words(packed)} unpack to {size_words(unpacked)}, {ratio:,.0f} times; at most {most:g} times are allowed"
    )


@check("AEC115")
def damaged_members(unpacked: UnpackFacts) -> Iterator[Problem]:
    """A file in the archive is damaged.

    Its bytes do not fit the size or checksum that the archive declares. The organisers' unpacker stops there, or
    the weights load as something else.

    Fix: make the ZIP anew from the original files and send it again.
    """
    yield from few(
        Problem(f"{quoted(member.name)}: {printable(member.what)}", printable(member.name))
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
            f"{quoted(pointer.name)} is a pointer to a file"
            + (f" of {size_words(pointer.stands_for_bytes)}" if pointer.stands_for_bytes else ""),
            printable(pointer.name),
        )
        for pointer in unpacked.pointers
    )


@check("AEC117", severity=Severity.NOTE)
def hard_to_mail(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive is hard to send by e-mail.

    Attachments grow by more than a third on the way, common services stop at 25 to 35 MB, and Gmail refuses programs
    and scripts even inside a ZIP.

    Fix: send a link, or let the encoder download its weights: `aecc-package upload WEIGHTS --repository OWNER/NAME`.
    """
    mailing = mail_readiness([listing.size_bytes], [entry.name for entry in listing.entries])
    if mailing.too_large_for:
        sizes = f"{size_words(mailing.files_bytes)} become {size_words(mailing.encoded_bytes)} as an attachment"
        yield Problem(f"{sizes}, too large for {', '.join(mailing.too_large_for)}")
    yield from few(
        Problem(
            f"{service} refuses messages with {quoted(name)}",
            printable(name),
            "leave the file out if you can",
        )
        for name, service in mailing.refused
    )


@check("AEC118", severity=Severity.WARNING)
def archive_litter(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive holds files that are no part of the repository.

    Caches, environments and version control make a ZIP large and hide what matters; macOS's `._x` twins have been
    taken for submissions of their own. This check passes over them.

    Fix: run `aecc-check SUBMISSION --fix`, which writes a ZIP without them, or `aecc-package build DIR -o NEW.zip`;
        with zip: `zip -r -X submission.zip . -x '*.git/*' '*__pycache__/*' '*.DS_Store' '__MACOSX/*'`.
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
        message = f"{kind} is in the archive: {files}, {size_words(total)}"
        yield Problem(message, printable(entries[0].name), severity=severity)


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

    Fix: run `aecc-check SUBMISSION --fix`, or zip the contents, not the folder: `cd DIR && zip -r ../submission.zip .`.
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
        Problem(f"{quoted(entry.name)} is not unpacked", printable(entry.name))
        for entry in listing.entries
        if entry.name.lower().endswith(ARCHIVES) and entry.kind is EntryKind.FILE
    )
