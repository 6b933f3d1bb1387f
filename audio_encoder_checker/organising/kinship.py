"""Submissions that are nearly the same: for people to look at, never a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.manifest import MANIFEST
from audio_encoder_checker.errors import CheckerError
from audio_encoder_checker.evidence.archive import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    Contents = frozenset[tuple[int, int]]
    """CRC-32 and size of every file that is large enough to tell something."""

SMALLEST_BYTES = 200
"""Smaller files are alike by chance: empty `__init__.py`, a line of requirements."""
NEAR = 0.8


class Kin(NamedTuple):
    """Two submissions and how much of their contents they share, in files."""

    first: str
    second: str
    share: float


def contents_of(path: Path) -> Contents:
    """What a ZIP says it holds, whatever its files are called; nothing of one that cannot be read."""
    try:
        listing = read_listing(path)
    except (CheckerError, OSError):
        return frozenset()
    return frozenset(
        (one.crc32, one.unpacked_bytes)
        for one in listing.entries
        if one.kind is EntryKind.FILE and one.unpacked_bytes >= SMALLEST_BYTES and not one.name.endswith(MANIFEST)
    )


def find_kin(contents: Mapping[str, Contents]) -> list[Kin]:
    """Pairs that share most of their files, by the Jaccard index, the nearest first.

    Args:
        contents: of each submission by its SHA-256.
    """
    owners: dict[tuple[int, int], list[str]] = {}
    for name, files in contents.items():
        for file in files:
            owners.setdefault(file, []).append(name)
    shared: dict[tuple[str, str], int] = {}
    for names in owners.values():
        for pair in _pairs(names):
            shared[pair] = shared.get(pair, 0) + 1
    kin = (Kin(a, b, count / len(contents[a] | contents[b])) for (a, b), count in shared.items())
    return sorted((one for one in kin if one.share >= NEAR), key=lambda one: (-one.share, one.first, one.second))


def _pairs(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    known = sorted(names)
    return ((a, b) for n, a in enumerate(known) for b in known[n + 1 :])
