"""A ZIP opened to be looked at: its files by name, nothing of it run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.manifest import describe_files
from audio_encoder_checker.archive.submission import read_submission
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.submission import SubmissionKind
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.printable import printable
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.sandbox.sweep import workspace
from audio_encoder_checker.stages.reading import packed_opener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from audio_encoder_checker.catalogue import Check
    from audio_encoder_checker.evidence.manifest import PackedFile
    from audio_encoder_checker.evidence.submission import Submission
    from audio_encoder_checker.findings import Finding
    from audio_encoder_checker.rules import Rules


@dataclass(frozen=True)
class Contents:
    """What is in a ZIP.

    Attributes:
        root: of the repository, as long as the ZIP is open.
        opened: opens a file of it; its bytes may lie in the ZIP still.
    """

    root: Path
    opened: Callable[[Path], BinaryIO]

    def described(self) -> dict[str, PackedFile]:
        """Every file by its name relative to the root, with size and SHA-256."""
        return describe_files(self.root, self.opened)


def read_archive(path: Path) -> Submission:
    """A ZIP as it was given; it is hashed by whoever reads it.

    Raises:
        UsageError: there is none, or it is something else.
    """
    submission = read_submission(path, hashed=False)
    if submission.kind is not SubmissionKind.ARCHIVE:
        message = f"{printable(submission.path)!r} is a {submission.kind.value}, expected a ZIP"
        raise UsageError(message, "name the ZIP archive")
    return submission


def worst_error(rules: Rules, *facts: object, asked: Callable[[Check], bool] = lambda _: True) -> Finding | None:
    """The gravest error that the checks of archives find, None for none.

    Args:
        rules: the rule book.
        facts: what is known of the archive.
        asked: which of these checks are asked.
    """
    evidence = Evidence()
    evidence.put(rules, *facts)
    findings = judge(evidence, [one for one in all_checks() if one.stage == "archive" and asked(one)]).findings
    return next((finding for finding in findings if finding.severity is Severity.ERROR), None)


@contextmanager
def opened_archive(path: Path, *, leave_packed: bool) -> Iterator[Contents]:
    """Open a ZIP, which may come from anybody.

    Args:
        path: the ZIP.
        leave_packed: large files stay in the ZIP; in place of each lies an empty one of its size.

    Raises:
        UsageError: there is no such ZIP, or the checks of archives find an error in it.
        MachineError: there is no room to unpack it.
    """
    submission, listing, rules = read_archive(path), read_listing(path), load_rules()
    shown = printable(submission.path, limit=300)
    _refuse_broken(shown, rules, listing)
    with workspace() as private:
        folder = private.resolve() / "submission"
        unpacked = unpack(path, listing, folder, leave_packed=leave_packed)
        _refuse_broken(shown, rules, listing, unpacked)
        yield Contents(folder / listing.top_folder, packed_opener(folder, submission, unpacked))


def _refuse_broken(shown: str, rules: Rules, *facts: object) -> None:
    worst = worst_error(rules, *facts)
    if worst:
        message = f"{shown!r} cannot be opened: {worst.id} {worst.name}: {worst.message}"
        raise UsageError(message, f"`aecc-check {shown}` tells all that is wrong with it")
