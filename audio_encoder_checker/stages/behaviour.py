"""What the encoder does with company, order, padding, loudness, extremes and odd input; whether it keeps memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.behaviour import (
    AfterMove,
    AfterNan,
    BatchCompany,
    BatchOrder,
    Difference,
    InputDependence,
    InputKept,
    Loudness,
    MemoryGrowth,
    Repeatability,
    Tolerance,
    Tolerances,
    ZeroPadding,
)
from audio_encoder_checker.evidence.contract import AFTER_NAN
from audio_encoder_checker.stages import waves
from audio_encoder_checker.stages.compare import difference, shift, spread, time_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.stages.asking import Call
    from audio_encoder_checker.stages.contract import Interview

CLIP_SECONDS = 1.0
"""Of the clips that are compared: long enough for every data set's shortest, short enough to be cheap."""
MANY_CALLS = 50
FEWEST_CALLS = 10
INPUTS: dict[str, dict[str, str | bool]] = {
    "one clip without a batch axis": {"flat": True},
    "float64 audio": {"dtype": "float64"},
    "float16 audio": {"dtype": "float16"},
    "int16 audio": {"dtype": "int16"},
}
"""What X-ARES never gives, and other users of an encoder may."""


def compare_batches(interview: Interview, official: Call) -> None:
    """Batches of growing size that start with the same clip; the largest one twice, and in another order."""
    sizes = sorted(interview.rules.batches)
    most = sizes[-1]
    clips = interview.noise(most, interview.rules.official_samples) * _loudness(most)
    calls = {size: interview.call(clips[:size]) for size in sizes}
    again, turned = interview.call(clips, "the same again"), interview.call(clips[::-1].copy(), "in another order")
    company, alone = calls[most].comparable, calls[sizes[0]].comparable
    if company is None or len(company) < most:
        return
    if again.comparable is not None:
        seconds = clips.shape[1] / interview.rate_hz
        interview.note_repetition(Repeatability(difference(company, again.comparable), seconds))
    if turned.comparable is not None:
        interview.facts.append(BatchOrder(difference(company, turned.comparable[::-1])))
    if alone is not None and len(alone):
        interview.facts.append(BatchCompany(difference(alone[:1], company[:1]), most))
    other = calls.get(interview.rules.official_batch, official)
    pairs = [(company[:1], company[1:2])]
    if official.comparable is not None and other.comparable is not None and other is not official:
        pairs.append((official.comparable, other.comparable))  # an encoder may know its clips by their shape
    interview.facts.append(InputDependence(min((difference(*pair) for pair in pairs), key=lambda d: d.relative)))


def _loudness(batch: int) -> NDArray[np.float32]:
    """A gain per clip `[batch, 1]`, from -20 dB up, so that company is not of equal loudness."""
    import numpy as np

    return np.linspace(0.1, 0.5, batch, dtype="float32")[:, None]


def try_signals(interview: Interview) -> None:
    """Clips of one second: extremes, a quieter copy, zero padding, sixteen that have nothing in common."""
    import numpy as np

    samples = interview.samples(CLIP_SECONDS)
    for name, audio in waves.extremes(interview.rate_hz, samples, interview.random).items():
        interview.call(audio, name)
    clip = interview.noise(1, samples) * waves.QUIET
    plain = interview.call(clip).frames
    quiet = interview.call(clip * waves.QUIET).frames
    padded = interview.call(np.pad(clip, ((0, 0), (0, 2 * samples))), "zero-padded").frames
    if plain is not None and quiet is not None and plain.shape == quiet.shape:
        interview.facts.append(Loudness(difference(time_mean(plain), time_mean(quiet))))
    both = (waves.tones(interview.rate_hz, samples), waves.varied(interview.rate_hz, samples, interview.random))
    many = interview.call(np.concatenate(both)).frames
    if many is None:
        return
    means = time_mean(many)
    interview.facts.append(spread(means, waves.TONES))
    if plain is not None and padded is not None and plain.shape[1] <= padded.shape[1]:
        interview.facts.extend(_padding(plain, padded, means))


def _padding(plain: NDArray[Any], padded: NDArray[Any], means: NDArray[np.float64]) -> Iterator[ZeroPadding]:
    """Compare the frames that are surely the clip's own; nothing where the features are not of one number."""
    own = max(plain.shape[1] - 1, 1)
    alone, beside = time_mean(plain, own), time_mean(padded, own)
    if alone.shape[1:] == beside.shape[1:] == means.shape[1:]:
        share = shift(alone, beside, means)
        yield ZeroPadding(difference(alone, beside), share, CLIP_SECONDS, 3 * CLIP_SECONDS)


def try_inputs(interview: Interview) -> None:
    """What a call leaves behind in the encoder and in its input, and what input it takes that X-ARES never gives."""
    import numpy as np

    clips = interview.noise(2, interview.samples(CLIP_SECONDS)) * waves.QUIET
    first = interview.call(clips).comparable
    given = interview.ask(clips, back=True).comparable
    if given is not None:
        interview.facts.append(InputKept(difference(clips, given)))
    interview.on_call("input that X-ARES never gives")
    tried = [Tolerance(what, interview.ask(clips, **manner).outcome) for what, manner in INPUTS.items()]
    broken = clips.copy()
    broken[1, 100:200] = np.nan
    tried.append(Tolerance("audio that holds NaN", interview.ask(broken).outcome))
    after_nan = interview.call(clips, AFTER_NAN)
    moved = interview.call(clips, "after a second .to(device)", move=True).comparable
    interview.facts.append(Tolerances(tuple(tried)))
    if first is None:
        return
    if after_nan.comparable is not None:
        interview.facts.append(AfterNan(difference(first, after_nan.comparable)))
    elif after_nan.values is not None:
        interview.facts.append(AfterNan(Difference(same_shape=True, relative=float("inf"), cosine=0.0)))
    if moved is not None:
        interview.facts.append(AfterMove(difference(first, moved)))


def measure_growth(interview: Interview) -> None:
    """Call one clip again and again, and read the memory of the process tree from outside in between."""
    clip = interview.noise(1, interview.samples(CLIP_SECONDS)) * waves.QUIET
    start = time.monotonic()
    if interview.ask(clip).values is None:
        return
    affordable = int(interview.rules.survival_s / max(time.monotonic() - start, 1e-3))
    calls = max(FEWEST_CALLS, min(MANY_CALLS, affordable))
    read_at = tuple(calls * part // 5 for part in (1, 2, 3, 4, 5))
    resident = []
    for number in range(1, calls + 1):
        interview.on_call(f"call {number} of {calls}, for leaks")
        if interview.ask(clip).values is None:
            return
        if number in read_at:
            resident.append(interview.session.resident_bytes())
    interview.facts.append(MemoryGrowth(read_at, tuple(resident)))
