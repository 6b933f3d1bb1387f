"""The stages in order: the file to read first.

A stage gathers evidence. After each stage its checks are asked; an error among them ends the run there, and
everything later is skipped with that error as its reason: one root cause, no consequences.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.excerpts import with_excerpts
from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.manifest import MOST_PLAIN_BYTES, read_manifest
from audio_encoder_checker.archive.source import repository_root
from audio_encoder_checker.archive.submission import feed, read_submission
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.catalogue import all_checks, matching
from audio_encoder_checker.config import Config, read_config
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.archive import UnpackFacts
from audio_encoder_checker.evidence.manifest import ManifestFacts
from audio_encoder_checker.evidence.receipt import ReceiptFacts
from audio_encoder_checker.evidence.source import SourceFacts
from audio_encoder_checker.evidence.submission import SubmissionKind
from audio_encoder_checker.judging import NOT_ASKED, judge
from audio_encoder_checker.printable import printable
from audio_encoder_checker.progress import Progress
from audio_encoder_checker.report import Report, environment
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.sandbox.sweep import sweep, workspace
from audio_encoder_checker.stages import documents
from audio_encoder_checker.stages.job import Job
from audio_encoder_checker.stages.options import Options
from audio_encoder_checker.stages.order import EVIDENCE, RUNNING, STAGES
from audio_encoder_checker.stages.plan import make_plan
from audio_encoder_checker.stages.reading import packed_opener, read_repository

if TYPE_CHECKING:
    from audio_encoder_checker.catalogue import Check

__all__ = ["Options", "check_submission"]

LOAD = STAGES.index("load")
"""The first stage that runs something of the submission."""


def check_submission(path: Path, options: Options | None = None, progress: Progress | None = None) -> Report:
    """Judge one submission: a ZIP, a folder or one Python file.

    Raises:
        UsageError: the path or an option makes no sense.
        MachineError: this machine cannot do what was asked.
    """
    options = options or Options()
    _matching((*options.select, *options.ignore))  # a word that chooses no check is told before anything runs
    rules = load_rules(options.profile, options.machine)
    plan, submission = make_plan(options.evaluation), read_submission(path, hashed=False)
    if plan.wishes.data:
        rules = replace(rules, limits=rules.limits.for_data())
    sweep()
    with workspace() as folder:
        run = _Run(Job(submission, options, rules, plan, folder, progress or Progress()))
        try:
            run.all_stages()
        except KeyboardInterrupt:
            run.job.interrupt()
        return run.report()  # while the sources are still there


class _Run:
    """One submission on its way through the stages."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.evidence = job.evidence
        self.evidence.put(*([job.options.receipt] if job.options.receipt else []))
        self.options = job.options
        self.path = Path(job.submission.path)
        self.kind = job.submission.kind
        self.root = self.path
        self.config = Config()

    def all_stages(self) -> None:
        """Run the stages up to the last one asked for, as long as no error stands in the way."""
        last = max(STAGES.index(stage) for stage in self.options.stages)
        self._static_stages(last)
        if last >= LOAD and not self.job.blocked("source"):
            self._running_stages(last)
        left_out = {"rules", "download", "budget"}.difference(self.options.stages)  # no later stage needs them
        for stage in (*left_out, *STAGES[last + 1 :]):
            self.evidence.miss(NOT_ASKED, *EVIDENCE[stage])
        self.evidence.miss(NOT_ASKED, ManifestFacts, ReceiptFacts)

    def report(self) -> Report:
        """All checks asked once more, over everything there is."""
        judgement = judge(self.evidence, self._checks(), self._ignored())
        sources = self.evidence.get(SourceFacts)
        if sources:
            judgement = replace(judgement, findings=with_excerpts(judgement.findings, sources.root))
        return Report(
            path=printable(str(self.path), limit=1000),
            profile=self.job.rules.name,
            judgement=judgement,
            evidence=self.evidence,
            stages=self.options.stages,
            strict=self.options.strict,
            timings=self.job.timings,
            environment=environment(),
            interrupted=self.job.interrupted,
        )

    def _static_stages(self, last: int) -> None:
        if self.kind is SubmissionKind.ARCHIVE:
            with self.job.stage("archive"):
                self._read_archive(run=last >= LOAD)
        else:
            self.evidence.miss(NOT_ASKED, *EVIDENCE["archive"])
            self.root = self.path.resolve() if self.kind is SubmissionKind.FOLDER else self.path.resolve().parent
        if last < STAGES.index("source") or self.job.blocked("archive"):
            return
        with self.job.stage("source"):
            self._read_sources()
        if "rules" in self.options.stages and not self.job.blocked("source"):
            with self.job.stage("rules"):
                documents.gather(self.evidence, self.path, self.options.paper or self._declared_paper())
                self._read_manifest()

    def _read_archive(self, *, run: bool) -> None:
        """List, unpack and hash it; what will not be run may stay packed, and is not hashed if it is large."""
        listing = read_listing(self.path)
        self.evidence.put(listing)
        digest = hashlib.sha256() if run or listing.size_bytes <= MOST_PLAIN_BYTES else None
        if not self.job.first_error("archive"):
            self.root = self.job.workspace / secrets.token_hex(8)  # a name that only the box is told
            self.evidence.put(unpack(self.path, listing, self.root, digest=digest, leave_packed=not run))
            self.root.chmod(0o755)  # the box's own user reads it
        elif digest:
            feed(digest, self.path)
        self.job.submission = replace(self.job.submission, sha256=digest.hexdigest() if digest else "")
        self.evidence.put(self.job.submission)

    def _read_sources(self) -> None:
        encoder = self.options.encoder
        if self.kind is SubmissionKind.FILE:
            encoder = encoder or self.path.name
        elif not self.options.isolated:
            self.config = read_config(repository_root(self.root))
            _matching(tuple(self.config.ignore))
            encoder = encoder or self.config.encoder
        unpacked = self.evidence.get(UnpackFacts)
        self.evidence.put(*read_repository(self.root, self.job.submission, encoder, unpacked))

    def _declared_paper(self) -> Path | None:
        """The paper that the settings name; of an archive only one that is inside it.

        Raises:
            UsageError: the settings of a folder name one that is not there.
        """
        sources = self.evidence.get(SourceFacts)
        if not sources or not self.config.paper:
            return None
        named, inside = sources.root / self.config.paper, self.kind is SubmissionKind.ARCHIVE
        there = os.path.isfile(named)  # noqa: PTH113 - `Path.is_file` raises for a name that no file system holds
        if not there and not inside:
            message = f"the settings name the paper {printable(self.config.paper)!r}, which is not there"
            raise UsageError(
                message, f"put it at {printable(os.path.normpath(named))}, or mend `paper = ...` in aecc.toml"
            )
        if not there or (inside and not named.resolve().is_relative_to(sources.root.resolve())):
            return None
        return named.resolve()

    def _read_manifest(self) -> None:
        """The manifest that came with an archive, where the archive was hashed; none is fine."""
        sources = self.evidence.get(SourceFacts)
        if sources and self.kind is SubmissionKind.ARCHIVE and self.job.submission.sha256:
            opened = packed_opener(self.root, self.job.submission, self.evidence.get(UnpackFacts))
            facts = read_manifest(sources.root, opened)
            self.evidence.put(*([facts] if facts.present else []))

    def _running_stages(self, last: int) -> None:
        sources = self.evidence.get(SourceFacts)
        if sources is None or sources.chosen is None:
            self.evidence.miss("no encoder was found", *RUNNING)
            return
        from audio_encoder_checker.stages.running import Running

        Running(self.job, sources.root, sources.chosen, self.config.hosts).run(last)

    def _checks(self) -> list[Check]:
        chosen = _matching(self.options.select) if self.options.select else all_checks()
        shown = self.job.shown
        stages = shown | ({"conduct"} if shown & {"load", "contract", "download", "budget", "evaluate"} else set())
        return [c for c in chosen if c.stage in stages]

    def _ignored(self) -> dict[str, str]:
        reasons = {**self.config.ignore, **self.options.ignore}
        return {c.id: reason for word, reason in reasons.items() for c in _matching((word,))}


def _matching(words: tuple[str, ...]) -> tuple[Check, ...]:
    chosen, unknown = matching(words)
    if unknown:
        raise UsageError(f"no check is called {unknown[0]!r}", "`aecc-check --list-checks` shows all")
    return chosen
