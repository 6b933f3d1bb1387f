"""What all formats need to know of findings: which belong together, and where in the repository each stands."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audio_encoder_checker.findings import Finding
    from audio_encoder_checker.report import Report

One = TypeVar("One")
PLACE = re.compile(r"(.+?):(\d{1,9})")
NUMBER = re.compile(r"\d+")


class Place(NamedTuple):
    """A file and a line of it, from 1; 0 where no line is known."""

    path: str
    line: int = 0


def families_of(
    findings: Iterable[One], cause: Callable[[One], str | None] = attrgetter("because_of")
) -> list[tuple[One, list[One]]]:
    """Every finding in its own right, with what follows from it right behind it.

    Args:
        findings: of a report, or of its JSON data.
        cause: tells what a finding follows from, nothing for one in its own right.
    """
    families: list[tuple[One, list[One]]] = []
    for finding in findings:
        if cause(finding) and families:
            families[-1][1].append(finding)
        else:
            families.append((finding, []))
    return families


def counts_in_words(report: Report) -> list[str]:
    """`1 error`, `2 warnings`, `0 notes`; what follows from another finding is not counted."""
    counts = {severity: report.count(severity) for severity in Severity}
    return [f"{count} {severity.value}{'' if count == 1 else 's'}" for severity, count in counts.items()]


def open_by_reason(report: Report) -> dict[str, list[str]]:
    """Ids of the checks that could not be judged, by the reason."""
    reasons: dict[str, list[str]] = {}
    for skipped in report.open_questions:
        reasons.setdefault(skipped.reason, []).append(skipped.id)
    return reasons


def ids_in_words(ids: list[str]) -> str:
    """A few ids, or the first and how many more."""
    return ", ".join(ids) if len(ids) <= 3 else f"{ids[0]} and {len(ids) - 1} more"


def place_of(finding: Finding, report: Report) -> Place:
    """Where a finding stands, relative to the folder that the command ran in, as CI systems want it.

    What names no place stands at the encoder's file, and where that is not known at the submission.
    """
    named = PLACE.fullmatch(finding.at)
    path, line = (named[1], int(named[2])) if named else (finding.at, 0)
    if not path:
        encoder = report.evidence.get(EncoderFacts)
        path = encoder.file if encoder else ""
    submission = report.evidence.get(Submission)
    kind = submission.kind if submission else SubmissionKind.ARCHIVE
    if kind is SubmissionKind.ARCHIVE:
        return Place(path or report.path, line)
    root = PurePosixPath(report.path.replace("\\", "/"))
    root = root.parent if kind is SubmissionKind.FILE else root
    return Place(str(root / path) if path else report.path, line)


def fingerprints(report: Report) -> list[str]:
    """One for each finding, the same as long as the defect is: lines and figures may change."""
    seen: Counter[str] = Counter()
    found = []
    for finding in report.findings:
        path = PLACE.sub(r"\1", finding.at)
        basis = "\0".join((finding.id, path, NUMBER.sub("#", finding.message)))
        seen[basis] += 1
        found.append(hashlib.sha256(f"{basis}\0{seen[basis]}".encode("utf-8", "replace")).hexdigest())
    return found
