"""The stage of sources: all that is read of a repository before anything of it runs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.habits import find_habits
from audio_encoder_checker.archive.landmarks import find_landmarks
from audio_encoder_checker.archive.requirements import find_requirements
from audio_encoder_checker.archive.secrets import find_secrets
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.archive.traps import find_traps
from audio_encoder_checker.archive.weights.reading import read_weights
from audio_encoder_checker.archive.window import Window
from audio_encoder_checker.evidence.habits import HabitFacts
from audio_encoder_checker.evidence.landmarks import Landmarks
from audio_encoder_checker.evidence.requirements import RequirementFacts
from audio_encoder_checker.evidence.secrets import SecretFacts
from audio_encoder_checker.evidence.source import SourceFacts
from audio_encoder_checker.evidence.submission import SubmissionKind
from audio_encoder_checker.evidence.traps import TrapFacts
from audio_encoder_checker.evidence.weights import WeightFacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from audio_encoder_checker.evidence.archive import UnpackFacts
    from audio_encoder_checker.evidence.submission import Submission

KINDS = (SourceFacts, Landmarks, TrapFacts, HabitFacts, SecretFacts, WeightFacts, RequirementFacts)
"""What this stage makes."""


def read_repository(
    root: Path, submission: Submission, encoder: str = "", unpacked: UnpackFacts | None = None
) -> tuple[object, ...]:
    """One of each kind of evidence.

    Args:
        root: the folder that was given or unpacked; that of the Python file if only that was given.
        submission: what was given.
        encoder: `FILE[:CLASS]`, empty to search.
        unpacked: of an archive, what was unpacked into the root, and what was left packed.
    """
    sources = read_sources(root, encoder or None)
    alone = submission.kind is SubmissionKind.FILE
    weights = WeightFacts() if alone else read_weights(sources.root, opened=packed_opener(root, submission, unpacked))
    secrets = find_secrets(Path(submission.path) if alone else sources.root)
    requirements = RequirementFacts() if alone else find_requirements(sources)
    read = (find_landmarks(sources), find_traps(sources), find_habits(sources))
    return sources, *read, secrets, weights, requirements


def packed_opener(root: Path, submission: Submission, unpacked: UnpackFacts | None) -> Callable[[Path], BinaryIO]:
    """What opens a file of the repository, or the part of the archive where it lies.

    Args:
        root: the folder that was given or unpacked.
        submission: what was given.
        unpacked: of an archive, what was unpacked into the root, and what was left packed.
    """
    packed = {root.resolve() / one.name: one for one in unpacked.left_packed} if unpacked else {}

    def opened(path: Path) -> BinaryIO:
        one = packed.get(path)
        if one is None:
            return path.open("rb")
        return io.BufferedReader(Window(Path(submission.path), one.offset, one.size_bytes))

    return opened
