"""How calls of the encoder compare. Everything here was computed outside the box, from the bytes received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.run import Outcome


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
class Comparison:
    """Two embeddings that were compared; the class says what was different between the calls."""

    difference: Difference


@dataclass(frozen=True)
class Repeatability(Comparison):
    """The same audio twice, at the length where the embeddings differ most."""

    seconds: float


class InputDependence(Comparison):
    """Different clips, the two most alike; `relative` of 0 means that the audio does not matter."""


@dataclass(frozen=True)
class BatchCompany(Comparison):
    """One clip alone against the same clip in company of others of equal length."""

    batch: int


class BatchOrder(Comparison):
    """The same clips in another order, put back."""


@dataclass(frozen=True)
class ZeroPadding(Comparison):
    """The mean over a clip's frames, alone against zero-padded; frames of the padding and one before it left out.

    Attributes:
        share: distance of the two over that of two very different clips.
        seconds: of the clip.
        padded_s: of the clip with its padding.
    """

    share: float
    seconds: float
    padded_s: float


class AfterNan(Comparison):
    """A clip before and after a call whose audio held NaN."""


class AfterMove(Comparison):
    """A clip before and after `encoder.to(device)` was called once more."""


class AfterTrain(Comparison):
    """A clip in the mode the encoder came in against that after `train()`."""


class Loudness(Comparison):
    """The mean over frames of a clip, and of the same clip 20 dB quieter."""


class InputKept(Comparison):
    """The audio handed to the encoder, before and after the call."""


@dataclass(frozen=True)
class Spread:
    """How different the embeddings of very different clips are.

    Attributes:
        clips: tones, noises, chirps, clicks.
        effective_rank: of their time means, centred: exp of the entropy of the normalised singular values
            (Roy and Vetterli, "The effective rank", EUSIPCO 2007); at most clips - 1.
        closest_tones: cosine of the two most alike pure tones.
    """

    clips: int
    effective_rank: float
    closest_tones: float


@dataclass(frozen=True)
class MemoryGrowth:
    """Resident memory of the process tree over many calls of one short clip, seen from outside.

    Attributes:
        calls: after which the bytes were read; the first of them leave caches filled.
        resident_bytes: after so many calls.
    """

    calls: tuple[int, ...]
    resident_bytes: tuple[int, ...]

    @property
    def per_call(self) -> int:
        """Bytes per call between the first and the last reading, 0 where memory did not grow in every part."""
        parts = [late - early for early, late in zip(self.resident_bytes, self.resident_bytes[1:], strict=False)]
        steady = min(parts) * 3 > max(parts)  # a single step is a cache or an allocator's arena
        return sum(parts) // (self.calls[-1] - self.calls[0]) if steady else 0


@dataclass(frozen=True)
class Tolerance:
    """Input of a kind that X-ARES never gives: whether the encoder takes it is worth knowing, and no defect.

    Attributes:
        what: the input in words.
        outcome: how the call ended.
    """

    what: str
    outcome: Outcome


@dataclass(frozen=True)
class Tolerances:
    """All such inputs that were tried."""

    tried: tuple[Tolerance, ...]


@dataclass(frozen=True)
class SecondStart:
    """A second process with the same encoder beside the first, started in another working directory.

    Attributes:
        elsewhere: how loading and one call ended there.
        at_root: the same from the repository's root, asked only where the other failed.
        rebuilt: how constructing it once more in that process ended; None if it did not come so far.
        difference: of its embeddings from those of the first process; None if none came.
    """

    elsewhere: Outcome
    at_root: Outcome | None = None
    rebuilt: Outcome | None = None
    difference: Difference | None = None
