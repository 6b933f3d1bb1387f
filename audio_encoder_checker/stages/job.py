"""One check on its way through the stages: what is known, what was asked for, and how long each stage took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.evidence.archive import UnpackFacts
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.stages.order import EVIDENCE, RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audio_encoder_checker.evidence.submission import Submission
    from audio_encoder_checker.progress import Progress
    from audio_encoder_checker.rules import Rules
    from audio_encoder_checker.stages.options import Options
    from audio_encoder_checker.stages.plan import Plan

INTERRUPTED = "the run was interrupted"
"""Why evidence is missing after Ctrl-C."""


@dataclass
class Job:
    """One check.

    Attributes:
        submission: what was given.
        options: what was asked for.
        rules: after which it is judged.
        plan: what is evaluated.
        workspace: a folder of its own.
        progress: told what happens.
        evidence: what is known so far.
        timings: seconds of each stage.
        shown: the stages whose checks are asked in the end.
        interrupted: by the user.
    """

    submission: Submission
    options: Options
    rules: Rules
    plan: Plan
    workspace: Path
    progress: Progress
    evidence: Evidence = field(default_factory=Evidence)
    timings: dict[str, float] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.evidence.put(self.rules, self.submission)
        self.shown.update(self.options.stages)

    def interrupt(self) -> None:
        """The user broke the run off: what is not known by now stays open."""
        self.interrupted = True
        self.evidence.miss(INTERRUPTED, *(kind for kinds in EVIDENCE.values() for kind in kinds))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announce a stage and take its time."""
        self.progress.stage(name)
        start = time.monotonic()
        yield
        self.timings[name] = time.monotonic() - start
        self.progress.done(name, self.timings[name])

    def blocked(self, stage: str) -> bool:
        """Whether an error of this stage stands in the way of all later ones, whatever the user ignores."""
        error = self.first_error(stage)
        if error:
            self.shown.add(stage)  # the root cause is shown, whatever was asked for
            reason = f"waits until {error.id} {error.name} is mended"
            self.evidence.miss(reason, UnpackFacts, *EVIDENCE["source"], *EVIDENCE["rules"], *RUNNING)
        return error is not None

    def first_error(self, stage: str) -> Finding | None:
        """The gravest error that the checks of a stage find."""
        checks = [c for c in all_checks() if c.stage == stage]
        findings = judge(self.evidence, checks).findings
        return next((f for f in findings if f.severity is Severity.ERROR), None)
