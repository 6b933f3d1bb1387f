"""The stages that run the encoder: in a box, in one child as far as it lives, and in others beside it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from audio_encoder_checker.devices import choose_device
from audio_encoder_checker.errors import MachineError, NoGpuError
from audio_encoder_checker.evaluation.tasks import challenge_tasks
from audio_encoder_checker.evidence.contract import EncodeTraces
from audio_encoder_checker.evidence.evaluation import EncodingFacts
from audio_encoder_checker.evidence.installing import InstallFacts
from audio_encoder_checker.evidence.network import DownloadedData, NetworkFacts, Restarts
from audio_encoder_checker.evidence.requirements import RequirementFacts
from audio_encoder_checker.evidence.run import Conduct, Outcome, with_attempts
from audio_encoder_checker.evidence.source import SourceFacts
from audio_encoder_checker.judging import NOT_ASKED
from audio_encoder_checker.sandbox.ask import Session
from audio_encoder_checker.sandbox.box import limits_of
from audio_encoder_checker.sandbox.choose import choose_box
from audio_encoder_checker.sandbox.sweep import subfolder
from audio_encoder_checker.stages import budget, contract, second
from audio_encoder_checker.stages.environment import environment_for, not_installed
from audio_encoder_checker.stages.evaluate import Evaluation
from audio_encoder_checker.stages.load import Target, greeted, load_encoder
from audio_encoder_checker.stages.measure import with_measured
from audio_encoder_checker.stages.network import downloaded_data, outside_of
from audio_encoder_checker.stages.order import AFTER_LOADING, EVIDENCE, RUNNING, SECOND, STAGES
from audio_encoder_checker.stages.restarts import Trials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audio_encoder_checker.evidence.load import EncoderFacts
    from audio_encoder_checker.evidence.run import Isolation
    from audio_encoder_checker.evidence.source import ChosenEncoder
    from audio_encoder_checker.sandbox.box import Box, Interpreter
    from audio_encoder_checker.sandbox.outside import Outside
    from audio_encoder_checker.stages.job import Job


class Running:
    """A check whose sources were read and hold no error."""

    def __init__(self, job: Job, root: Path, chosen: ChosenEncoder, hosts: tuple[str, ...] = ()) -> None:
        self.job = job
        self.root = root
        self.target = Target(chosen.path, chosen.module, chosen.class_name)
        self.loaded = budget.Loaded(0, 0)
        self.second_conducts: list[Conduct] = []
        self.beside = ExitStack()
        self.card: Session | None = None  # plays the GPU
        self.outside = (
            outside_of(job.rules, hosts, job.workspace, job.options.hub_cache) if job.options.network else None
        )

    def run(self, last: int) -> None:
        """Run the stages up to one, by its place in `STAGES`."""
        device = choose_device(self.job.options.device)
        self.job.progress.stage("box")
        try:
            box, known = choose_box(
                self.job.options.box, trust=self.job.options.trust, repository=self.root, gpu=device != "cpu"
            )
        except MachineError as error:
            self._give_up(error)
            return
        try:
            with environment_for(self.job) as interpreter:
                self._run_in(box, known, device, interpreter, last)
        except NoGpuError as error:
            if self.job.options.device != "auto":
                self._give_up(error)
                return
            self.job.options = replace(self.job.options, device="cpu")  # it did not ask for one
            self.run(last)
        except MachineError as error:
            self._give_up(error)

    def _run_in(self, box: Box, known: Isolation, device: str, interpreter: Interpreter, last: int) -> None:
        """Start the encoder; what was seen of it is kept however it ends.

        Raises:
            NoGpuError: torch cannot use the GPU in this box.
        """
        session = Session(
            box, self.root, subfolder(self.job.workspace), limits_of(self.job.rules), device,
            outside=self.outside if box.observes else None, interpreter=interpreter,
        )  # fmt: skip
        try:
            with session, self.beside:
                self._converse(session, last)
        except NoGpuError:
            raise
        except MachineError as error:
            self._give_up(error)
        except KeyboardInterrupt:
            self.job.interrupt()
        finally:
            now = box.isolation()
            known = replace(known, mechanisms=now.mechanisms, unprotected=now.unprotected, network=session.network)
            self.job.evidence.put(known)
            self._put_ledger(session)
            if session.started:
                self.job.evidence.put(with_attempts(session.conduct(), self.second_conducts), session.usage())

    def _put_ledger(self, session: Session) -> None:
        if session.network != "observed" or session.outside is None:
            self.job.evidence.put(NetworkFacts(observed=False), DownloadedData(), Restarts())
            return
        facts = session.outside.ledger.facts()
        self.job.evidence.put(facts, downloaded_data(facts))

    def _give_up(self, error: MachineError) -> None:
        """This machine is at fault: what depends on it stays open."""
        self._leave_open(error, *RUNNING)

    def _leave_open(self, error: MachineError, *kinds: type) -> None:
        self.job.evidence.miss(f"{error}; {error.hint}" if error.hint else str(error), *kinds)

    def _converse(self, session: Session, last: int) -> None:
        """Load, contract and evaluation in one child."""
        with self.job.stage("load"):
            loaded, encoder = load_encoder(session, self.target, self._load_s)
            lists = self.job.evidence.get(InstallFacts), self.job.evidence.get(RequirementFacts)
            absent = not_installed(*lists, loaded.outcome.raised)
            loaded = replace(loaded, excused=loaded.excused or absent)
            self.job.evidence.put(loaded, *([encoder] if encoder else []))
            self.loaded = budget.Loaded(session.usage().peak_memory_bytes, session.resident_bytes())
        self._on_gpu(session, loaded.outcome)
        if loaded.excused:
            self.job.evidence.miss(f"{loaded.excused} ({loaded.outcome})", *RUNNING)
        if self.job.blocked("load") or session.ended or encoder is None:
            self._miss_after(session)
            return
        if last >= STAGES.index("contract"):
            session.begin_stage("contract", self.job.rules.limits.contract_s)
            with self.job.stage("contract"):
                self._interview(session, encoder)
                if not session.ended:
                    self._start_again(session, encoder)
        blocked = self.job.blocked("contract")
        if "download" in self.job.options.stages and not blocked and not session.ended and session.outside:
            self._restart(session, session.outside, encoder)
        if "budget" in self.job.options.stages and not blocked:  # even if that ended the child: it may say why
            with self.job.stage("budget"):
                self._forecast(session, encoder)
        if last >= STAGES.index("evaluate") and not blocked and not session.ended:
            session.begin_stage("evaluate", self.job.rules.limits.evaluate_s)
            with self.job.stage("evaluate"):
                self._evaluate(session, encoder)
            self.job.blocked("evaluate")
        self._miss_after(session)

    def _interview(self, session: Session, encoder: EncoderFacts) -> None:
        interview = contract.Interview(
            session, self.job.rules.contract, encoder, self.job.options.seed, self._call_s, self.job.progress.detail
        )
        self.job.evidence.put(*interview.run())
        self._on_gpu(session, interview.traces[0].outcome)

    def _on_gpu(self, session: Session, outcome: Outcome) -> None:
        """What came of a real GPU, where there is one: no other has to be played."""
        if session.device != "cpu":
            self.job.evidence.put(second.on_real_device(session.device, outcome))

    def _start_again(self, session: Session, encoder: EncoderFacts) -> None:
        """A second process beside the first; where this machine has no room for it, its checks stay open."""
        if not self.job.rules.contract.second_process:
            self.job.evidence.miss(NOT_ASKED, *SECOND)
            return
        traces = self.job.evidence.get(EncodeTraces)
        if traces is None or traces.reference.frames is None:
            return
        again = second.SecondRun(
            session, self.job.workspace, self.target, self.job.rules,
            rate_hz=contract.usable_rate(encoder),
            seed=self.job.options.seed,
            load_s=self._load_s,
            call_s=self._call_s,
            on_call=self.job.progress.detail,
            kept=self.beside if "budget" in self.job.options.stages else None,
        )  # fmt: skip
        try:
            self.job.evidence.put(*again.run(self.loaded.peak_bytes))
        except MachineError as error:
            self._leave_open(error, *SECOND)
        self.job.evidence.miss("the first process does not survive the same call", *SECOND)
        self.second_conducts, self.card = again.conducts, again.card

    def _restart(self, session: Session, outside: Outside, encoder: EncoderFacts) -> None:
        """Further starts, if the first one got anything from the network."""
        if not outside.ledger.facts().passed:
            self.job.evidence.put(Restarts())
            return
        self._end_card()  # there will be processes enough
        trials = Trials(
            session, outside, self.job.workspace, self.target, self.job.rules,
            rate_hz=contract.usable_rate(encoder),
            seed=self.job.options.seed,
            load_s=encoder.load_seconds,
            call_s=self._call_s,
            on_call=self.job.progress.detail,
        )  # fmt: skip
        try:
            with self.job.stage("download"):
                self.job.evidence.put(trials.run())
        except MachineError as error:
            self._leave_open(error, Restarts)
        self.second_conducts += trials.conducts

    def _forecast(self, session: Session, encoder: EncoderFacts) -> None:
        """In the process that played the GPU or one like it; where there is no room for it, its checks stay open."""
        try:
            with self._on_card(session) as card:
                card.begin_stage("budget", self.job.rules.limits.budget_s)
                trial = budget.Trial(
                    card, self.target, self.job.rules, self.loaded,
                    rate_hz=contract.usable_rate(encoder),
                    seed=self.job.options.seed,
                    load_s=self._load_s,
                    call_s=self._call_s,
                    on_call=self.job.progress.detail,
                    outside=budget.outside_torch(self.job.evidence.get(SourceFacts)),
                )  # fmt: skip
                gpu, others = trial.run(challenge_tasks())
            self.job.evidence.put(with_measured(gpu, session, trial), *others)
        except MachineError as error:
            self._leave_open(error, *EVIDENCE["budget"])
        self.job.evidence.miss("the pretended GPU could not follow it", *EVIDENCE["budget"])

    @contextmanager
    def _on_card(self, session: Session) -> Iterator[Session]:
        """A process that plays the GPU, and ends after this.

        Raises:
            MachineError: it does not start.
        """
        if self.card is None:
            with session.beside(subfolder(self.job.workspace)) as fresh:
                greeted(fresh)
                yield fresh
            self.second_conducts.append(fresh.conduct())
            return
        try:
            yield self.card
        finally:
            self._end_card()

    def _end_card(self) -> None:
        self.card = None
        self.beside.close()

    def _evaluate(self, session: Session, encoder: EncoderFacts) -> None:
        evaluation = Evaluation(
            session, encoder, self.job.rules.evaluation, self.job.plan,
            content=(self.job.submission.sha256, encoder.file, encoder.class_name, *self._downloaded()),
            seed=self.job.options.seed,
            call_s=self._call_s,
            on_progress=self.job.progress.detail,
        )  # fmt: skip
        self.job.evidence.put(*evaluation.run())
        encoded = self.job.evidence.get(EncodingFacts)
        why = next((f": {run.skipped}" for run in encoded.tasks if run.skipped), "") if encoded else ""
        self.job.evidence.miss(f"no task has a score{why}", *EVIDENCE["evaluate"])

    def _downloaded(self) -> list[str]:
        """What was downloaded, by its hash where that is seen: embeddings depend on it."""
        passed = self.outside.ledger.facts().passed if self.outside else ()
        return sorted({f"{one.host} {one.path} {one.sha256 or one.etag}" for one in passed if one.received_bytes})

    def _miss_after(self, session: Session) -> None:
        """Say why the rest of the evidence will not come, if the child or the encoder is the reason."""
        if session.ended:
            self.job.evidence.miss(f"the encoder did not survive the {session.stage} stage", *AFTER_LOADING)

    @property
    def _load_s(self) -> float:
        """Seconds for loading the encoder."""
        return self.job.options.timeout_s or self.job.rules.limits.load_s

    @property
    def _call_s(self) -> float:
        """Seconds for each call of it."""
        return self.job.options.timeout_s or self.job.rules.limits.call_s
