"""What a submission says of its own contents, and what its contents are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PackedFile:
    """A file of a submission: its name with `/` between the parts, its size and its SHA-256 in hexadecimal."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class ManifestFacts:
    """A manifest beside what was really unpacked.

    Attributes:
        present: whether there is a manifest.
        unreadable: why it cannot be read, else empty.
        listed: the files it lists.
        found: the files that are there, the manifest not among them.
    """

    present: bool
    unreadable: str = ""
    listed: tuple[PackedFile, ...] = ()
    found: tuple[PackedFile, ...] = ()
