"""What the calls of the contract stage measured, each with its number and what it means: the same in every format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.behaviour import (
    AfterMove,
    AfterNan,
    AfterTrain,
    BatchCompany,
    BatchOrder,
    Comparison,
    Difference,
    InputDependence,
    InputKept,
    Loudness,
    MemoryGrowth,
    Repeatability,
    SecondStart,
    Spread,
    Tolerances,
    ZeroPadding,
)
from audio_encoder_checker.evidence.contract import EncodeTraces, HopFit
from audio_encoder_checker.evidence.device import DeviceFacts
from audio_encoder_checker.evidence.run import Ending

if TYPE_CHECKING:
    from audio_encoder_checker.judging import Evidence

DIFFERENCES: dict[type[Comparison], tuple[str, str]] = {
    Repeatability: ("two calls", "difference for the same audio; expect 0"),
    BatchCompany: ("in company", "difference of a clip alone and beside others; expect 0"),
    BatchOrder: ("other order", "difference in another place in the batch; expect 0"),
    AfterNan: ("after NaN", "difference after a call with NaN; expect 0"),
    AfterMove: ("moved again", "difference after another .to(device); expect 0"),
    AfterTrain: ("after train()", "difference in training mode; X-ARES calls neither train nor eval"),
    InputKept: ("its input", "change of the audio itself; expect 0"),
    InputDependence: ("other audio", "difference for different audio; 0 where it is not heard"),
}
"""Largest absolute difference over the largest absolute value."""


@dataclass(frozen=True)
class Measured:
    """One figure.

    Attributes:
        name: in a word or two.
        value: the figure; None where it is told in words alone.
        text: the figure as people read it.
        meaning: what it is, and what to expect.
        of_machine: it is another on every machine, and on every run.
    """

    name: str
    value: float | None
    text: str
    meaning: str
    of_machine: bool = False


def measured(evidence: Evidence) -> list[Measured]:
    """Every figure that there is evidence for, in a fixed order."""
    rows = [_compared(kind, evidence) for kind in DIFFERENCES]
    rows[1:1] = [_second(evidence)]
    rows += [_loudness(evidence)]
    rows += [_padding(evidence)]
    rows += [*_spread(evidence), _speed(evidence), _growth(evidence), _offset(evidence), _taken(evidence)]
    return [row for row in (*rows, _device(evidence)) if row is not None]


def _compared(kind: type[Comparison], evidence: Evidence) -> Measured | None:
    found = evidence.get(kind)
    return _apart(*DIFFERENCES[kind], found.difference) if found else None


def _second(evidence: Evidence) -> Measured | None:
    second = evidence.get(SecondStart)
    if second is None or second.difference is None:
        return None
    return _apart("two processes", "difference for the same audio; expect 0", second.difference)


def _apart(name: str, meaning: str, found: Difference) -> Measured:
    if not found.same_shape or found.relative == float("inf"):
        return Measured(name, None, "NaN" if found.same_shape else "other shape", meaning)
    return Measured(name, found.relative, f"{found.relative:.2g}", meaning)


def _loudness(evidence: Evidence) -> Measured | None:
    found = evidence.get(Loudness)
    meaning = "cosine; 1 where loudness is normalised away"
    cosine = found.difference.cosine if found else 0.0
    return Measured("20 dB quieter", cosine, f"{cosine:.3f}", meaning) if found else None


def _padding(evidence: Evidence) -> Measured | None:
    found = evidence.get(ZeroPadding)
    meaning = "shift, in distances of different clips; expect 0"
    return Measured("zero padding", found.share, f"{found.share:.2g}", meaning) if found else None


def _spread(evidence: Evidence) -> list[Measured]:
    found = evidence.get(Spread)
    if found is None:
        return []
    return [
        Measured(
            "rank",
            found.effective_rank,
            f"{found.effective_rank:.1f}",
            f"effective rank of {found.clips} different clips; 1 on a line",
        ),
        Measured("tones", found.closest_tones, f"{found.closest_tones:.3f}", "cosine of the two most alike pure tones"),
    ]


def _speed(evidence: Evidence) -> Measured | None:
    traces = evidence.get(EncodeTraces)
    timed = [t for t in traces.completed if t.batch == 1 and t.outcome.seconds > 0] if traces else []
    if not timed:
        return None
    longest = max(timed, key=lambda trace: trace.seconds)
    speed = longest.seconds / longest.outcome.seconds
    text = f"{speed:.3g}" if speed < 1000 else f"{speed:,.0f}"
    return Measured("speed", speed, text, f"times real time, with one clip of {longest.seconds:g} s", of_machine=True)


def _growth(evidence: Evidence) -> Measured | None:
    found = evidence.get(MemoryGrowth)
    if found is None:
        return None
    kept, calls = found.per_call / 2**20, found.calls[-1] - found.calls[0]
    return Measured("growth", kept, f"{kept:.2g}", f"MiB kept per call over {calls} calls", of_machine=True)


def _offset(evidence: Evidence) -> Measured | None:
    found = evidence.get(HopFit)
    if found is None or found.measured_ms is None:
        return None
    return Measured("offset", found.offset_frames, f"{found.offset_frames:.1f}", "frames beyond length over hop")


def _taken(evidence: Evidence) -> Measured | None:
    found = evidence.get(Tolerances)
    if found is None:
        return None
    refused = [one.what for one in found.tried if one.outcome.ending is not Ending.ANSWERED]
    words = f"takes {len(found.tried) - len(refused)} of {len(found.tried)} kinds that X-ARES never gives"
    return Measured("odd input", None, "", f"{words}; refuses {', '.join(refused)}" if refused else words)


def _device(evidence: Evidence) -> Measured | None:
    found = evidence.get(DeviceFacts)
    if found is None:
        return None
    kind = "a pretended GPU" if found.pretended else "the GPU"
    if found.not_covered:
        return Measured("GPU", None, "", f"not traced on {kind}: {found.not_covered}")
    if found.outcome.ending is Ending.ANSWERED:
        return Measured("GPU", None, "", f"runs on {kind}, embeddings on {found.output_device}")
    return Measured("GPU", None, "", f"fails on {kind}: {found.outcome}")
