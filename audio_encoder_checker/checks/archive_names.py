"""AEC13x: names, paths and kinds of the archive's entries."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few
from audio_encoder_checker.evidence.archive import ArchiveListing, DefectKind, Entry, EntryKind
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import printable, quoted

MAX_PART_BYTES, MAX_PATH_BYTES, MAX_DEPTH = 200, 240, 20
"""With room for the folder that it is unpacked into: Windows stops at 260 characters, ext4 at 255 bytes a name."""
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *([.:].*)?", re.IGNORECASE)
"""Device names of Windows, with any extension."""
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and a pattern of Braille that are drawn as nothing."""
SHORT_NAME = re.compile(r"[^.]{1,6}~\d+(\.[^.]{0,3})?")
"""Names such as `PROGRA~1`, which Windows makes for long ones."""
SETUID_BITS = 0o7000


def _each(listing: ArchiveListing, what_is_wrong: Callable[[Entry], str]) -> Iterator[Problem]:
    """A problem for every entry that something is wrong with."""
    found = ((entry, what_is_wrong(entry)) for entry in listing.entries)
    return few(
        Problem(f"entry {entry.index} {quoted(entry.name)}: {wrong}", printable(entry.name))
        for entry, wrong in found
        if wrong
    )


@check("AEC130")
def unsafe_paths(listing: ArchiveListing) -> Iterator[Problem]:
    """A file's path leads outside the submission, or nowhere.

    The organisers unpack a submission into an empty folder. A path that is absolute or climbs with `..` would
    land somewhere else, so the whole archive is refused.

    Fix: zip the folder from inside: `cd DIR && zip -r ../submission.zip .`, or use `aecc-package build DIR`.
    """
    yield from _each(listing, _unsafe)


def _unsafe(entry: Entry) -> str:
    name = entry.name.replace("\\", "/")
    parts = name.removesuffix("/").split("/")
    if name.startswith("/"):
        return "its path is absolute"
    if re.match(r"[A-Za-z]:", name):
        return f"its path starts with drive {name[:2]}"
    if ".." in parts:
        return "'..' would leave the folder"
    if "" in parts or "." in parts:
        return "a part of its path is empty or '.'"
    return ""


@check("AEC131")
def backslash_names(listing: ArchiveListing) -> Iterator[Problem]:
    r"""Folders are separated by backslashes.

    Old PowerShell and .NET write such names. On Linux `repo\encoder.py` becomes one file with a backslash in its
    name, and no import finds it.

    Fix: run `aecc-check SUBMISSION --fix`, or make the ZIP with Explorer ("Send to, compressed folder"), 7-Zip,
        `cd DIR && python -m zipfile -c ../submission.zip .` or `aecc-package build DIR -o submission.zip`.
    """
    yield from _each(listing, lambda entry: r"'\' separates its folders, expected '/'" if "\\" in entry.name else "")


@check("AEC132")
def links_and_special_files(listing: ArchiveListing) -> Iterator[Problem]:
    """The archive holds a symbolic link, a device or a pipe.

    A link may point anywhere on the organisers' machine, and most unpackers write it as a small text instead.

    Fix: put the file itself in place of the link; `zip -r` without `-y` and `aecc-package build` do.
    """
    wrong = {
        EntryKind.SYMLINK: "a symbolic link, expected the file itself",
        EntryKind.SPECIAL: "a device, pipe or socket, expected a plain file",
    }
    yield from _each(listing, lambda entry: wrong.get(entry.kind, ""))


@check("AEC133")
def duplicate_names(listing: ArchiveListing) -> Iterator[Problem]:
    """Two files of the archive have the same name.

    Unpackers keep the first or the last of them, or ask; nobody knows which one would be evaluated.

    Fix: make the ZIP anew instead of adding to it: `aecc-package build DIR -o submission.zip`.
    """
    first: dict[str, int] = {}

    def repeated(entry: Entry) -> str:
        before = first.setdefault(entry.name, entry.index)
        return "" if before == entry.index else f"entry {before} has the same name"

    yield from _each(listing, repeated)


@check("AEC134")
def colliding_names(listing: ArchiveListing) -> Iterator[Problem]:
    """Two names of the archive become one on some machines.

    Windows and macOS take `Model.py` and `model.py` for the same file, and `é` has two spellings in Unicode; a
    name cannot be a file and a folder either.

    Fix: rename one of the two, and make the ZIP anew.
    """
    seen: dict[tuple[int, str], tuple[int, str, bool]] = {}

    def collides(entry: Entry) -> str:
        if _overlong(entry):
            return ""
        above, parts = 0, entry.name.rstrip("/").split("/")
        for depth, part in enumerate(parts, 1):
            folder = depth < len(parts) or entry.kind is EntryKind.FOLDER
            here = len(seen) + 1, part, folder
            above, other, other_folder = seen.setdefault((above, _collision_key(part)), here)
            if other != part:
                path = "/".join((*parts[: depth - 1], other))
                return f"the same as {quoted(path)} on Windows or macOS"
            if other_folder != folder:
                return f"{quoted('/'.join(parts[:depth]))} is a file and a folder"
        return ""

    yield from _each(listing, collides)


def _collision_key(part: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", part).casefold())


@check("AEC135")
def invisible_characters(listing: ArchiveListing) -> Iterator[Problem]:
    """A name holds characters that cannot be seen.

    Control characters change what a terminal shows, direction marks turn `fdp.py` into `yp.pdf`, and a NUL ends
    the name for some unpackers only.

    Fix: rename the file with plain letters, digits, `_`, `-` and `.`.
    """
    yield from _each(listing, _invisible)


def _invisible(entry: Entry) -> str:
    doubtful = (one for one in dict.fromkeys(entry.name) if one in BLANKS or not one.isprintable())
    hidden = [one for one in doubtful if one in BLANKS or printable(one) != one]  # some spaces are seen as such
    return f"holds {', '.join(f'U+{ord(one):04X}' for one in hidden[:5])}" if hidden else ""


@check("AEC136")
def unportable_names(listing: ArchiveListing) -> Iterator[Problem]:
    """A name cannot be used on Windows.

    Whoever looks at the submission there cannot unpack it; `aux.py` is a device, and a dot or space at the end is
    dropped, so that the file gets another name.

    Fix: rename the file, and make the ZIP anew.
    """
    yield from _each(listing, _unportable)
    for problem in _each(listing, lambda entry: "" if _overlong(entry) or _unportable(entry) else _doubtful(entry)):
        yield Problem(problem.message, problem.at, severity=Severity.WARNING)


def _unportable(entry: Entry) -> str:
    if _overlong(entry):
        return ""
    for part in entry.name.split("/"):
        if RESERVED.fullmatch(part):
            return f"'{printable(part, limit=60)}' is a device name on Windows"
        if part not in (".", "..") and part != part.rstrip(" ."):
            return f"'{printable(part, limit=60)}' ends in a dot or space"
    return ""


def _doubtful(entry: Entry) -> str:
    parts = entry.name.split("/")
    if any(SHORT_NAME.fullmatch(part) for part in parts):
        return "looks like a short name that Windows makes for another file"
    forbidden = "".join(dict.fromkeys(c for c in entry.name if c in ':*?"<>|'))
    return f"Windows does not allow {forbidden} in names" if forbidden else ""


@check("AEC137")
def overlong_paths(listing: ArchiveListing) -> Iterator[Problem]:
    """A path is too long or too deep to be unpacked everywhere.

    Windows takes 260 characters in a path, the folder that it is unpacked into included, and Linux 255 bytes in a name.

    Fix: shorten the names or move the files up, and make the ZIP anew.
    """
    yield from _each(listing, _overlong)


def _overlong(entry: Entry) -> str:
    path = entry.name.encode("utf-8", "surrogatepass")
    if len(path) > MAX_PATH_BYTES:
        return f"a path of {len(path)} bytes, at most {MAX_PATH_BYTES} are safe"
    longest = max(len(part) for part in path.split(b"/"))
    depth = entry.name.rstrip("/").count("/") + 1
    if longest > MAX_PART_BYTES:
        return f"a name of {longest} bytes, at most {MAX_PART_BYTES} are safe"
    return f"{depth} folders deep, at most {MAX_DEPTH} are safe" if depth > MAX_DEPTH else ""


@check("AEC138")
def undecodable_names(listing: ArchiveListing) -> Iterator[Problem]:
    """A name is not in the encoding that it claims.

    Unpackers make different names of it, so code that opens the file by its name does not find it.

    Fix: rename the file with plain letters, and make the ZIP anew.
    """
    wrong = {defect.entry: defect.detail for defect in listing.defects_of(DefectKind.NAME)}
    yield from _each(listing, lambda entry: wrong.get(entry.index, ""))


@check("AEC139", severity=Severity.NOTE)
def guessed_name_encoding(listing: ArchiveListing) -> Iterator[Problem]:
    """A name has letters beyond ASCII and does not say in which encoding.

    Chinese Windows writes GBK and old macOS unmarked UTF-8; Python's `zipfile` reads both as cp437, so the
    organisers may see another name. That matters only where your code opens the file by it.

    Fix: rename the file with plain letters, or make the ZIP with `aecc-package build DIR`.
    """
    yield from _each(
        listing,
        lambda e: "" if e.encoding in ("ascii", "utf-8") else f"its encoding is not stated, read as {e.encoding}",
    )


@check("AEC140", severity=Severity.WARNING)
def setuid_modes(listing: ArchiveListing) -> Iterator[Problem]:
    """A file asks for special rights.

    Set-user-id, set-group-id and sticky bits have no place in a repository. They are not applied here, but an
    unpacker run as root might.

    Fix: run `chmod -R ug-s,-t DIR`, and make the ZIP anew.
    """
    yield from _each(
        listing,
        lambda entry: f"mode {entry.mode & 0o7777:04o}, expected no more than 0755" if entry.mode & SETUID_BITS else "",
    )
