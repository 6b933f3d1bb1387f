"""Measure on a real GPU what was forecast, as far as time allows: the required calls, the most that fits."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.budget import search
from audio_encoder_checker.budget.trace import LARGEST_BYTES, LARGEST_S
from audio_encoder_checker.devices import gpu_gauge, gpus
from audio_encoder_checker.evidence.budget import Basis, GpuForecast, GpuMeasurement, Measured, Most
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.stages.budget import FULL, LARGEST_BATCH, LONGEST_S, PROMISED_S
from audio_encoder_checker.stages.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from audio_encoder_checker.rules import Rules
    from audio_encoder_checker.sandbox.ask import Session
    from audio_encoder_checker.stages.budget import Trial


def with_measured(forecast: GpuForecast, session: Session, trial: Trial) -> GpuForecast:
    """The forecast with what is measured on the session's GPU beside it; itself where there is none."""
    if session.device == "cpu":
        return forecast
    return Measuring(session, trial.rules, trial.rate_hz, trial.call_s, trial.on_call).beside(forecast)


@dataclass
class Measuring:
    """Calls of the encoder on the GPU where it is.

    Args:
        session: whose child has loaded it there.
        rules: the budget.
        rate_hz: of the audio.
        call_s: seconds for each call.
        on_call: told what is being done.
    """

    session: Session
    rules: Rules
    rate_hz: float
    call_s: float
    on_call: Callable[[str], None] = lambda _call: None
    calls: dict[tuple[int, float], Measured] = field(default_factory=dict)

    def beside(self, forecast: GpuForecast) -> GpuForecast:
        """The forecast with what was measured; itself where no call came back."""
        with gpu_gauge(self.session.device) as used:
            for key in forecast.required:
                self._call(*key, used)
            if not self.calls:
                return forecast
            batch = self._most(lambda clips: (int(clips), FULL[1]), FULL[0], LARGEST_BATCH, used)
            longest = self._most(lambda seconds: (1, seconds), PROMISED_S, LONGEST_S, used)
        index = int(self.session.device.partition(":")[2] or 0)
        return replace(
            forecast,
            basis=Basis.MEASURED,
            largest_batch=batch or forecast.largest_batch,
            longest_s=longest or forecast.longest_s,
            measured=GpuMeasurement(
                name=(*gpus(), "a GPU")[index],
                context_bytes=self.rules.budget.machine.gpu.context_bytes,
                calls=tuple(self.calls[key] for key in sorted(self.calls)),
            ),
        )

    def _most(
        self, key: Callable[[float], tuple[int, float]], start: float, most: float, used: Callable[[], int]
    ) -> Most | None:
        """The largest call that fits, by trying."""
        until = time.monotonic() + self.rules.limits.search_s
        cap = self.rules.budget.machine.gpu.cap_bytes

        def share(value: float) -> float | None:
            if key(value) not in self.calls and time.monotonic() > until:
                return None
            call = self._call(*key(value), used)
            if call is None:
                return None
            return min(call.reserved_bytes / cap, 1.0) if call.fits else math.inf

        return search.largest(share, start, most)

    def _call(self, batch: int, seconds: float, used: Callable[[], int]) -> Measured | None:
        """One call; None where it did not come back with numbers."""
        key = (batch, seconds)
        if key in self.calls or self.session.ended:
            return self.calls.get(key)
        self.on_call(f"{batch} x {seconds:g} s on {self.session.device}")
        gpu = self.rules.budget.machine.gpu
        shape = [batch, round(seconds * self.rate_hz)]
        question = {
            "ask": "measure", "shape": shape, "limit_bytes": gpu.cap_bytes, "capability": list(gpu.capability)
        }  # fmt: skip
        with Watched(used) as watched:
            answer = self.session.ask(question, timeout_s=self.call_s)
        if answer.outcome.ending is Ending.ANSWERED:
            call = read_call(answer.header, batch, seconds, watched.growth)
            if call:
                self.calls[key] = call
        return self.calls.get(key)


def read_call(header: dict[str, Any], batch: int, seconds: float, seen_bytes: int) -> Measured | None:
    """What a child told of a call; None if that makes no sense."""
    fits = header.get("fits")
    took = header.get("seconds")
    sizes = [header.get(key) for key in ("allocated", "reserved", "retries")]
    if not isinstance(fits, bool) or not isinstance(took, float | int) or not 0 <= took < LARGEST_S:
        return None
    whole = [size for size in sizes if isinstance(size, int) and 0 <= size < LARGEST_BYTES]
    if len(whole) < len(sizes):
        return None
    allocated, reserved, retries = whole
    return Measured(batch, seconds, fits, allocated, reserved, retries, seen_bytes, float(took))
