"""AEC910 to AEC916: the report paper, a PDF of at most six pages."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import listed
from audio_encoder_checker.evidence.documents import Encryption, PageSize, Paper, PaperFacts, Reading
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import printable

MOST_PAGES = 6
SIZES = {"A4": (595.3, 841.9), "Letter": (612.0, 792.0)}
"""In points."""
TOLERANCE = 4.0
"""Of a page's sides in points: programs round to millimetres or hundredths of an inch."""
LEAST_CHARACTERS = 200
"""A whole report has more, or it is a picture of one."""


def _problem(paper: Paper, message: str, hint: str = "", severity: Severity | None = None) -> Problem:
    """A problem of the paper; never an error where it is not sure that it is the report."""
    doubt = "" if paper.sure else ", if this is the paper"
    grave = severity if paper.sure else severity or Severity.WARNING
    return Problem(f"{message}{doubt}", printable(paper.path), hint, grave)


@check("AEC910")
def unreadable_paper(facts: PaperFacts) -> Iterator[Problem]:
    """The paper is not a readable PDF.

    The organisers read the paper (the challenge calls it the report) beside the encoder. A file that was renamed to
    `.pdf`, or was cut off on its way, opens nowhere.

    Fix: make the PDF again and open it once: `pdfinfo FILE` tells whether it is whole.
    """
    paper = facts.paper
    if paper is None:
        return
    if paper.reading is Reading.NO_PDF:
        yield _problem(paper, f"this is no PDF: {paper.detail}", "export it as PDF: renaming does not make it one")
    elif paper.reading is Reading.DAMAGED:
        yield _problem(paper, f"the PDF cannot be read ({paper.detail})")
    elif paper.pages == 0:
        yield _problem(paper, "the PDF has no pages")


@check("AEC911", severity=Severity.NOTE)
def ambiguous_paper(facts: PaperFacts) -> Iterator[Problem]:
    """Several PDFs could be the paper.

    Which one goes to the organisers has to be said; until then none of them is looked at.

    Fix: name it: `aecc-check SUBMISSION --paper FILE`.
    """
    if facts.paper is None and len(facts.candidates) > 1:
        shown = listed([printable(name, limit=80) for name in facts.candidates])
        yield Problem(
            f"{len(facts.candidates)} PDFs could be the paper: {shown}",
            printable(facts.candidates[0]),
            f"add `--paper {printable(facts.candidates[0])}`",
        )


@check("AEC912")
def encrypted_paper(facts: PaperFacts) -> Iterator[Problem]:
    """The paper is encrypted.

    The organisers have no password. A PDF that opens without one but is encrypted all the same forbids printing,
    copying or marking, and many submission systems refuse it.

    Fix: save it without protection: `qpdf --decrypt FILE plain.pdf`.
    """
    paper = facts.paper
    if paper is None or paper.encryption is Encryption.NONE:
        return
    gravity = None if paper.encryption is Encryption.PASSWORD else Severity.WARNING
    words = {
        Encryption.PASSWORD: "it asks for a password",
        Encryption.RESTRICTED: "it is encrypted: it opens without a password, but with restrictions",
        Encryption.UNKNOWN: "it is encrypted, and whether it opens without a password could not be tried here",
    }
    yield _problem(paper, words[paper.encryption], severity=gravity)


@check("AEC913")
def long_paper(facts: PaperFacts) -> Iterator[Problem]:
    """The paper has more than six pages.

    The challenge takes reports of at most six pages, and may turn away longer ones unread.

    Fix: shorten it to six pages, everything included.
    """
    paper = facts.paper
    if paper and paper.pages is not None and paper.pages > MOST_PAGES:
        yield _problem(paper, f"{paper.pages} pages, at most {MOST_PAGES} are taken")


@check("AEC914", severity=Severity.WARNING)
def odd_page_size(facts: PaperFacts) -> Iterator[Problem]:
    r"""The pages of the paper are neither A4 nor Letter.

    The limit of six pages is meant for pages of these sizes, in the layout of the conference's template.

    Fix: set the paper size, in LaTeX `\documentclass[a4paper]{...}` or `[letterpaper]`.
    """
    paper = facts.paper
    odd = [
        (number, size) for number, size in enumerate(paper.sizes if paper else (), 1) if size and not _is_usual(size)
    ]
    if paper and odd:
        number, size = odd[0]
        others = f", and {len(odd) - 1} more" if len(odd) > 1 else ""
        yield _problem(
            paper,
            f"page {number}{others}: {_millimetres(size)}, expected A4 (210 x 297 mm) or Letter (216 x 279 mm)",
        )


def _is_usual(size: PageSize) -> bool:
    """Whether a page is A4 or Letter, upright or on its side."""
    found = sorted((abs(size.width), abs(size.height)))
    return any(all(abs(a - b) <= TOLERANCE for a, b in zip(found, usual, strict=True)) for usual in SIZES.values())


def _millimetres(size: PageSize) -> str:
    return f"{abs(size.width) / 72 * 25.4:.0f} x {abs(size.height) / 72 * 25.4:.0f} mm"


@check("AEC915", severity=Severity.WARNING)
def paper_without_text(facts: PaperFacts) -> Iterator[Problem]:
    """The paper holds no text, only pictures of it.

    A scan cannot be searched or read aloud, and no program can find in it what was used for training.

    Fix: export the PDF from LaTeX or the word processor, or add text to a scan: `ocrmypdf FILE with-text.pdf`.
    """
    paper = facts.paper
    if paper is None or not paper.characters or paper.reading is not Reading.COMPLETE:
        return
    known = [count for count in paper.characters if count is not None]
    if len(known) == len(paper.characters) and sum(known) < LEAST_CHARACTERS:
        pages = "1 page" if len(known) == 1 else f"{len(known)} pages"
        yield _problem(paper, f"{sum(known)} characters of text on {pages}")


@check("AEC916", severity=Severity.WARNING)
def unfinished_paper(facts: PaperFacts) -> Iterator[Problem]:
    """The paper takes too much time or memory to read.

    Reading a paper takes a second and some megabytes. This one was broken off at a limit that keeps hostile files
    from stopping this machine, so that not all of it was looked at.

    Fix: make the PDF anew, and shrink its pictures: `gs -sDEVICE=pdfwrite -dPDFSETTINGS=/printer -o new.pdf FILE`.
    """
    paper = facts.paper
    if paper and paper.reading is Reading.LIMITED:
        seen = "nothing of it was seen" if paper.pages is None else f"{paper.pages} pages were counted"
        yield _problem(paper, f"reading was broken off ({paper.detail}): {seen}")
