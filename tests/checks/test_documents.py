from __future__ import annotations

from typing import Any

import pytest

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.evidence.documents import Encryption, PageSize, Paper, PaperFacts, Reading
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge

A4, LETTER = PageSize(595.3, 841.9), PageSize(612.0, 792.0)


def paper(*, sure: bool = True, **changes: Any) -> PaperFacts:
    """A report of six pages that is good but for the changes."""
    good: dict[str, Any] = {
        "size_bytes": 300_000,
        "reading": Reading.COMPLETE,
        "pages": 6,
        "sizes": (A4,) * 6,
        "characters": (3000,) * 6,
    }
    return PaperFacts(Paper("report.pdf", sure, **{**good, **changes}), ("report.pdf",))


def findings(facts: PaperFacts) -> list[Finding]:
    evidence = Evidence()
    evidence.put(facts)
    return list(judge(evidence, [one for one in all_checks() if one.needs == (PaperFacts,)]).findings)


@pytest.mark.parametrize(
    "facts",
    [
        paper(),
        paper(pages=1, sizes=(LETTER,), characters=(250,)),
        paper(sizes=(PageSize(841.9, 595.3),)),
        paper(sizes=(PageSize(-612.0, 792.0),)),
        paper(sizes=(PageSize(594.0, 840.0), PageSize(597.6, 842.4), None)),
        paper(characters=(0, 0, 0, 0, 0, 200)),
        paper(characters=(0, 0, None)),
    ],
    ids=["six pages", "Letter", "on its side", "upside down", "rounded", "figures", "one page not followed"],
)
def test_a_report_as_it_should_be_has_no_finding(facts: PaperFacts) -> None:
    assert findings(facts) == []


CASES = [
    (paper(reading=Reading.NO_PDF, detail="it is empty", pages=None), "AEC910", Severity.ERROR, "it is empty"),
    (paper(reading=Reading.DAMAGED, detail="no table", pages=None), "AEC910", Severity.ERROR, "no table"),
    (paper(pages=0, sizes=(), characters=()), "AEC910", Severity.ERROR, "no pages"),
    (paper(reading=Reading.LOCKED, encryption=Encryption.PASSWORD), "AEC912", Severity.ERROR, "a password"),
    (paper(encryption=Encryption.RESTRICTED), "AEC912", Severity.WARNING, "without a password"),
    (paper(reading=Reading.LOCKED, encryption=Encryption.UNKNOWN), "AEC912", Severity.WARNING, "could not be tried"),
    (paper(pages=7), "AEC913", Severity.ERROR, "7 pages, at most 6"),
    (paper(sizes=(A4, PageSize(419.5, 595.3))), "AEC914", Severity.WARNING, "page 2: 148 x 210 mm"),
    (paper(sizes=(PageSize(612, 1008),) * 3), "AEC914", Severity.WARNING, "page 1, and 2 more: 216 x 356 mm"),
    (paper(characters=(30, 40)), "AEC915", Severity.WARNING, "70 characters of text on 2 pages"),
    (paper(pages=1, characters=(199,)), "AEC915", Severity.WARNING, "199 characters of text on 1 page"),
    (paper(reading=Reading.LIMITED, detail="40 s", pages=None), "AEC916", Severity.WARNING, "nothing of it was seen"),
    (
        paper(reading=Reading.LIMITED, detail="40 s", characters=(1,)),
        "AEC916",
        Severity.WARNING,
        "6 pages were counted",
    ),
]


@pytest.mark.parametrize(("facts", "check", "severity", "words"), CASES)
def test_each_defect_has_its_check(facts: PaperFacts, check: str, severity: Severity, words: str) -> None:
    (found,) = findings(facts)
    assert (found.id, found.severity, found.at) == (check, severity, "report.pdf")
    assert words in found.message
    assert "if this is the paper" not in found.message


@pytest.mark.parametrize("facts", [one[0] for one in CASES])
def test_what_may_not_be_the_report_is_never_an_error(facts: PaperFacts) -> None:
    assert facts.paper is not None
    changed = {name: getattr(facts.paper, name) for name in ("reading", "detail", "encryption", "pages", "sizes")}
    (found,) = findings(paper(sure=False, characters=facts.paper.characters, **changed))
    assert found.severity is Severity.WARNING
    assert found.message.endswith(", if this is the paper")


def test_aec911_of_several_the_first_are_named() -> None:
    (found,) = findings(PaperFacts(None, tuple(f"{name}.pdf" for name in "abcdefg")))
    assert (found.id, found.severity, found.at) == ("AEC911", Severity.NOTE, "a.pdf")
    assert found.message == "7 PDFs could be the paper: a.pdf, b.pdf, c.pdf, d.pdf, e.pdf and 2 more"
    assert found.hint == "add `--paper a.pdf`"


def test_a_name_cannot_write_to_the_terminal() -> None:
    facts = paper(pages=7)
    assert facts.paper is not None
    (found,) = findings(
        PaperFacts(Paper("\x1b[31m.pdf", sure=True, size_bytes=1, reading=Reading.COMPLETE, pages=7), ())
    )
    assert found.at == "\\x1b[31m.pdf"
