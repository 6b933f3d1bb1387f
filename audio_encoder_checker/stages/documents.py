"""The stage of rules and documents: the paper, the training, what a repository has to hold. Nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.archive.paper import find_paper
from audio_encoder_checker.archive.pretrained import read_training
from audio_encoder_checker.archive.repository import read_repository_files
from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.documents import PaperFacts
from audio_encoder_checker.evidence.repository import RepositoryFacts
from audio_encoder_checker.evidence.source import SourceFacts
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.evidence.training import TrainingFacts
from audio_encoder_checker.judging import NOT_ASKED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from audio_encoder_checker.judging import Evidence

KINDS = (PaperFacts, TrainingFacts, RepositoryFacts)
"""What this stage makes."""


def gather(
    evidence: Evidence, submission: Path, paper: Path | None = None, downloads: Iterable[tuple[str, str]] = ()
) -> None:
    """Put what documents say into the evidence; where there is no paper and none was named, it was not asked for.

    Args:
        evidence: those of the submission and its sources have to be there.
        submission: as the user gave it.
        paper: the PDF that the user named.
        downloads: names of repositories or addresses that were fetched, and where that was seen.

    Raises:
        UsageError: the PDF that was named is no file or cannot be read.
    """
    sources = evidence.get(SourceFacts)
    try:
        found = find_paper(sources.root if sources else None, submission, paper)
    except MachineError as error:
        evidence.miss(f"{error}; {error.hint}", PaperFacts)
    else:
        evidence.put(*([found] if found else []))
    if sources:
        evidence.put(read_training(sources, downloads))
    given = evidence.get(Submission)
    if sources and given and given.kind is not SubmissionKind.FILE:
        evidence.put(read_repository_files(sources.root))
    evidence.miss(NOT_ASKED, PaperFacts, RepositoryFacts)
