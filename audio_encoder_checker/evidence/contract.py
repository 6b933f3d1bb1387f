"""What calls of `forward` gave. Everything here was computed outside the box, from the bytes received."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from audio_encoder_checker.evidence.run import Ending, Outcome

OFFICIAL = "the official call"
AFTER_NAN = "after audio with NaN"
SHORTEST_CERTAIN_S = 0.5
"""Clips as long as this are in many data sets; shorter ones are rare."""


@dataclass(frozen=True)
class Returned:
    """What came back from one call.

    Attributes:
        kind: `tensor`, or the class name of what came instead.
        shape: of the tensor.
        dtype: as torch names it, `float32`.
        numpy_error: why `.numpy()` refused it, as X-ARES would see; else empty.
        nonfinite: number of NaN or infinite values.
        fields: what a tuple or output object holds: names, and shapes in words.
        layers: submodules and the shapes they gave, asked for where the shape is wrong.
        requires_grad: whether it holds on to the graph of autograd.
    """

    kind: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    numpy_error: str = ""
    nonfinite: int = 0
    fields: tuple[tuple[str, str], ...] = ()
    layers: tuple[tuple[str, tuple[int, ...]], ...] = ()
    requires_grad: bool = False


def clips_in_words(batch: int, seconds: float) -> str:
    """`1 clip of 3 s`, `16 clips of 0.5 s`."""
    return f"{'1 clip' if batch == 1 else f'{batch} clips'} of {seconds:g} s"


def chunk_label(samples: int) -> str:
    """What is special about a call whose length was chosen for the encoder's own chunk length."""
    return f"{samples} samples"


@dataclass(frozen=True)
class Trace:
    """One call of `forward`.

    Attributes:
        label: what was special about the call.
        batch: clips in it.
        samples: of each clip.
        seconds: duration of each clip at the declared sampling rate.
        outcome: how it ended; `outcome.seconds` is the wall time.
        returned: what came back, None unless it answered.
    """

    label: str
    batch: int
    samples: int
    seconds: float
    outcome: Outcome
    returned: Returned | None = None

    @property
    def frames(self) -> int | None:
        """Frames per clip, or None if no `[B, T', D]` tensor came back."""
        return self.returned.shape[1] if self.returned and len(self.returned.shape) == 3 else None

    @property
    def call(self) -> str:
        """The call in words."""
        name = "" if self.label == "" else f" ({self.label})"
        return f"{clips_in_words(self.batch, self.seconds)}{name}"

    @property
    def around_chunk(self) -> bool:
        """Whether its length was chosen for the encoder's own chunk length."""
        return self.label == chunk_label(self.samples)


@dataclass(frozen=True)
class EncodeTraces:
    """All calls of the contract stage, in order."""

    traces: tuple[Trace, ...]

    @property
    def completed(self) -> tuple[Trace, ...]:
        """Calls that gave a tensor."""
        return tuple(t for t in self.traces if t.returned is not None and t.returned.kind == "tensor")

    @property
    def reference(self) -> Trace:
        """The official call, which every other one is compared with."""
        return self.traces[0]

    @property
    def broken_off(self) -> Trace | None:
        """The call that the child did not survive, if any."""
        return next((t for t in self.traces if not t.outcome.ending.alive), None)

    @property
    def raised(self) -> tuple[Trace, ...]:
        """Calls that raised an exception."""
        return tuple(t for t in self.traces if t.outcome.ending is Ending.RAISED)


LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 768_000
"""Sampling rates of audio: what lies outside is another unit or no rate at all."""


@dataclass(frozen=True)
class HopFit:
    """Frames over length, a line through the calls with one clip: `frames = seconds * 1000 / measured_ms + offset`.

    Attributes:
        measured_ms: milliseconds of audio per frame; None if frames do not grow with the audio.
        offset_frames: frames at no length; negative where the last ones are cut.
        points: seconds and frames of each call, by length.
        cut_s: from this length on there are no more frames; 0 if frames grow to the longest.
    """

    measured_ms: float | None
    offset_frames: float
    points: tuple[tuple[float, int], ...]
    cut_s: float = 0.0

    @property
    def plain_ms(self) -> float:
        """The roundest number that the frames allow, which are whole: uncertain by one of them over the range."""
        measured, frames = self.measured_ms or 0.0, max(self.points[-1][1] - self.points[0][1], 1)
        rounded = (float(f"{measured:.{digits}g}") for digits in range(1, 8))
        return next((value for value in rounded if abs(value - measured) * frames <= measured), measured)


class CellState(str, Enum):
    """What is known of one length at one batch size."""

    OK = "ok"
    NO_FRAMES = "no frames"
    """It answered, with something else than `[B, T', D]`, or no frame."""
    FAILED = "failed"
    OUT_OF_MEMORY = "out of memory"
    TOO_SLOW = "too slow"
    FORECAST = "forecast"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Cell:
    """One length at one batch size.

    Attributes:
        seconds: of each clip.
        batch: clips in the call.
        state: what is known.
        wall_s: seconds the call took, or would take (`FORECAST`, by the calls made); 0 if unknown.
        why: why it was not run or what it raised; empty for `OK`.
    """

    seconds: float
    batch: int
    state: CellState
    wall_s: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class SurvivalMap:
    """Lengths by batch sizes.

    Attributes:
        cells: by batch and length.
        stopped: why the map ends early; empty if it does not.
        chunk_samples: the encoder's own chunk length as seen in a long call, 0 if none was seen.
    """

    cells: tuple[Cell, ...]
    stopped: str = ""
    chunk_samples: int = 0
