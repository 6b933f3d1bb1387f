"""Names that some system cannot unpack are refused before anything is written, by the checks of the archive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audio_encoder_checker.checks.archive_names import (
    colliding_names,
    invisible_characters,
    overlong_paths,
    unportable_names,
)
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.archive import ArchiveListing, Entry, EntryKind
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKS = (invisible_characters, unportable_names, overlong_paths, colliding_names)
REMEDY = "rename it, or leave it out with a line in .aeccignore"
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')


def refuse_bad_names(names: Sequence[str]) -> None:
    """Refuse names that Windows or macOS cannot unpack, or would unpack onto one another.

    Args:
        names: of files, relative, with `/` between the parts.

    Raises:
        UsageError: for the first such name.
    """
    for name in names:
        forbidden = _FORBIDDEN.search(name)
        if forbidden:
            raise UsageError(f"cannot pack {printable(name)!r}: Windows allows no {forbidden.group()} in names", REMEDY)
    entries = tuple(_entry(index, name) for index, name in enumerate(names))
    listing = ArchiveListing(0, "a ZIP archive", is_zip=True, declared_entries=len(entries), entries=entries)
    for check in CHECKS:
        for problem in check(listing):
            if problem.severity is not Severity.WARNING:
                raise UsageError(f"cannot pack {problem.message}", REMEDY)


def _entry(index: int, name: str) -> Entry:
    """An entry as it will be, as far as its name is concerned."""
    return Entry(
        index=index,
        name=name,
        encoding="utf-8",
        method=0,
        flags=0,
        crc32=0,
        packed_bytes=0,
        unpacked_bytes=0,
        offset=0,
        data_offset=0,
        end=0,
        mode=0o644,
        kind=EntryKind.FILE,
        encrypted=False,
    )
