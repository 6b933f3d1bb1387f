"""Encode the clips of every task in the box, and have the embeddings scored outside it.

Each task stands alone: what goes wrong with one is noted, and the next one runs. While the encoder works on a task, the
scorer works on the one before.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker import __version__
from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evaluation.assemble import assemble
from audio_encoder_checker.evaluation.averages import weighted_average
from audio_encoder_checker.evaluation.cache import content_key, environment_facts, kept_folder, prune
from audio_encoder_checker.evaluation.decoder import NoDecoderError, find_decoder
from audio_encoder_checker.evaluation.encode import Manner, embed
from audio_encoder_checker.evaluation.labels import LabelError
from audio_encoder_checker.evaluation.references import baselines, quick_references
from audio_encoder_checker.evaluation.score import Scorer
from audio_encoder_checker.evaluation.sources import MissingDataError, generated, on_disk
from audio_encoder_checker.evaluation.store import PartStore
from audio_encoder_checker.evaluation.unscorable import UnscorableError
from audio_encoder_checker.evidence.evaluation import DataProblem, EncodingFacts, TaskRun
from audio_encoder_checker.evidence.scores import TrackScores, goodness
from audio_encoder_checker.stages.batchwise import BatchError, Batchwise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from audio_encoder_checker.evaluation.score import ScoredTask
    from audio_encoder_checker.evaluation.sources import TaskData
    from audio_encoder_checker.evaluation.tasks import Task
    from audio_encoder_checker.evidence.load import EncoderFacts
    from audio_encoder_checker.evidence.scores import TaskScore
    from audio_encoder_checker.rules import EvaluationRules
    from audio_encoder_checker.sandbox.ask import Session
    from audio_encoder_checker.stages.plan import Plan

SCORER_SECONDS = 86_400.0
NO_CLIP = "it has no clip that can be read"


@dataclass
class Evaluation:
    """Runs the tasks of a plan.

    Args:
        session: with an encoder loaded.
        encoder: its declared rate, dimension and hop.
        rules: constants of both tracks.
        plan: what to do.
        content: what the submission is, for the keys of what is kept.
        seed: of initial weights, shuffling and bootstrap.
        call_s: seconds for one call.
        on_progress: told what is being done.
    """

    session: Session
    encoder: EncoderFacts
    rules: EvaluationRules
    plan: Plan
    content: Sequence[str]
    seed: int
    call_s: float
    on_progress: Callable[[str], None]

    def __post_init__(self) -> None:
        """No task has been encoded yet."""
        self.wishes = self.plan.wishes
        self.runs: dict[str, TaskRun] = {}
        self.scoring: dict[str, Future[ScoredTask]] = {}
        self.scores: dict[str, ScoredTask] = {}

    def run(self) -> tuple[object, ...]:
        """Every task, one after the other.

        Returns:
            `EncodingFacts`, and `TrackScores` and `References` if a task has a score.

        Raises:
            MachineError: the scorer does not start.
        """
        with ExitStack() as folders, Scorer(self.session.workspace) as scorer:
            for task in self.plan.tasks:
                self.runs[task.id] = self._encode(task, scorer, folders)
            self._collect()
        if self.wishes.data and self.wishes.keep:
            prune()
        facts = EncodingFacts(tuple(self.runs.values()))
        if not self.scores:
            return (facts,)
        known = baselines(self.plan.tasks, mini=self.wishes.mini) if self.wishes.data else quick_references()
        return facts, self._track_scores(facts), known

    def _encode(self, task: Task, scorer: Scorer, folders: ExitStack) -> TaskRun:
        """Encode one task and hand it to the scorer."""
        if self.session.ended:
            return TaskRun(task.id, skipped="the encoder did not survive a task before it")
        self.on_progress(f"{task.id}: clips")
        try:
            data = self._data(task)
        except NoDecoderError as error:
            return TaskRun(task.id, skipped=str(error))
        except MissingDataError as error:
            data_problems = (DataProblem(task.folder, "", str(error)),) if error.partly else ()
            return TaskRun(task.id, skipped=str(error), data=data_problems)
        asked = Batchwise(self.session, self._number("output_dim"), self._number("sampling_rate"), self.call_s)
        run = TaskRun(task.id)
        try:
            stores = self._fill_stores(task, data, asked, folders)
            run = _counted(run, stores)
            if not run.data:
                run = replace(run, unseen=self._submit(task, data, stores, scorer))
        except BatchError as error:
            run = replace(run, outcome=error.outcome, problem=error.problem, batch=error.batch, at=error.at)
        except LabelError as error:
            run = replace(run, data=(DataProblem(task.id, "", str(error)),))
        except OSError as error:  # most likely a full disk
            run = replace(run, skipped=f"its embeddings cannot be kept: {error}")
        if run.data and not run.skipped:
            run = replace(run, skipped="its data cannot be read")
        return replace(run, seconds=asked.seconds, audio_seconds=asked.audio_seconds)

    def _data(self, task: Task) -> TaskData:
        """The clips of a task.

        Raises:
            MissingDataError: they are not there.
            NoDecoderError: what scores them is not there.
        """
        if self.wishes.data is None:
            return generated(task)
        data = on_disk(task, self.wishes.data, mini=self.wishes.mini, keep=self.wishes.keep)
        if task.kind == "asr":
            find_decoder()
        return data

    def _fill_stores(self, task: Task, data: TaskData, asked: Batchwise, folders: ExitStack) -> dict[str, PartStore]:
        """The embeddings of each part, encoded as far as they are not kept from an earlier run."""
        manner = self._manner(task)
        stores = {}
        for name, source in data.parts.items():
            folder = Path(self.session.workspace, "embeddings", task.id, name)
            digest = data.digests.get(name)
            if digest:
                folder = folders.enter_context(kept_folder(self._key(task, digest), folder))
            with PartStore(folder) as store:
                embed(
                    store,
                    source,
                    asked.encode,
                    manner,
                    Countdown(f"{task.id}: {name}", data.clips[name], self.on_progress),
                )
            stores[name] = store
        return stores

    def _submit(self, task: Task, data: TaskData, stores: dict[str, PartStore], scorer: Scorer) -> tuple[str, ...]:
        """Hand a task to the scorer; the classes of its test data that the training data lacks."""
        assembled = assemble(stores, data.rounds, self._manner(task), self.rules, self.seed)
        self.scoring[task.id] = scorer.submit(assembled.job, SCORER_SECONDS)
        return assembled.unseen

    def _collect(self) -> None:
        """Wait for the scores; what cannot be scored becomes the task's problem."""
        for task_id, future in self.scoring.items():
            self.on_progress(f"{task_id}: scoring")
            try:
                self.scores[task_id] = future.result()
            except UnscorableError as error:
                self.runs[task_id] = replace(self.runs[task_id], problem=error.problem)
            except MachineError as error:
                self.runs[task_id] = replace(self.runs[task_id], skipped=f"{error}; {error.hint}")

    def _track_scores(self, facts: EncodingFacts) -> TrackScores:
        track_a = tuple(one.track_a for one in self.scores.values())
        track_b = tuple(one.track_b for one in self.scores.values() if one.track_b)
        return TrackScores(
            data="xares" if self.wishes.data else "builtin",
            track_a=track_a,
            track_b=track_b,
            average_a=_average(track_a),
            average_b=_average(track_b),
            audio_seconds=facts.audio_seconds,
            projections=tuple(one.projection for one in self.scores.values() if one.projection),
        )

    def _manner(self, task: Task) -> Manner:
        hop_ms = self.encoder.number("hop_size_in_ms") or 0.0
        return Manner(task, self._number("sampling_rate"), hop_ms, self.wishes.corrected)

    def _number(self, attribute: str) -> int:
        return int(self.encoder.number(attribute) or 0)

    def _key(self, task: Task, digest: str) -> str:
        """What the embeddings of a part depend on."""
        declared = [attribute.text for attribute in self.encoder.attributes]
        recipe = [task.id, task.kind, asdict(task.encoding), asdict(task.labels), self.wishes.corrected, declared]
        interpreter = self.session.interpreter
        packages = interpreter.environment if interpreter and interpreter.environment else environment_facts()
        return content_key(__version__, self.content, self.session.device, packages, recipe, digest)


class Countdown:
    """Tells how many clips of a part are done, and about how long the rest will take."""

    def __init__(self, title: str, total: int, on_progress: Callable[[str], None]) -> None:
        self.title = title
        self.total = total
        self.on_progress = on_progress
        self.first: tuple[int, float] | None = None

    def __call__(self, done: int) -> None:
        """So many clips are done."""
        now = time.monotonic()
        before, since = self.first = self.first or (done, now)
        left = f", {(now - since) / (done - before) * (self.total - done):.0f} s left" if done > before else ""
        self.on_progress(f"{self.title}, {done} of {self.total} clips{left}")


def _counted(run: TaskRun, stores: dict[str, PartStore]) -> TaskRun:
    """The run with what reading the parts gave."""
    problems = tuple(DataProblem(*problem) for store in stores.values() for problem in store.state.problems)
    problems += tuple(DataProblem(name, "", NO_CLIP) for name, store in stores.items() if not store.records)
    clips = sum(store.state.progress.clips for store in stores.values())
    resumed = sum(store.resumed for store in stores.values())
    return replace(run, data=problems, clips=clips, resumed=resumed)


def _average(scores: Sequence[TaskScore]) -> float | None:
    if not scores:
        return None
    return weighted_average((goodness(one.official.metric, one.official.value), one.weight) for one in scores)
