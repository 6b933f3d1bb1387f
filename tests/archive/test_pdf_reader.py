"""A PDF is read in a process of its own, which gives in to nothing that stands in it."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfWriter

from audio_encoder_checker.archive import paper as module
from audio_encoder_checker.archive.paper import read_paper
from audio_encoder_checker.evidence.documents import Encryption, PageSize, Paper, Reading
from tests.pdfs import A4, CATALOGUE, FONT, LETTER, raw_pdf, report, stream

if TYPE_CHECKING:
    from pathlib import Path

ONE_PAGE = (b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>")


def read(tmp_path: Path, data: bytes) -> Paper:
    path = tmp_path / "report.pdf"
    path.write_bytes(data)
    return read_paper(path, "report.pdf", sure=True)


def encrypted(user: str) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(*LETTER)
    writer.encrypt(user, "owner", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_an_ordinary_report_is_read_to_its_end(tmp_path: Path) -> None:
    paper = read(tmp_path, report(2))
    assert (paper.reading, paper.pages, paper.detail) == (Reading.COMPLETE, 2, "")
    assert paper.sizes == (PageSize(595.3, 841.9),) * 2
    assert paper.characters == (250, 250)
    assert paper.encryption is Encryption.NONE


def test_a_unit_of_its_own_counts_for_the_size_of_a_page(tmp_path: Path) -> None:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 306 396]/UserUnit 2>>"
    assert read(tmp_path, raw_pdf(CATALOGUE, ONE_PAGE[0], page)).sizes == (PageSize(612.0, 792.0),)


def test_a_picture_of_a_page_has_no_text(tmp_path: Path) -> None:
    assert read(tmp_path, report(1, text=" ")).characters == (0,)


def test_of_many_pages_the_first_are_looked_at_and_all_are_counted(tmp_path: Path) -> None:
    paper = read(tmp_path, report(60))
    assert (paper.pages, len(paper.sizes), len(paper.characters)) == (60, 50, 12)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.7\n", "ended"),
        (report(1)[:400] + b"\n", ""),
        (raw_pdf(CATALOGUE, b"<</Type/Pages/Kids[2 0 R]/Count 1>>"), "cyclic"),
        (raw_pdf(b"<</Type/Catalog>>"), ""),
    ],
    ids=["head alone", "cut off", "circle of pages", "no pages at all"],
)
def test_a_broken_file_is_a_fact(tmp_path: Path, data: bytes, words: str) -> None:
    paper = read(tmp_path, data)
    assert (paper.reading, paper.pages) == (Reading.DAMAGED, None)
    assert words in paper.detail


def test_a_page_that_cannot_be_followed_does_not_hide_the_others(tmp_path: Path) -> None:
    pages = b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox(none)>>"
    paper = read(tmp_path, raw_pdf(CATALOGUE, pages, page, ONE_PAGE[1]))
    assert (paper.reading, paper.pages) == (Reading.COMPLETE, 2)
    assert paper.sizes == (None, PageSize(612.0, 792.0))


def test_a_password_locks_a_paper(tmp_path: Path) -> None:
    paper = read(tmp_path, encrypted("secret"))
    assert (paper.reading, paper.encryption, paper.pages) == (Reading.LOCKED, Encryption.PASSWORD, None)


def test_a_paper_that_is_only_restricted_is_read(tmp_path: Path) -> None:
    paper = read(tmp_path, encrypted(""))
    assert (paper.reading, paper.encryption, paper.pages) == (Reading.COMPLETE, Encryption.RESTRICTED, 1)


def test_a_cipher_that_nobody_knows_is_no_damage(tmp_path: Path) -> None:
    data = raw_pdf(CATALOGUE, *ONE_PAGE, b"<</Filter/Own/V 9/R 9>>", trailer=b"/Encrypt 4 0 R/ID[<41><41>]")
    paper = read(tmp_path, data)
    assert (paper.reading, paper.encryption) == (Reading.LOCKED, Encryption.UNKNOWN)


def test_a_tree_of_a_million_pages_meets_a_limit(tmp_path: Path) -> None:
    nodes = [b"<</Type/Pages/Kids[%s]/Count 1>>" % b" ".join([b"%d 0 R" % below] * 100) for below in (3, 4, 5)]
    paper = read(tmp_path, raw_pdf(CATALOGUE, *nodes, b"<</Type/Page/MediaBox[0 0 9 9]>>"))
    assert (paper.reading, paper.pages) == (Reading.LIMITED, None)
    assert paper.detail


def test_what_was_seen_before_time_ran_out_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WALL_SECONDS", 2.0)
    kids = b" ".join([b"3 0 R"] * 7)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources %s>>" % FONT
    slow = stream(b"BT /F 1 Tf (a) Tj ET\n" * 200_000)
    paper = read(tmp_path, raw_pdf(CATALOGUE, b"<</Type/Pages/Kids[%s]/Count 7>>" % kids, page, slow))
    assert (paper.reading, paper.pages, paper.detail) == (Reading.LIMITED, 7, "2 s")
    assert paper.sizes == (PageSize(612.0, 792.0),) * 7
    assert len(paper.characters) < 7


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = (
        "from audio_encoder_checker.archive import pdf_reader\n"
        "pdf_reader._characters = lambda reader, number: len(bytearray(2 << 30))\n"
        "pdf_reader.main()"
    )
    monkeypatch.setattr(module, "COMMAND", (sys.executable, "-I", "-c", greedy))
    paper = read(tmp_path, report(2))
    assert (paper.reading, paper.pages, paper.characters) == (Reading.LIMITED, 2, ())
    assert paper.detail == "1024 MiB of memory"


def test_processor_time_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = (
        "from audio_encoder_checker.archive import pdf_reader\n"
        "def spin(reader, number):\n"
        "    while True: pass\n"
        "pdf_reader._characters, pdf_reader.CPU_SECONDS = spin, 1\n"
        "pdf_reader.main()"
    )
    monkeypatch.setattr(module, "COMMAND", (sys.executable, "-I", "-c", endless))
    paper = read(tmp_path, report(2))
    assert (paper.reading, paper.pages, len(paper.sizes)) == (Reading.LIMITED, 2, 2)
    assert "processor time" in paper.detail


def test_the_size_of_a_page_is_exact_enough_to_tell_a4_from_letter(tmp_path: Path) -> None:
    assert read(tmp_path, report(1, size=A4)).sizes != read(tmp_path, report(1, size=LETTER)).sizes
