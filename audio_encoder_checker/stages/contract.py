"""Call the encoder as the organisers will, and in every way that shows what it does with audio.

The order is that of importance: the official call, batches, signals, then lengths up to ten minutes, which may be the
end of it. Each call is a `Trace`; comparisons of several calls are evidence of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.behaviour import Repeatability
from audio_encoder_checker.evidence.contract import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, OFFICIAL, EncodeTraces, Trace
from audio_encoder_checker.stages import behaviour, survival
from audio_encoder_checker.stages.asking import Call, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evidence.load import EncoderFacts
    from audio_encoder_checker.rules import ContractRules
    from audio_encoder_checker.sandbox.ask import Session

USUAL_RATE_HZ = 16_000


def usable_rate(encoder: EncoderFacts) -> float:
    """The declared sampling rate in Hz where it is one of audio, else the usual one."""
    rate = encoder.number("sampling_rate")
    return rate if rate and LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ else USUAL_RATE_HZ


class Interview:
    """All contract calls to one encoder; what was measured is left in `traces` and `facts`.

    Args:
        session: with an encoder loaded.
        rules: lengths and batches.
        encoder: what it declares.
        seed: of the audio.
        timeout_s: of each call.
        on_call: told before each call how it will be made.
    """

    def __init__(
        self, session: Session, rules: ContractRules, encoder: EncoderFacts, seed: int, timeout_s: float,
        on_call: Callable[[str], None] = lambda _call: None,
    ) -> None:  # fmt: skip
        import numpy as np

        self.session = session
        self.rules = rules
        self.rate_hz = usable_rate(encoder)
        self.dim = encoder.number("output_dim")
        self.random = np.random.default_rng(seed)
        self.timeout_s = timeout_s
        self.on_call = on_call
        self.traces: list[Trace] = []
        self.facts: list[object] = []

    def run(self) -> tuple[object, ...]:
        """Make all calls; stops where the child does not survive one or the official call fails."""
        official = self.call(self.noise(self.rules.official_batch, self.rules.official_samples), OFFICIAL, grad=True)
        shape = official.returned.shape if official.returned else ()
        if len(shape) == 3 and self.dim not in (None, shape[-1]):
            self._look_for_layer()
        if official.values is not None and len(shape) == 3:
            behaviour.compare_batches(self, official)
            behaviour.try_signals(self)
            behaviour.try_inputs(self)
            behaviour.measure_growth(self)
            self.facts.extend(survival.Survey(self).run())
        return (EncodeTraces(tuple(self.traces)), *self.facts)

    def call(
        self, audio: NDArray[np.float32], label: str = "", *, forecast_s: float = 0.0, **manner: str | bool
    ) -> Call:
        """One call that the encoder has to survive; it is announced with how long it will take, if that is known."""
        batch, samples = audio.shape
        self.session.doing = f"{batch} x {samples / self.rate_hz:g} s" + (f", {label}" if label else "")
        self.on_call(self.session.doing + (f", about {forecast_s:.0f} s" if forecast_s > 2 else ""))
        call = self.ask(audio, **manner)
        already_dead = self.traces and not self.traces[-1].outcome.ending.alive
        if not already_dead:
            seconds = samples / self.rate_hz
            self.traces.append(Trace(label, batch, samples, seconds, call.outcome, call.returned))
        return call

    def ask(self, audio: NDArray[np.float32], **manner: str | bool) -> Call:
        """One call that it may refuse."""
        return encode(self.session, audio, self.timeout_s, **manner)

    def note_repetition(self, found: Repeatability) -> None:
        """Keep the worst of several repetitions, at different lengths."""
        known = next((fact for fact in self.facts if isinstance(fact, Repeatability)), None)
        if known is None:
            self.facts.append(found)
        elif found.difference.relative > known.difference.relative:
            self.facts[self.facts.index(known)] = found

    def noise(self, batch: int, samples: int) -> NDArray[np.float32]:
        """Gaussian noise of unit variance `[batch, samples]`, as in the official call."""
        return self.random.standard_normal((batch, samples), dtype="float32")

    def samples(self, seconds: float) -> int:
        """So many seconds in samples."""
        return round(seconds * self.rate_hz)

    def _look_for_layer(self) -> None:
        """Ask again, to see which submodule gives what was declared."""
        again = self.ask(self.noise(self.rules.official_batch, self.rules.official_samples), observe="layers")
        if again.returned and again.returned.layers:
            first = self.traces[0]
            if first.returned:
                self.traces[0] = replace(first, returned=replace(first.returned, layers=again.returned.layers))
