"""Encode the clips of every task in the box, and have the embeddings scored outside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evaluation.encode import embed
from audio_encoder_checker.evaluation.quick import quick_clips
from audio_encoder_checker.evaluation.score import EmbeddedTask, UnscorableError, score
from audio_encoder_checker.evaluation.tasks import Task, quick_tasks
from audio_encoder_checker.evidence.evaluation import EncodingFacts, Reference, References
from audio_encoder_checker.evidence.run import Ending, Outcome
from audio_encoder_checker.evidence.scores import TrackScores
from audio_encoder_checker.rules import RESOURCES
from audio_encoder_checker.stages.asking import Call, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evidence.load import EncoderFacts
    from audio_encoder_checker.rules import Rules
    from audio_encoder_checker.sandbox.ask import Session

KINDS = (EncodingFacts, TrackScores, References)
"""The evidence this stage makes."""
SCORER_SECONDS = 1800.0
ALL_ANSWERED = Outcome(Ending.ANSWERED, 0.0)


class BrokenOffError(Exception):
    """The encoder gave nothing that can be scored: the stage ends with what it has."""

    def __init__(self, outcome: Outcome, problem: str = "") -> None:
        super().__init__(problem or str(outcome))
        self.outcome = outcome
        self.problem = problem


class Encoding:
    """Encodes tasks one after the other and keeps count of the encoder's time.

    Args:
        session: with an encoder loaded.
        encoder: its declared rate and dimension.
        rules: batch size.
        call_s: seconds for one call.
        on_progress: told what is being done.
    """

    def __init__(
        self,
        session: Session,
        encoder: EncoderFacts,
        rules: Rules,
        call_s: float,
        on_progress: Callable[[str], None],
    ) -> None:
        self.session = session
        self.rate_hz = int(encoder.number("sampling_rate") or 0)
        self.dim = int(encoder.number("output_dim") or 0)
        self.batch = rules.evaluation.encode_batch
        self.call_s = call_s
        self.seconds = 0.0
        self.audio_seconds = 0.0
        self.task = ""
        self.on_progress = on_progress

    def run(self, tasks: tuple[Task, ...]) -> list[EmbeddedTask]:
        """Encode every task.

        Raises:
            BrokenOffError: a call did not answer, or its answer cannot be scored.
        """
        embedded = []
        for task in tasks:
            self.task = task.id
            self.on_progress(f"{task.id}: clips")
            clips = quick_clips(task.id)
            embeddings = embed(clips, self._encode, self.rate_hz, self.batch, self._tell)
            self.audio_seconds += clips.audio.size / clips.sampling_rate
            embedded.append(EmbeddedTask(task, embeddings, clips.labels, clips.split))
        self.task = ""
        return embedded

    def facts(self, outcome: Outcome, task: str = "", problem: str = "") -> EncodingFacts:
        """How it went, and how long it took so far."""
        return EncodingFacts(outcome, task, problem, self.seconds, self.audio_seconds)

    def _tell(self, done: int, total: int) -> None:
        self.on_progress(f"{self.task}: {done} of {total} clips")

    def _encode(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        call = encode(self.session, audio, self.call_s)
        self.seconds += call.outcome.seconds
        if call.returned is None or call.values is None:
            raise BrokenOffError(call.outcome, "" if call.returned is None else "no array came back")
        problem = self._problem(call, len(audio))
        if problem:
            raise BrokenOffError(call.outcome, problem)
        return call.values.astype("float32")

    def _problem(self, call: Call, batch: int) -> str:
        shape = call.returned.shape if call.returned else ()
        if len(shape) != 3 or shape[0] != batch or shape[2] != self.dim or shape[1] == 0:
            return f"expected shape ({batch}, T', {self.dim}), found {shape}"
        if call.returned and call.returned.nonfinite:
            return f"{call.returned.nonfinite} values of a batch are NaN or infinite"
        return ""


def evaluate(
    session: Session,
    encoder: EncoderFacts,
    rules: Rules,
    *,
    seed: int,
    call_s: float,
    on_progress: Callable[[str], None],
) -> tuple[object, ...]:
    """Both tracks on the built-in quick set.

    Returns:
        `EncodingFacts`, and if all went well `TrackScores` and `References`.

    Raises:
        MachineError: the scorer could not do its work.
    """
    encoding = Encoding(session, encoder, rules, call_s, on_progress)
    try:
        embedded = encoding.run(quick_tasks())
        on_progress("scoring")
        scores = score(
            embedded,
            rules.evaluation,
            data="builtin",
            encode_seconds=encoding.seconds,
            audio_seconds=encoding.audio_seconds,
            seed=seed,
            timeout_s=SCORER_SECONDS,
            folder=session.workspace,
        )
    except BrokenOffError as error:
        return (encoding.facts(error.outcome, encoding.task, error.problem),)
    except UnscorableError as error:
        return (encoding.facts(ALL_ANSWERED, error.task, error.problem),)
    return encoding.facts(ALL_ANSWERED), scores, read_references()


def read_references() -> References:
    """Measured scores of known encoders on the quick set, from `resources/references/quick.json`."""
    path = RESOURCES / "references" / "quick.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return References(tuple(Reference(**entry) for entry in data["scores"]))
