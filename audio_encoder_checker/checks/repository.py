"""AEC121 to AEC125 and AEC221: what a repository has to bring along, and what it should not."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few
from audio_encoder_checker.evidence.archive import ArchiveListing
from audio_encoder_checker.evidence.repository import OFFICIAL_CHECKER, CheckerState, Notebook, RepositoryFacts
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import printable, quoted, size_words

OFFICIAL = "https://github.com/jimbozhang/xares"
COPY = f"copy it anew from the challenge's template, or leave it out; the one of X-ARES ({OFFICIAL}) is the same"


@check("AEC121", severity=Severity.WARNING, stage="rules")
def missing_readme(repository: RepositoryFacts) -> Iterator[Problem]:
    """The repository has no README.

    The challenge asks for the complete repository. The organisers look into the README first for what the encoder
    is, where its weights come from and what it needs.

    Fix: write a `README.md`; `aecc-package init NEW_DIR` makes one to start from.
    """
    if not repository.readme:
        yield Problem("there is no README at the root")


@check("AEC122", severity=Severity.WARNING, stage="rules")
def missing_requirements(repository: RepositoryFacts) -> Iterator[Problem]:
    """Nothing says which packages the encoder needs.

    The organisers install what `requirements.txt` lists into a fresh environment. A package that only happens to be
    installed on your machine is missing on theirs.

    Fix: list what the encoder imports in `requirements.txt`, such as `torch>=2.2`; `pip freeze` shows your versions.
    """
    if not repository.requirements:
        yield Problem("there is no requirements.txt or pyproject.toml at the root")


@check("AEC123", severity=Severity.NOTE, stage="rules")
def missing_official_checker(repository: RepositoryFacts, listing: ArchiveListing) -> Iterator[Problem]:
    """The archive does not hold the challenge's own checker.

    The template brings it along, and a complete repository still has it. The organisers run their own copy, so that
    nothing depends on it.

    Fix: copy it to the root, where X-ARES has the same file: `pip install --no-deps --target /tmp/xares xares==0.1.3 &&
        cp /tmp/xares/xares/audio_encoder_checker.py .`
    """
    if repository.checker is CheckerState.MISSING and listing.entries:
        yield Problem(f"there is no {OFFICIAL_CHECKER} at the root")


@check("AEC124", stage="rules")
def altered_official_checker(repository: RepositoryFacts) -> Iterator[Problem]:
    """The challenge's own checker was changed.

    The organisers run their own copy, so what an altered one accepts says nothing, and readers of the submission will
    ask why it was altered.

    Fix: copy `audio_encoder_checker.py` anew from the challenge's template.
    """
    found = f"its SHA-256 begins with {repository.checker_sha256[:12]}"
    if repository.checker is CheckerState.ALTERED:
        yield Problem(f"{OFFICIAL_CHECKER} is no version of the official one: {found}", OFFICIAL_CHECKER, COPY)
    elif repository.checker is CheckerState.OLDER:
        missing = "is an early version, which does not ask for hop_size_in_ms"
        yield Problem(f"{OFFICIAL_CHECKER} {missing}: {found}", OFFICIAL_CHECKER, COPY, Severity.WARNING)


@check("AEC125", severity=Severity.WARNING, stage="rules")
def compiled_files(repository: RepositoryFacts) -> Iterator[Problem]:
    """The repository holds machine code.

    Nobody can read it, mail filters stop it, and an extension that was compiled for another Python, processor or CUDA
    does not load on the organisers' machine.

    Fix: leave it out and send the source, or require a package from PyPI that brings it for their machine.
    """
    yield from few(Problem(f"{quoted(one.path)} is {one.what}", printable(one.path)) for one in repository.compiled)


@check("AEC221", severity=Severity.NOTE, stage="rules")
def notebook_outputs(repository: RepositoryFacts) -> Iterator[Problem]:
    """A notebook still holds the outputs of its cells.

    They make the submission large, and what they print often shows paths, names and keys of your machine.

    Fix: run `jupyter nbconvert --clear-output --inplace NOTEBOOK`.
    """
    yield from few(_outputs(one) for one in repository.notebooks)


def _outputs(one: Notebook) -> Problem:
    name, size = printable(one.path, limit=120), size_words(one.output_bytes)
    cells = "1 cell" if one.cells == 1 else f"{one.cells} cells"
    held = f"holds outputs of {cells}, {size}" if one.cells else f"takes {size}, most of it outputs"
    hint = f"jupyter nbconvert --clear-output --inplace {shlex.quote(name)}"
    return Problem(f"'{name}' {held}", printable(one.path), hint)
