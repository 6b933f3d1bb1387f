"""The stage of rules and documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import paper as module
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.documents import PaperFacts
from audio_encoder_checker.evidence.training import TrainingFacts
from audio_encoder_checker.judging import NOT_ASKED, Evidence
from audio_encoder_checker.stages.documents import KINDS, gather
from tests.builders import write_tree
from tests.pdfs import report

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tree(tmp_path, {"a.py": "class AEncoder: pass\n", "aecc.toml": "[training]\ndata = ['MLS']\n"})


def with_sources(root: Path) -> Evidence:
    evidence = Evidence()
    evidence.put(read_sources(root, "a.py"))
    return evidence


def test_both_kinds_are_gathered(root: Path) -> None:
    write_tree(root, {"report.pdf": report(7)})
    evidence = with_sources(root)
    gather(evidence, root, downloads=[("microsoft/wavlm-base", "download")])
    paper, training = evidence.get(PaperFacts), evidence.get(TrainingFacts)
    assert paper is not None
    assert training is not None
    assert paper.paper is not None
    assert paper.paper.pages == 7
    assert [one.text for one in (*training.declaration.data, *training.models)] == ["MLS", "microsoft/wavlm-base"]


def test_without_a_paper_it_was_not_asked_for(root: Path) -> None:
    evidence = with_sources(root)
    gather(evidence, root)
    assert evidence.why_missing([PaperFacts]) == NOT_ASKED
    assert evidence.get(TrainingFacts) is not None


def test_without_sources_a_paper_that_was_named_is_read(root: Path) -> None:
    write_tree(root, {"report.pdf": report(1)})
    evidence = Evidence()
    gather(evidence, root, root / "report.pdf")
    assert evidence.get(PaperFacts) is not None
    assert evidence.get(TrainingFacts) is None


def test_a_paper_that_was_named_has_to_be_there(root: Path) -> None:
    with pytest.raises(UsageError):
        gather(with_sources(root), root, root / "none.pdf")


def test_a_machine_that_cannot_read_it_leaves_it_open(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(root, {"report.pdf": report(1)})
    monkeypatch.setattr(module, "COMMAND", ("false",))
    evidence = with_sources(root)
    gather(evidence, root)
    assert "does not start" in evidence.why_missing(KINDS)
    assert evidence.get(TrainingFacts) is not None
