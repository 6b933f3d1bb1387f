"""A ZIP opened to be looked at: its files by name, nothing of it run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.manifest import THREADS, describe_file
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

    from audio_encoder_checker.evidence.manifest import PackedFile


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
        paths = sorted(path for path in self.root.rglob("*") if path.is_file())
        names = [path.relative_to(self.root).as_posix() for path in paths]
        with ThreadPoolExecutor(THREADS) as threads:
            found = threads.map(lambda path, name: describe_file(path, name, self.opened), paths, names)
            return dict(zip(names, found, strict=True))


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
    submission = read_submission(path, hashed=False)
    shown = printable(submission.path, limit=300)
    if submission.kind is not SubmissionKind.ARCHIVE:
        raise UsageError(f"{shown!r} is a {submission.kind.value}, expected a ZIP", "name the ZIP archive")
    listing = read_listing(path)
    _refuse_broken(shown, listing)
    with workspace() as private:
        folder = private.resolve() / "submission"
        unpacked = unpack(path, listing, folder, leave_packed=leave_packed)
        _refuse_broken(shown, listing, unpacked)
        yield Contents(folder / listing.top_folder, packed_opener(folder, submission, unpacked))


def _refuse_broken(shown: str, *facts: object) -> None:
    evidence = Evidence()
    evidence.put(load_rules(), *facts)
    findings = judge(evidence, [check for check in all_checks() if check.stage == "archive"]).findings
    worst = next((finding for finding in findings if finding.severity is Severity.ERROR), None)
    if worst:
        message = f"{shown!r} cannot be opened: {worst.id} {worst.name}: {worst.message}"
        raise UsageError(message, f"`aecc-check {shown}` tells all that is wrong with it")
