"""AEC906 to AEC909: the receipt that `aecc-package build` writes, against archive, report and paper."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.receipt import ReceiptFacts, Sealed
from audio_encoder_checker.findings import Problem
from audio_encoder_checker.printable import printable


@check("AEC906")
def unreadable_receipt(receipt: ReceiptFacts) -> Iterator[Problem]:
    """The receipt cannot be read.

    A receipt says which archive was checked, by which rules and with which result. A missing, damaged or edited one
    proves nothing.

    Fix: build the archive again, which writes a new one unless `--no-check` is given: `aecc-package build DIR -o
    submission.zip --force`.
    """
    if receipt.unreadable:
        yield Problem(printable(receipt.unreadable, limit=300), at=printable(receipt.name))


@check("AEC907")
def foreign_receipt(receipt: ReceiptFacts) -> Iterator[Problem]:
    """The receipt is that of another archive.

    Its result was found for other bytes than these, and says nothing of this archive.

    Fix: send the archive that was checked, or check this one: `aecc-package build DIR -o submission.zip --force`.
    """
    yield from _differences(receipt.archive, "the receipt is that of an archive")


@check("AEC908")
def altered_report(receipt: ReceiptFacts) -> Iterator[Problem]:
    """The report beside the receipt is not the one that the receipt was written for.

    It was changed or lost, or belongs to another run, so its findings cannot be compared with the receipt.

    Fix: send the report that was written with the receipt, or check again: `aecc-check submission.zip`.
    """
    yield from _differences(receipt.report, "the receipt was written for a report")
    if receipt.report_verdict and receipt.report_verdict != receipt.verdict:
        yield Problem(
            f"the report's verdict is {receipt.report_verdict!r}, the receipt's {receipt.verdict!r}",
            at=printable(receipt.name),
        )
    if receipt.archive and receipt.report_sha256 and receipt.report_sha256 != receipt.archive.said.sha256:
        yield Problem("the report is about another archive than the receipt", at=printable(receipt.name))


@check("AEC909")
def altered_paper(receipt: ReceiptFacts) -> Iterator[Problem]:
    """The paper is not the one that the receipt was written for.

    The organisers read another paper than the one whose pages were counted.

    Fix: attach it anew: `aecc-package attach-paper submission.zip paper.pdf`.
    """
    yield from _differences(receipt.paper, "the receipt was written for a paper")


def _differences(sealed: Sealed | None, what: str) -> Iterator[Problem]:
    """One problem if a file is not what the receipt says."""
    if sealed is None:
        return
    said, found = sealed.said, sealed.found
    at = printable(said.name)
    if found is None:
        yield Problem(f"{what} of {said.size_bytes} bytes, which is not there", at=at)
    elif found.size_bytes != said.size_bytes:
        yield Problem(f"{what} of {said.size_bytes} bytes, this one has {found.size_bytes}", at=at)
    elif found.sha256 != said.sha256:
        yield Problem(f"{what} with SHA-256 {said.sha256}, this one has {found.sha256}", at=at)
