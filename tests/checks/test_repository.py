"""AEC121 to AEC125 and AEC221."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.repository import read_repository_files
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.evidence.repository import CheckerState, Compiled, Notebook, RepositoryFacts
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.builders import listing, write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.evidence.archive import ArchiveListing

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
CHECKS = [one for one in all_checks() if RepositoryFacts in one.needs]
COMPLETE = RepositoryFacts("README.md", ("requirements.txt",), CheckerState.CURRENT, "72d70ef9")
ZIP = listing("encoder.py")


def findings(facts: RepositoryFacts, contents: ArchiveListing = ZIP) -> list[Finding]:
    evidence = Evidence()
    evidence.put(facts, contents)
    return list(judge(evidence, CHECKS).findings)


def changed(**fields: object) -> RepositoryFacts:
    return RepositoryFacts(**{**vars(COMPLETE), **fields})


def test_a_complete_repository_has_no_finding() -> None:
    assert findings(COMPLETE) == []


@pytest.mark.parametrize(
    ("facts", "check", "name", "severity", "message", "at"),
    [
        (
            *(changed(readme=""), "AEC121", "missing-readme", WARNING),
            *("there is no README at the root", ""),
        ),
        (
            *(changed(requirements=()), "AEC122", "missing-requirements", WARNING),
            *("there is no requirements.txt or pyproject.toml at the root", ""),
        ),
        (
            *(changed(checker=CheckerState.MISSING), "AEC123", "missing-official-checker", NOTE),
            *("there is no audio_encoder_checker.py at the root", ""),
        ),
        (
            changed(checker=CheckerState.ALTERED, checker_sha256="0123456789abcdef"),
            *("AEC124", "altered-official-checker", ERROR),
            "audio_encoder_checker.py is no version of the official one: its SHA-256 begins with 0123456789ab",
            "audio_encoder_checker.py",
        ),
        (
            changed(checker=CheckerState.OLDER, checker_sha256="0123456789abcdef"),
            *("AEC124", "altered-official-checker", WARNING),
            (
                "audio_encoder_checker.py is an early version, which does not ask for hop_size_in_ms: "
                "its SHA-256 begins with 0123456789ab"
            ),
            "audio_encoder_checker.py",
        ),
        (
            changed(compiled=(Compiled("lib/x.so", "machine code for Linux"),)),
            *("AEC125", "compiled-files", WARNING, "'lib/x.so' is machine code for Linux", "lib/x.so"),
        ),
        (
            changed(notebooks=(Notebook("a.ipynb", 1, 2_000),)),
            *("AEC221", "notebook-outputs", NOTE, "'a.ipynb' holds outputs of 1 cell, 2 kB", "a.ipynb"),
        ),
        (
            changed(notebooks=(Notebook("a.ipynb", 3, 2_000_000),)),
            *("AEC221", "notebook-outputs", NOTE, "'a.ipynb' holds outputs of 3 cells, 2 MB", "a.ipynb"),
        ),
        (
            changed(notebooks=(Notebook("a.ipynb", 0, 25_000_000),)),
            *("AEC221", "notebook-outputs", NOTE, "'a.ipynb' takes 25 MB, most of it outputs", "a.ipynb"),
        ),
    ],
)
def test_each_fact_has_its_check(
    facts: RepositoryFacts, check: str, name: str, severity: Severity, message: str, at: str
) -> None:
    (found,) = findings(facts)
    assert (found.id, found.name, found.severity, found.stage) == (check, name, severity, "rules")
    assert (found.message, found.at) == (message, at)
    assert found.hint


def test_only_an_archive_lacks_the_official_checker() -> None:
    assert findings(changed(checker=CheckerState.MISSING), listing()) == []


def test_a_command_holds_the_name_of_the_notebook_as_a_shell_wants_it() -> None:
    (found,) = findings(changed(notebooks=(Notebook("my notes; rm.ipynb", 1, 10),)))
    assert found.hint == "jupyter nbconvert --clear-output --inplace 'my notes; rm.ipynb'"


@pytest.mark.parametrize("name", ["a\x1b[31m\u202e.so", "a" * 5_000])
def test_names_are_made_printable(name: str) -> None:
    for found in findings(changed(compiled=(Compiled(name, "machine code"),), notebooks=(Notebook(name, 1, 1),))):
        assert (found.message + found.at + found.hint).isprintable()
        assert len(found.message) < 250


def test_many_are_few() -> None:
    many = changed(
        compiled=tuple(Compiled(f"{number}.so", "machine code") for number in range(100)),
        notebooks=tuple(Notebook(f"{number}.ipynb", 1, 10) for number in range(100)),
    )
    found = findings(many)
    assert [sum(one.id == check for one in found) for check in ("AEC125", "AEC221")] == [20, 20]
    assert found[19].message.endswith("; and 80 more like this")


def test_an_empty_repository_lacks_what_there_has_to_be(tmp_path: Path) -> None:
    facts = read_repository_files(write_tree(tmp_path, {"encoder.py": ""}))
    assert [one.id for one in findings(facts)] == ["AEC121", "AEC122", "AEC123"]
