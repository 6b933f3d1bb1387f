from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.checks.receipt import altered_paper, altered_report, foreign_receipt, unreadable_receipt
from audio_encoder_checker.evidence.manifest import PackedFile
from audio_encoder_checker.evidence.receipt import ReceiptFacts, Sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audio_encoder_checker.findings import Problem

A = PackedFile("team.zip", 10, "a" * 64)
B = PackedFile("team.report.json", 20, "b" * 64)
C = PackedFile("report.pdf", 30, "c" * 64)
FITTING = ReceiptFacts(
    "team.receipt.json",
    archive=Sealed(A, replace(A, name="renamed.zip")),
    report=Sealed(B, B),
    paper=Sealed(C, C),
    verdict="ready",
    report_verdict="ready",
    report_sha256=A.sha256,
)
CHECKS = (unreadable_receipt, foreign_receipt, altered_report, altered_paper)


def messages(check: Callable[[ReceiptFacts], Iterator[Problem]], facts: ReceiptFacts) -> list[str]:
    return [problem.message for problem in check(facts)]


def silent_but(check: object, facts: ReceiptFacts) -> bool:
    return all(not messages(other, facts) for other in CHECKS if other is not check)


def test_a_receipt_that_fits_is_no_problem() -> None:
    assert silent_but(None, FITTING)
    assert silent_but(None, replace(FITTING, paper=None, report_verdict="", report_sha256=""))
    assert silent_but(None, replace(FITTING, archive=None))


def test_AEC906_unreadable_receipt() -> None:
    facts = ReceiptFacts("team.receipt.json", unreadable="nested too\x1b deeply")
    assert messages(unreadable_receipt, facts) == ["nested too\\x1b deeply"]
    assert silent_but(unreadable_receipt, facts)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "of 10 bytes, which is not there"),
        (replace(A, size_bytes=11), "of 10 bytes, this one has 11"),
        (replace(A, sha256="f" * 64), f"with SHA-256 {'a' * 64}, this one has {'f' * 64}"),
    ],
)
def test_AEC907_foreign_receipt(found: PackedFile | None, words: str) -> None:
    facts = replace(FITTING, archive=Sealed(A, found))
    assert messages(foreign_receipt, facts) == [f"the receipt is that of an archive {words}"]
    assert silent_but(foreign_receipt, facts)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"report": Sealed(B, None)}, "which is not there"),
        ({"report": Sealed(B, replace(B, size_bytes=21))}, "this one has 21"),
        ({"report_verdict": "not-ready"}, "the report's verdict is 'not-ready', the receipt's 'ready'"),
        ({"report_sha256": "f" * 64}, "about another archive"),
    ],
)
def test_AEC908_altered_report(changes: dict[str, object], words: str) -> None:
    facts = replace(FITTING, **changes)  # type: ignore[arg-type]  # one field each
    (message,) = messages(altered_report, facts)
    assert words in message
    assert silent_but(altered_report, facts)


def test_AEC909_altered_paper() -> None:
    facts = replace(FITTING, paper=Sealed(C, replace(C, sha256="f" * 64)))
    (message,) = messages(altered_paper, facts)
    assert message.startswith("the receipt was written for a paper with SHA-256")
    assert silent_but(altered_paper, facts)
