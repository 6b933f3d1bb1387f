"""Call the encoder as the organisers will: the official call, batches of 1 to 3, short and long clips."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.contract import (
    HIGHEST_RATE_HZ,
    LOWEST_RATE_HZ,
    OFFICIAL,
    BatchCompany,
    Difference,
    EncodeTraces,
    HopFit,
    InputDependence,
    Repeatability,
    Trace,
)
from audio_encoder_checker.stages.asking import Call, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.rules import ContractRules
    from audio_encoder_checker.sandbox.ask import Session

USUAL_RATE_HZ = 16_000
SILENCE = "silence"
AGAIN = "the same again"
BLOCK_VALUES = 1 << 20
KINDS = (EncodeTraces, Repeatability, BatchCompany, InputDependence, HopFit)
"""The evidence this stage makes."""


class Interview:
    """All contract calls to one encoder; what was measured is left in `traces` and `facts`.

    Args:
        session: with an encoder loaded.
        rules: lengths and batches.
        rate_hz: the encoder's declared sampling rate, None if it declares none.
        seed: of the audio.
        timeout_s: of each call.
        on_call: told before each call how it will be made.
    """

    def __init__(
        self, session: Session, rules: ContractRules, rate_hz: float | None, seed: int, timeout_s: float,
        on_call: Callable[[str], None] = lambda _call: None,
    ) -> None:  # fmt: skip
        import numpy as np

        self.session = session
        self.rules = rules
        self.rate_hz = rate_hz if rate_hz and LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ else USUAL_RATE_HZ
        self.random = np.random.default_rng(seed)
        self.timeout_s = timeout_s
        self.on_call = on_call
        self.traces: list[Trace] = []
        self.facts: list[object] = []

    def run(self) -> tuple[object, ...]:
        """Make all calls; stops where the child does not survive one or the official call fails."""
        official = self._noise(self.rules.official_batch, self.rules.official_samples)
        first = self._call(OFFICIAL, official)
        if first.values is not None and first.values.ndim == 3:
            self._compare_batches(first)
            self._try_lengths()
            self._call(SILENCE, self._noise(1, round(self.rate_hz)) * 0)
        return (EncodeTraces(tuple(self.traces)), *self.facts)

    def _call(self, label: str, audio: NDArray[np.float32]) -> Call:
        batch, samples = audio.shape
        seconds = samples / self.rate_hz
        self.on_call(f"{batch} x {seconds:g} s")
        call = encode(self.session, audio, self.timeout_s)
        already_dead = self.traces and not self.traces[-1].outcome.ending.alive
        if not already_dead:
            self.traces.append(Trace(label, batch, samples, seconds, call.outcome, call.returned))
        return call

    def _compare_batches(self, official: Call) -> None:
        """Batches of growing size that start with the same clip; the largest one twice."""
        most = max(self.rules.batches)
        clips = self._noise(most, self.rules.official_samples) * self._loudness(most)
        calls = {size: self._call("", clips[:size]) for size in sorted(self.rules.batches)}
        again = self._call(AGAIN, clips)
        alone, company = _comparable(calls[min(calls)]), _comparable(calls[most])
        if company is None or len(company) < most:
            return
        repeated = _comparable(again)
        if repeated is not None:
            self.facts.append(Repeatability(difference(company, repeated)))
        if alone is not None and len(alone):
            self.facts.append(BatchCompany(difference(alone[:1], company[:1]), most))
        other = _comparable(calls.get(self.rules.official_batch, official))
        pairs = [(company[:1], company[1:2])]
        first = _comparable(official)
        if first is not None and other is not None and other is not first:
            pairs.append((first, other))  # an encoder may know its clips by their shape
        self.facts.append(InputDependence(min((difference(*pair) for pair in pairs), key=lambda d: d.relative)))

    def _try_lengths(self) -> None:
        """One clip of each length; hop from the two longest that gave frames."""
        for seconds in self.rules.lengths_s:
            self._call("", self._noise(1, round(seconds * self.rate_hz)) * 0.1)
        done = [t for t in self.traces if t.batch == 1 and t.frames]
        done.sort(key=lambda trace: trace.samples)
        if len(done) >= 2:
            self.facts.append(hop_fit(done[-2], done[-1]))

    def _noise(self, batch: int, samples: int) -> NDArray[np.float32]:
        """Gaussian noise of unit variance `[batch, samples]`, as in the official call."""
        return self.random.standard_normal((batch, samples)).astype("float32")

    def _loudness(self, batch: int) -> NDArray[np.float32]:
        """A gain per clip `[batch, 1]`, from -20 dB up, so that company is not of equal loudness."""
        import numpy as np

        return np.linspace(0.1, 0.5, batch, dtype="float32")[:, None]


def _comparable(call: Call) -> NDArray[Any] | None:
    """The values of a call, if there are any and all are finite."""
    if call.values is None or call.returned is None or call.returned.nonfinite or not call.values.size:
        return None
    return call.values


def difference(one: NDArray[Any], other: NDArray[Any]) -> Difference:
    """How far two embeddings of finite values are apart, computed in float64, a block at a time: they may be large."""
    import numpy as np

    if one.shape != other.shape:
        return Difference(same_shape=False, relative=float("inf"), cosine=0.0)
    largest = max((float(np.abs(x).max()) for pair in _blocks(one, other) for x in pair), default=0.0)
    scale = largest or 1.0  # so that no square overflows
    apart = product = square_a = square_b = 0.0
    for block in _blocks(one, other):
        a, b = (x / scale for x in block)
        apart = max(apart, float(np.abs(a - b).max()))
        product, square_a, square_b = product + float(a @ b), square_a + float(a @ a), square_b + float(b @ b)
    norms = math.sqrt(square_a) * math.sqrt(square_b)
    return Difference(same_shape=True, relative=apart, cosine=product / norms if norms else 1.0)


def _blocks(*arrays: NDArray[Any]) -> Iterator[tuple[NDArray[np.float64], ...]]:
    """The values of arrays of one shape in float64 (two for a complex number), some at a time."""
    import numpy as np

    for start in range(0, arrays[0].size, BLOCK_VALUES):
        parts = (array.reshape(-1)[start : start + BLOCK_VALUES] for array in arrays)
        yield tuple(p.astype(np.complex128 if np.iscomplexobj(p) else np.float64).view(np.float64) for p in parts)


def hop_fit(short: Trace, long: Trace) -> HopFit:
    """Slope of length over frames between two calls, in milliseconds per frame."""
    short_frames, long_frames = short.frames or 0, long.frames or 0
    grown = long_frames - short_frames
    measured = (long.seconds - short.seconds) * 1000 / grown if grown > 0 else None
    return HopFit(measured, short.seconds, short_frames, long.seconds, long_frames)
