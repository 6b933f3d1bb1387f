"""What a receipt says of an archive, its report and its paper, beside what these really are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.manifest import PackedFile


@dataclass(frozen=True)
class Sealed:
    """A file that a receipt speaks of: as the receipt describes it, and as it was found, None if it is not there."""

    said: PackedFile
    found: PackedFile | None


@dataclass(frozen=True)
class ReceiptFacts:
    """A receipt, and what it speaks of.

    Attributes:
        name: of the receipt's file.
        unreadable: why it cannot be read, else empty; the rest is then not known.
        archive: the ZIP.
        report: the report of its check, which lies beside the receipt.
        paper: the report paper; None if there was none when the receipt was written.
        verdict: as the receipt says.
        report_verdict: as the report says; empty if the report cannot be read.
        report_sha256: of the submission, as the report says; empty if it says nothing.
    """

    name: str
    unreadable: str = ""
    archive: Sealed | None = None
    report: Sealed | None = None
    paper: Sealed | None = None
    verdict: str = ""
    report_verdict: str = ""
    report_sha256: str = ""
