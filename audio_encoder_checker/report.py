"""The one model that every format renders."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from audio_encoder_checker.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audio_encoder_checker.judging import Evidence, Judgement, Skipped

SCHEMA_VERSION = "1"


class Verdict(str, Enum):
    """What the report says in one word."""

    READY = "ready"
    NOT_READY = "not-ready"
    UNDECIDED = "undecided"

    @property
    def exit_code(self) -> int:
        """Status of the command: 0, 1 or 3."""
        return {Verdict.READY: 0, Verdict.NOT_READY: 1, Verdict.UNDECIDED: 3}[self]

    @property
    def words(self) -> str:
        """As people read it."""
        return self.value.upper().replace("-", " ")


def grave_severities(*, strict: bool) -> tuple[Severity, ...]:
    """The severities that keep a submission from being ready."""
    return (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)


def verdict_of(severities: Iterable[str], *, strict: bool, undecided: bool) -> Verdict:
    """NOT READY with anything grave, UNDECIDED with any open question, else READY.

    Args:
        severities: of all findings; their words, as JSON has them, will do.
        strict: whether warnings count as errors.
        undecided: whether something could not be judged.
    """
    if any(severity in grave_severities(strict=strict) for severity in severities):
        return Verdict.NOT_READY
    return Verdict.UNDECIDED if undecided else Verdict.READY


@dataclass(frozen=True)
class Report:
    """Everything that is said about one submission.

    Attributes:
        path: of the submission as given.
        profile: name of the rule book.
        judgement: findings and skipped checks.
        evidence: the facts behind them, for the cards and figures of a renderer.
        stages: the stages that were asked for.
        strict: whether warnings count as errors.
        timings: seconds per stage.
        environment: versions and machine.
        interrupted: the user broke the run off, so that this is only what was known by then.
    """

    path: str
    profile: str
    judgement: Judgement
    evidence: Evidence
    stages: tuple[str, ...]
    strict: bool = False
    timings: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Gravest first, each with what follows from it right behind it."""
        return self.judgement.findings

    @property
    def open_questions(self) -> tuple[Skipped, ...]:
        """Checks that were asked for and could not be judged."""
        return tuple(skipped for skipped in self.judgement.skipped if skipped.open)

    @property
    def grave(self) -> tuple[Severity, ...]:
        """The severities that keep a submission from being ready."""
        return grave_severities(strict=self.strict)

    @property
    def verdict(self) -> Verdict:
        """NOT READY with any error, UNDECIDED with any open question, else READY."""
        severities = (finding.severity for finding in self.findings)
        return verdict_of(severities, strict=self.strict, undecided=bool(self.open_questions))

    def count(self, severity: Severity) -> int:
        """How many findings of one severity, what follows from another one left out."""
        return sum(finding.severity is severity and not finding.because_of for finding in self.findings)


def environment() -> dict[str, str]:
    """The date, and versions of what the run depended on."""
    import platform
    from datetime import datetime, timezone
    from importlib.metadata import version

    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "torch": version("torch"),
        "numpy": version("numpy"),
    }
