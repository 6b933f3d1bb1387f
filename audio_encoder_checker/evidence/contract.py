"""What calls of `forward` gave. Everything here was computed outside the box, from the bytes received."""

from __future__ import annotations

from dataclasses import dataclass

from audio_encoder_checker.evidence.run import Ending, Outcome

OFFICIAL = "the official call"


@dataclass(frozen=True)
class Returned:
    """What came back from one call.

    Attributes:
        kind: `tensor`, or the class name of what came instead.
        shape: of the tensor.
        dtype: as torch names it, `float32`.
        numpy_error: why `.numpy()` refused it, as X-ARES would see; else empty.
        nonfinite: number of NaN or infinite values.
        contains: what a tuple or output object holds, for the hint.
    """

    kind: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    numpy_error: str = ""
    nonfinite: int = 0
    contains: str = ""


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
        clips = "1 clip" if self.batch == 1 else f"{self.batch} clips"
        name = "" if self.label == "" else f" ({self.label})"
        return f"{clips} of {self.seconds:g} s{name}"


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

    def raised(self, *, batch: int | None = None) -> tuple[Trace, ...]:
        """Calls that raised an exception, of one batch size or of all."""
        return tuple(t for t in self.traces if t.outcome.ending is Ending.RAISED and batch in (None, t.batch))


@dataclass(frozen=True)
class Difference:
    """How far two embeddings of what should be the same are apart.

    Attributes:
        same_shape: if False the other two mean nothing.
        relative: largest absolute difference over the largest absolute value.
        cosine: of the two, flattened.
    """

    same_shape: bool
    relative: float
    cosine: float


@dataclass(frozen=True)
class Repeatability:
    """The same batch twice."""

    difference: Difference


@dataclass(frozen=True)
class BatchCompany:
    """One clip alone against the same clip in company of others of equal length."""

    difference: Difference
    batch: int


LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 768_000
"""Sampling rates of audio: what lies outside is another unit or no rate at all."""


@dataclass(frozen=True)
class InputDependence:
    """Different clips against one another; `relative` of 0 means that the audio does not matter."""

    difference: Difference


@dataclass(frozen=True)
class HopFit:
    """Frames over length.

    Attributes:
        measured_ms: added milliseconds of audio per added frame; None if frames do not grow.
        short_s: shorter length compared, in seconds.
        short_frames: its frames.
        long_s: longer length.
        long_frames: its frames.
    """

    measured_ms: float | None
    short_s: float
    short_frames: int
    long_s: float
    long_frames: int
