"""Which PDF is the report, and what is no PDF at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import paper as module
from audio_encoder_checker.archive.paper import find_paper, read_paper
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.documents import PaperFacts, Reading
from tests.builders import write_tree
from tests.pdfs import report

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "repo", {"encoder.py": "x = 1\n"})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "outbox"
    folder.mkdir()
    (folder / "team.zip").write_bytes(b"PK")
    return folder / "team.zip"


def found(facts: PaperFacts | None) -> str:
    assert facts is not None
    assert facts.paper is not None
    assert facts.candidates == (facts.paper.path,)
    return facts.paper.path


def test_no_pdf_is_no_paper(root: Path, archive: Path) -> None:
    assert find_paper(root, archive) is None


def test_a_paper_that_was_named_is_the_report_wherever_it_lies(root: Path, archive: Path, tmp_path: Path) -> None:
    write_tree(root, {"paper.pdf": report(1)})
    named = tmp_path / "elsewhere.bin"
    named.write_bytes(report(2))
    facts = find_paper(root, archive, named)
    assert found(facts) == str(named)
    assert facts is not None
    assert facts.paper is not None
    assert (facts.paper.pages, facts.paper.sure) == (2, True)


def test_the_only_pdf_of_the_root_may_be_the_report(root: Path, archive: Path) -> None:
    write_tree(root, {"thesis.PDF": report(1), "figures/plot.pdf": report(1)})
    write_tree(archive.parent, {"team.pdf": report(2)})
    facts = find_paper(root, archive)
    assert found(facts) == "thesis.PDF"
    assert facts is not None
    assert facts.paper is not None
    assert not facts.paper.sure


@pytest.mark.parametrize("name", ["report.pdf", "ICME_Paper-final.pdf", "our manuscript.pdf"])
def test_a_name_tells_which_of_several_is_the_report(root: Path, archive: Path, name: str) -> None:
    write_tree(root, {"architecture.pdf": report(1), name: report(1)})
    facts = find_paper(root, archive)
    assert found(facts) == name
    assert facts is not None
    assert facts.paper is not None
    assert facts.paper.sure


def test_beside_an_archive_the_pdf_of_its_name_is_the_report(root: Path, archive: Path) -> None:
    write_tree(archive.parent, {"team.pdf": report(1), "some paper.pdf": report(1)})
    facts = find_paper(root, archive)
    assert found(facts) == "team.pdf"
    assert facts is not None
    assert facts.paper is not None
    assert facts.paper.sure


def test_beside_a_folder_nothing_is_looked_for(root: Path) -> None:
    write_tree(root.parent, {"repo.pdf": report(1)})
    assert find_paper(root, root) is None


def test_of_several_that_may_be_it_none_is_read(root: Path, archive: Path) -> None:
    write_tree(root, {"b.pdf": report(1), "a.pdf": b"no pdf"})
    assert find_paper(root, archive) == PaperFacts(None, ("a.pdf", "b.pdf"))


def test_no_link_is_followed_out_of_the_repository(root: Path, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.pdf").write_bytes(report(1))
    (root / "paper.pdf").symlink_to(tmp_path / "outside.pdf")
    assert find_paper(root, archive) is None


def test_hidden_files_and_folders_are_no_papers(root: Path, archive: Path) -> None:
    write_tree(root, {"._paper.pdf": b"metadata of macOS", "paper.pdf/readme": "x"})
    assert find_paper(root, archive) is None


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_a_paper_that_was_named_has_to_be_a_file(root: Path, archive: Path, tmp_path: Path, kind: str) -> None:
    named = tmp_path / "named.pdf"
    if kind == "folder":
        named.mkdir()
    elif kind == "pipe":
        os.mkfifo(named)
    with pytest.raises(UsageError) as error:
        find_paper(root, archive, named)
    assert "named.pdf" in str(error.value)
    assert error.value.hint


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"PK\3\4word/document.xml", "Office"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"\\documentclass{article}", "LaTeX"),
        (b"just text", "%PDF-"),
        (b" " * 2000 + b"%PDF-1.7", "%PDF-"),
    ],
)
def test_what_bears_no_mark_is_no_pdf(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    paper = read_paper(path, "a.pdf", sure=True)
    assert paper.reading is Reading.NO_PDF
    assert words in paper.detail


def test_a_pdf_that_nobody_may_read_is_not_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "paper.pdf").write_bytes(report(1))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert find_paper(root, root) is None


def test_a_paper_too_large_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    path = tmp_path / "a.pdf"
    path.write_bytes(report(1))
    paper = read_paper(path, "a.pdf", sure=True)
    assert (paper.reading, paper.pages) == (Reading.LIMITED, None)
    assert "no more than 100 bytes" in paper.detail


def test_a_reader_that_does_not_start_is_the_machines_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(report(1))
    monkeypatch.setattr(module, "COMMAND", ("false",))
    with pytest.raises(MachineError, match="does not start"):
        read_paper(path, "a.pdf", sure=True)
    monkeypatch.setattr(module, "COMMAND", ("/no/such/python",))
    with pytest.raises(MachineError, match="does not start"):
        read_paper(path, "a.pdf", sure=True)
