"""The stages in order: the file to read first.

A stage gathers evidence. After each stage its checks are asked; an error among them ends the run there, and
everything later is skipped with that error as its reason: one root cause, no consequences.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.excerpts import with_excerpts
from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.source import repository_root
from audio_encoder_checker.archive.submission import feed, read_submission
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.catalogue import all_checks, matching
from audio_encoder_checker.config import Config, read_config
from audio_encoder_checker.devices import choose_device
from audio_encoder_checker.errors import MachineError, NoGpuError, UsageError
from audio_encoder_checker.evaluation.tasks import challenge_tasks
from audio_encoder_checker.evidence.archive import UnpackFacts
from audio_encoder_checker.evidence.contract import EncodeTraces
from audio_encoder_checker.evidence.evaluation import EncodingFacts
from audio_encoder_checker.evidence.manifest import ManifestFacts
from audio_encoder_checker.evidence.run import Conduct, Outcome, with_attempts
from audio_encoder_checker.evidence.source import SourceFacts
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import NOT_ASKED, Evidence, judge
from audio_encoder_checker.printable import printable
from audio_encoder_checker.progress import Progress
from audio_encoder_checker.report import Report, environment
from audio_encoder_checker.rules import Rules, load_rules
from audio_encoder_checker.sandbox.ask import Session
from audio_encoder_checker.sandbox.box import limits_of
from audio_encoder_checker.sandbox.choose import choose_box
from audio_encoder_checker.sandbox.sweep import subfolder, sweep, workspace
from audio_encoder_checker.stages import budget, contract, documents, second
from audio_encoder_checker.stages.evaluate import Evaluation
from audio_encoder_checker.stages.load import Target, load_encoder
from audio_encoder_checker.stages.measure import with_measured
from audio_encoder_checker.stages.options import Options
from audio_encoder_checker.stages.order import AFTER_LOADING, EVIDENCE, RUNNING, STAGES
from audio_encoder_checker.stages.plan import make_plan
from audio_encoder_checker.stages.reading import read_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.catalogue import Check
    from audio_encoder_checker.evidence.load import EncoderFacts
    from audio_encoder_checker.stages.plan import Plan

__all__ = ["Options", "check_submission"]

HASHED_BYTES = 256 << 20
"""Larger archives are hashed only if they are run: to hash takes longer than all else that is done without."""
INTERRUPTED = "the run was interrupted"
"""Why evidence is missing after Ctrl-C."""

NO_NETWORK = (
    "the encoder wants to download and the box has no network; put the weights into the repository, or, if "
    "you trust the code, run with `--box weak --trust`"
)


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
        run = _Run(submission, options, rules, plan, folder, progress or Progress())
        try:
            run.all_stages()
        except KeyboardInterrupt:
            run.interrupt()
        return run.report()  # while the sources are still there


class _Run:
    """One submission on its way through the stages."""

    def __init__(
        self, submission: Submission, options: Options, rules: Rules, plan: Plan, workspace: Path, progress: Progress
    ) -> None:
        self.path = Path(submission.path)
        self.submission = submission
        self.kind = submission.kind
        self.options = options
        self.rules = rules
        self.plan = plan
        self.workspace = workspace
        self.progress = progress
        self.evidence = Evidence()
        self.evidence.put(rules, submission)
        self.config = Config()
        self.root = self.path
        self.timings: dict[str, float] = {}
        self.stages = set(options.stages)
        self.interrupted = False
        self.loaded = budget.Loaded(0, 0)
        self.second_conducts: list[Conduct] = []

    def all_stages(self) -> None:
        """Run the stages up to the last one asked for, as long as no error stands in the way."""
        last = max(STAGES.index(stage) for stage in self.options.stages)
        self._static_stages(last)
        if last >= STAGES.index("load") and not self._blocked("source"):
            self._running_stages(last)
        left_out = {"rules", "budget"}.difference(self.options.stages)  # no later stage needs them
        for stage in (*left_out, *STAGES[last + 1 :]):
            self.evidence.miss(NOT_ASKED, *EVIDENCE[stage])
        self.evidence.miss(NOT_ASKED, ManifestFacts)

    def interrupt(self) -> None:
        """The user broke the run off: what is not known by now stays open."""
        self.interrupted = True
        self.evidence.miss(INTERRUPTED, *(kind for kinds in EVIDENCE.values() for kind in kinds))

    def report(self) -> Report:
        """All checks asked once more, over everything there is."""
        judgement = judge(self.evidence, self._checks(), self._ignored())
        sources = self.evidence.get(SourceFacts)
        if sources:
            judgement = replace(judgement, findings=with_excerpts(judgement.findings, sources.root))
        return Report(
            path=printable(str(self.path), limit=1000),
            profile=self.rules.name,
            judgement=judgement,
            evidence=self.evidence,
            stages=self.options.stages,
            strict=self.options.strict,
            timings=self.timings,
            environment=environment(),
            interrupted=self.interrupted,
        )

    def _static_stages(self, last: int) -> None:
        if self.kind is SubmissionKind.ARCHIVE:
            with self._stage("archive"):
                self._read_archive(run=last >= STAGES.index("load"))
        else:
            self.evidence.miss(NOT_ASKED, *EVIDENCE["archive"])
            self.root = self.path.resolve() if self.kind is SubmissionKind.FOLDER else self.path.resolve().parent
        if last < STAGES.index("source") or self._blocked("archive"):
            return
        with self._stage("source"):
            self._read_sources()
        if "rules" in self.options.stages and not self._blocked("source"):
            with self._stage("rules"):
                documents.gather(self.evidence, self.path, self.options.paper)

    def _read_archive(self, *, run: bool) -> None:
        """List, unpack and hash it; what will not be run may stay packed, and is not hashed if it is large."""
        listing = read_listing(self.path)
        self.evidence.put(listing)
        digest = hashlib.sha256() if run or listing.size_bytes <= HASHED_BYTES else None
        if self._first_error("archive"):
            digest = hashlib.sha256()
            feed(digest, self.path)
        else:
            self.root = self.workspace / secrets.token_hex(8)  # a name that only the box is told
            self.evidence.put(unpack(self.path, listing, self.root, digest=digest, leave_packed=not run))
            self.root.chmod(0o755)  # the box's own user reads it
        self.submission = replace(self.submission, sha256=digest.hexdigest() if digest else "")
        self.evidence.put(self.submission)

    def _read_sources(self) -> None:
        encoder = self.options.encoder
        if self.kind is SubmissionKind.FILE:
            encoder = encoder or self.path.name
        elif not self.options.isolated:
            self.config = read_config(repository_root(self.root))
            _matching(tuple(self.config.ignore))
            encoder = encoder or self.config.encoder
        self.evidence.put(*read_repository(self.root, self.submission, encoder, self.evidence.get(UnpackFacts)))

    def _running_stages(self, last: int) -> None:
        sources = self.evidence.get(SourceFacts)
        if sources is None or sources.chosen is None:
            self.evidence.miss("no encoder was found", *RUNNING)
            return
        target = Target(sources.chosen.path, sources.chosen.module, sources.chosen.class_name)
        device = choose_device(self.options.device)
        self.progress.stage("box")
        try:
            box, known = choose_box(
                self.options.box, trust=self.options.trust, repository=sources.root, gpu=device != "cpu"
            )
        except MachineError as error:
            self._give_up(error)
            return
        session = Session(box, sources.root, subfolder(self.workspace), limits_of(self.rules), device)
        try:
            with session:
                self._converse(session, target, last)
        except NoGpuError as error:
            if self.options.device == "auto":  # it did not ask for one
                self.options = replace(self.options, device="cpu")
                self._running_stages(last)
                return
            self._give_up(error)
        except MachineError as error:
            self._give_up(error)
        except KeyboardInterrupt:
            self.interrupt()
        now = box.isolation()
        self.evidence.put(replace(known, mechanisms=now.mechanisms, unprotected=now.unprotected))
        if session.started:
            self.evidence.put(with_attempts(session.conduct(), self.second_conducts), session.usage())

    def _give_up(self, error: MachineError) -> None:
        """This machine is at fault: what depends on it stays open."""
        self.evidence.miss(f"{error}; {error.hint}" if error.hint else str(error), *RUNNING)

    def _converse(self, session: Session, target: Target, last: int) -> None:
        """Load, contract and evaluation in one child."""
        with self._stage("load"):
            loaded, encoder = load_encoder(session, target, self.rules, self._load_s)
            self.evidence.put(loaded, *([encoder] if encoder else []))
            self.loaded = budget.Loaded(session.usage().peak_memory_bytes, session.resident_bytes())
        self._on_gpu(session, loaded.outcome)
        if loaded.network_needed:
            self.evidence.miss(f"{NO_NETWORK}: {loaded.outcome}", *RUNNING)
        if self._blocked("load") or session.ended or encoder is None:
            self._miss_after(session)
            return
        if last >= STAGES.index("contract"):
            session.begin_stage("contract", self.rules.limits.contract_s)
            with self._stage("contract"):
                self._interview(session, encoder)
                if not session.ended:
                    self._start_again(session, target, encoder)
        blocked = self._blocked("contract")
        if "budget" in self.options.stages and not blocked:  # even if that ended the child: it may say why
            with self._stage("budget"):
                self._forecast(session, target, encoder)
        if last >= STAGES.index("evaluate") and not blocked and not session.ended:
            session.begin_stage("evaluate", self.rules.limits.evaluate_s)
            with self._stage("evaluate"):
                self._evaluate(session, encoder)
            self._blocked("evaluate")
        self._miss_after(session)

    def _interview(self, session: Session, encoder: EncoderFacts) -> None:
        interview = contract.Interview(
            session, self.rules.contract, encoder, self.options.seed, self._call_s, self.progress.detail
        )
        self.evidence.put(*interview.run())
        self._on_gpu(session, interview.traces[0].outcome)

    def _on_gpu(self, session: Session, outcome: Outcome) -> None:
        """What came of a real GPU, where there is one: no other has to be played."""
        if session.device != "cpu":
            self.evidence.put(second.on_real_device(session.device, outcome))

    def _start_again(self, session: Session, target: Target, encoder: EncoderFacts) -> None:
        """A second process beside the first; where this machine has no room for it, its checks stay open."""
        traces = self.evidence.get(EncodeTraces)
        if not self.rules.contract.second_process:
            self.evidence.miss(NOT_ASKED, *second.KINDS)
        if traces is None or traces.reference.frames is None or not self.rules.contract.second_process:
            return
        again = second.SecondRun(
            session, self.workspace, target, self.rules,
            rate_hz=contract.usable_rate(encoder),
            seed=self.options.seed,
            load_s=self._load_s,
            call_s=self._call_s,
            on_call=self.progress.detail,
        )  # fmt: skip
        try:
            self.evidence.put(*again.run(self.loaded.peak_bytes))
        except MachineError as error:
            self.evidence.miss(f"{error}; {error.hint}", *second.KINDS)
        self.evidence.miss("the first process does not survive the same call", *second.KINDS)
        self.second_conducts = again.conducts

    def _forecast(self, session: Session, target: Target, encoder: EncoderFacts) -> None:
        """A process of its own; where there is no room for it, its checks stay open."""
        try:
            with session.beside(subfolder(self.workspace)) as other:
                other.begin_stage("budget", self.rules.limits.budget_s)
                trial = budget.Trial(
                    other, target, self.rules, self.loaded,
                    rate_hz=contract.usable_rate(encoder),
                    seed=self.options.seed,
                    load_s=self._load_s,
                    call_s=self._call_s,
                    on_call=self.progress.detail,
                    outside=budget.outside_torch(self.evidence.get(SourceFacts)),
                )  # fmt: skip
                gpu, others = trial.run(challenge_tasks())
            self.second_conducts.append(other.conduct())
            self.evidence.put(with_measured(gpu, session, trial), *others)
        except MachineError as error:
            self.evidence.miss(f"{error}; {error.hint}", *EVIDENCE["budget"])
        self.evidence.miss("the pretended GPU could not follow it", *EVIDENCE["budget"])

    def _evaluate(self, session: Session, encoder: EncoderFacts) -> None:
        evaluation = Evaluation(
            session, encoder, self.rules, self.plan,
            content=(self.submission.sha256, encoder.file, encoder.class_name),
            seed=self.options.seed,
            call_s=self._call_s,
            on_progress=self.progress.detail,
        )  # fmt: skip
        self.evidence.put(*evaluation.run())
        encoded = self.evidence.get(EncodingFacts)
        why = next((f": {run.skipped}" for run in encoded.tasks if run.skipped), "") if encoded else ""
        self.evidence.miss(f"no task has a score{why}", *EVIDENCE["evaluate"])

    def _miss_after(self, session: Session) -> None:
        """Say why the rest of the evidence will not come, if the child or the encoder is the reason."""
        if session.ended:
            self.evidence.miss(f"the encoder did not survive the {session.stage} stage", *AFTER_LOADING)

    @property
    def _load_s(self) -> float:
        """Seconds for loading the encoder."""
        return self.options.timeout_s or self.rules.limits.load_s

    @property
    def _call_s(self) -> float:
        """Seconds for each call of it."""
        return self.options.timeout_s or self.rules.limits.call_s

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Announce a stage and take its time."""
        self.progress.stage(name)
        start = time.monotonic()
        yield
        self.timings[name] = time.monotonic() - start
        self.progress.done(name, self.timings[name])

    def _blocked(self, stage: str) -> bool:
        """Whether an error of this stage stands in the way of all later ones, whatever the user ignores."""
        error = self._first_error(stage)
        if error:
            self.stages.add(stage)  # the root cause is shown, whatever was asked for
            reason = f"waits until {error.id} {error.name} is mended"
            self.evidence.miss(reason, UnpackFacts, *EVIDENCE["source"], *EVIDENCE["rules"], *RUNNING)
        return error is not None

    def _first_error(self, stage: str) -> Finding | None:
        checks = [c for c in all_checks() if c.stage == stage]
        findings = judge(self.evidence, checks).findings
        return next((f for f in findings if f.severity is Severity.ERROR), None)

    def _checks(self) -> list[Check]:
        chosen = _matching(self.options.select) if self.options.select else all_checks()
        stages = self.stages | ({"conduct"} if self.stages & {"load", "contract", "budget", "evaluate"} else set())
        return [c for c in chosen if c.stage in stages]

    def _ignored(self) -> dict[str, str]:
        reasons = {**self.config.ignore, **self.options.ignore}
        return {c.id: reason for word, reason in reasons.items() for c in _matching((word,))}


def _matching(words: tuple[str, ...]) -> tuple[Check, ...]:
    chosen, unknown = matching(words)
    if unknown:
        raise UsageError(f"no check is called {unknown[0]!r}", "`aecc-check --list-checks` shows all")
    return chosen
