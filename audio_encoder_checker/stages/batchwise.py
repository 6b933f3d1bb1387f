"""The encoder as the evaluation asks it: a batch in, usable frames out, or the clip that is to blame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.stages.asking import Call, encode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.batches import Batch, Item
    from audio_encoder_checker.evidence.run import Outcome
    from audio_encoder_checker.sandbox.ask import Session


class BatchError(Exception):
    """A batch gave nothing that can be scored.

    Attributes:
        outcome: of the call.
        problem: what is wrong with its answer, empty if there was none.
        batch: clips in it.
        at: the clip to blame, as far as it can be told.
    """

    def __init__(self, outcome: Outcome, problem: str, batch: int, at: str) -> None:
        super().__init__(problem or str(outcome))
        self.outcome = outcome
        self.problem = problem
        self.batch = batch
        self.at = at


class Batchwise:
    """Encodes batches and keeps count of the encoder's time.

    Args:
        session: with an encoder loaded.
        dim: its declared dimension.
        rate_hz: its declared rate.
        call_s: seconds for one call.
    """

    def __init__(self, session: Session, dim: int, rate_hz: int, call_s: float) -> None:
        self.session = session
        self.dim = dim
        self.rate_hz = rate_hz
        self.call_s = call_s
        self.seconds = 0.0
        self.audio_seconds = 0.0

    def encode(self, batch: Batch) -> NDArray[np.float32]:
        """Frames float32 [B, T, D] of a batch.

        Raises:
            BatchError: the call did not answer, or its answer cannot be scored.
        """
        call = self._call(batch.audio)
        problem = self._problem(call, len(batch.items))
        if call.values is None or problem:
            raise BatchError(call.outcome, problem, len(batch.items), self._blame(batch))
        self.audio_seconds += sum(item.samples for item in batch.items) / self.rate_hz
        return call.values.astype("float32", copy=False)

    def _call(self, audio: NDArray[np.float32]) -> Call:
        call = encode(self.session, audio, self.call_s)
        self.seconds += call.outcome.seconds
        return call

    def _problem(self, call: Call, batch: int) -> str:
        """Why an answer cannot be scored; empty if it can, or if there is none."""
        if call.returned is None:
            return ""
        shape = call.returned.shape
        if len(shape) != 3 or shape[0] != batch or shape[2] != self.dim or shape[1] == 0:
            return f"expected shape ({batch}, T', {self.dim}), found {shape}"
        if call.values is None:
            return call.returned.numpy_error or "no array came back"
        if call.returned.nonfinite:
            return f"{call.returned.nonfinite} values of a batch are NaN or infinite"
        return ""

    def _blame(self, batch: Batch) -> str:
        """The first clip of a failing batch that fails alone, too; all of them if none does."""
        for row, item in zip(batch.audio, batch.items, strict=True):
            if self.session.ended or len(batch.items) == 1:
                break
            call = self._call(row[None, : max(item.samples, 1)].copy())
            if call.values is None or self._problem(call, 1):
                return _told(item)
        first, last = batch.items[0], batch.items[-1]
        return _told(first) if first is last else f"{_told(first)} to {last.key!r} together"


def _told(item: Item) -> str:
    return f"{item.shard}: clip {item.key!r}" if item.shard else f"clip {item.key!r}"
