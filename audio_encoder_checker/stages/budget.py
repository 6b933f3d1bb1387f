"""Ask a child to play the organisers' graphics card, and forecast memory, time and disk by what it notes.

In the process that played it before, or one of its own: symbolic tensors may be left in what the encoder keeps.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.budget import cost, memory, search
from audio_encoder_checker.budget.trace import UNREADABLE, Trace, read_trace
from audio_encoder_checker.evidence.budget import Basis, GpuForecast, Most, Point
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.printable import printable
from audio_encoder_checker.stages.load import Target, where
from audio_encoder_checker.stages.watched import Watched
from audio_encoder_checker.stages.waves import quiet_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audio_encoder_checker.evaluation.tasks import Task
    from audio_encoder_checker.evidence.source import SourceFacts
    from audio_encoder_checker.rules import Rules
    from audio_encoder_checker.sandbox.ask import Session

FULL = (16, 10.0)
SINGLE = (1, 10.0)
DOUBLING = ((1, 60.0), (1, 120.0))
"""Twice the audio, beyond the chunks of all encoders that are known: what does attention take?"""
LADDER = ((30.0, 60.0), (15.0, 30.0), (5.0, 10.0))
"""The same where there is real audio only: the longest for which there is time."""
OUTSIDE = frozenset({"onnxruntime", "tensorflow", "jax", "flax", "cupy", "ctranslate2", "tensorrt", "paddle", "mxnet"})
PROMISED_S = 600.0
"""The ten minutes of the challenge's rules; the search for the longest clip begins there."""
LONGEST_S, LARGEST_BATCH = 3600.0, 512.0
BOOKS_TOLERANCE = 0.02
"""The books may be so far from the CPU's allocator."""
REAL_S = 20.0
"""A call with real tensors that would take longer is not made for the sake of its time alone."""


@dataclass(frozen=True)
class Loaded:
    """Of the first process: its peak while it loaded, and what stayed, in bytes."""

    peak_bytes: int
    resident_bytes: int


@dataclass
class Trial:
    """The questions to one child.

    Args:
        session: of a child that has greeted; it may have played the GPU before, and nothing else.
        target: the encoder to load.
        rules: the budget.
        loaded: what loading took in another process.
        rate_hz: of the audio.
        seed: of the audio.
        load_s: seconds for loading.
        call_s: seconds for each call.
        on_call: told what is being done.
        outside: libraries that the encoder imports and that take memory outside torch.
    """

    session: Session
    target: Target
    rules: Rules
    loaded: Loaded
    rate_hz: float
    seed: int
    load_s: float
    call_s: float
    on_call: Callable[[str], None] = lambda _call: None
    outside: tuple[str, ...] = ()
    traces: dict[tuple[int, float], Trace] = field(default_factory=dict)
    points: dict[tuple[int, float], Point] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    host_growth: int = 0
    basis: Basis = Basis.FORECAST
    _walls: dict[float, float] = field(default_factory=dict)  # of the calls without data, by seconds of audio
    _rate: float = 0.0  # seconds for a second of real audio

    def run(self, tasks: Iterable[Task]) -> tuple[GpuForecast, tuple[object, ...]]:
        """All questions; RAM, time and disk are known where the calls could be followed.

        Raises:
            MachineError: our own child did not start.
        """
        contract = self.rules.contract
        began = self._begin()
        seconds = contract.official_samples / self.rate_hz
        real = self._real(contract.official_batch, seconds, profiled=True) if began else None
        if real is None:
            return self._gpu(None, None, 0.0), ()
        symbolic = self._symbolic(real.batch, real.seconds)
        follows = symbolic is not None and symbolic.same_course(real) and symbolic.shape == real.shape
        if not follows:
            self.failures.append(_why_not(real, symbolic))
            self._extrapolate()
        for batch, seconds in {*self._required, FULL, SINGLE}:
            self._point(batch, seconds)
        cpu_s = self._cpu_rate(real)
        worst = self._worst()
        factor = self._gradient_factor() if follows else 0.0
        gpu = self._gpu(real, worst, factor)
        return gpu, self._costs(tasks, worst, cpu_s)

    def _begin(self) -> bool:
        """Load it; whether that went well."""
        self.on_call("a pretended GPU, with books")
        question = {"ask": "trial", "step": "build", **where(self.session, self.target), "device": "cpu"}
        answer = self.session.ask(question, timeout_s=self.load_s)
        if answer.outcome.ending is not Ending.ANSWERED:
            self.failures.append(f"loading on a pretended GPU: {answer.outcome}")
        return not self.failures

    def _real(self, batch: int, seconds: float, *, profiled: bool) -> Trace | None:
        """A call with real tensors."""
        audio = quiet_noise(self.seed, batch, round(seconds * self.rate_hz))
        self.on_call(f"{batch} x {seconds:g} s")
        question = {"ask": "trial", "step": "real", "shape": list(audio.shape), "profiled": profiled}
        start = time.monotonic()
        trace = self._ask(question, audio.data.cast("B"), batch, seconds)
        self._rate = (time.monotonic() - start) / (batch * seconds)
        return trace

    def _symbolic(self, batch: int, seconds: float, *, grad: bool = False) -> Trace | None:
        """A call without data."""
        self.on_call(f"{batch} x {seconds:g} s, without data")
        samples = round(seconds * self.rate_hz)
        question = {"ask": "trial", "step": "symbolic", "batch": batch, "samples": samples, "grad": grad}
        start = time.monotonic()
        with Watched(self.session.resident_bytes) as watched:
            trace = self._ask(question, b"", batch, seconds)
        self._walls[batch * seconds] = max(self._walls.get(batch * seconds, 0.0), time.monotonic() - start)
        if trace and (batch, seconds) in self.rules.budget.calls:
            self.host_growth = max(self.host_growth, watched.growth)
        return trace

    def _ask(self, question: dict[str, Any], payload: bytes | memoryview, batch: int, seconds: float) -> Trace | None:
        if self.failures and self.session.ended:
            return None
        answer = self.session.ask(question, payload, timeout_s=self.call_s)
        if answer.outcome.ending is not Ending.ANSWERED:
            self.failures.append(f"{batch} x {seconds:g} s: {answer.outcome}")
            return None
        try:
            return read_trace(answer.header, answer.payload, batch, seconds)
        except UNREADABLE as error:
            self.failures.append(
                f"{batch} x {seconds:g} s: the record of its memory cannot be read: {printable(str(error), limit=200)}"
            )
            return None

    def _extrapolate(self) -> None:
        """Two real calls in place of symbolic ones, as long as there is time for: memory grows as it is seen to."""
        self.basis = Basis.EXTRAPOLATED
        lengths = next((pair for pair in LADDER if self._rate * sum(pair) < REAL_S), LADDER[-1])
        short, long = (self._real(1, seconds, profiled=False) for seconds in lengths)
        if short and long:
            for clips, length in {*self._required, FULL, SINGLE}:
                self.traces[clips, length] = memory.extrapolate(short, long, clips, length)

    def _point(self, batch: int, seconds: float) -> Point | None:
        """What one call takes."""
        key = (batch, seconds)
        if key not in self.traces and self.basis is Basis.FORECAST:
            trace = self._symbolic(batch, seconds)
            if trace:
                self.traces[key] = trace
        if key in self.traces and key not in self.points:
            self.points[key] = memory.point(self.traces[key], self.rules.budget.machine.gpu, sure=self._sure)
        return self.points.get(key)

    @property
    def _sure(self) -> bool:
        seen = not self.outside and not any(trace.not_covered for trace in self.traces.values())
        return self.basis is Basis.FORECAST and seen

    def _worst(self) -> Trace | None:
        known = [self.traces[key] for key in self._required if key in self.traces]
        return max(known, key=lambda trace: self.points[trace.batch, trace.seconds].lower_bytes, default=None)

    @property
    def _required(self) -> tuple[tuple[int, float], ...]:
        return tuple((clips, float(seconds)) for clips, seconds in self.rules.budget.calls)

    def _gradient_factor(self) -> float:
        """Memory with autograd over memory without, for a full batch."""
        plain, graph = self.traces.get(FULL), self._symbolic(*FULL, grad=True)
        return graph.peak_bytes / plain.peak_bytes if plain and graph and plain.peak_bytes else 0.0

    def _cpu_rate(self, real: Trace) -> float:
        """Seconds of the CPU for a second of audio, by a longer call where there is time for it."""
        batch, seconds = SINGLE
        longer = self._real(batch, seconds, profiled=False) if self._rate * seconds < REAL_S else None
        return longer.cpu_s / seconds if longer else real.cpu_s / (real.batch * real.seconds)

    def _gpu(self, real: Trace | None, worst: Trace | None, factor: float) -> GpuForecast:
        gpu = self.rules.budget.machine.gpu
        batch, longest = self._limits() if self.basis is Basis.FORECAST and worst else (None, None)
        if worst and self._sure:
            for key in DOUBLING:
                self._point(*key)
        shorter, longer = (self.traces.get(key) for key in DOUBLING)
        error = memory.books_error(real) if real else 0.0
        return GpuForecast(
            basis=self.basis,
            card=gpu.name,
            limit_bytes=gpu.total_bytes,
            points=tuple(self.points[key] for key in sorted(self.points)),
            required=self._required,
            weights_bytes=worst.weights_bytes if worst else 0,
            largest_batch=batch,
            longest_s=longest,
            largest=worst.largest if worst else (),
            quadratic=memory.quadratic(shorter, longer, gpu) if shorter and longer else None,
            books_error=error,
            gradient_factor=factor,
            not_covered=self._not_covered(error),
            timeline=worst.timeline() if worst else (),
        )

    def _not_covered(self, error: float) -> tuple[str, ...]:
        found = [f"{name} takes memory of its own, outside torch" for name in self.outside]
        found += [trace.not_covered for trace in self.traces.values() if trace.not_covered]
        guessed = sorted({word for trace in self.traces.values() for word in trace.guessed})
        found += [f"taken to be as large as they can be: {', '.join(guessed)}"] if guessed else []
        if error < -BOOKS_TOLERANCE:
            found.append(f"{-error:.0%} of what the CPU's allocator gave is not accounted for")
        return tuple(dict.fromkeys((*self.failures, *found)))[:8]

    def _limits(self) -> tuple[Most | None, Most | None]:
        """The largest batch of ten seconds, and the longest single clip, as far as time allows."""
        until = time.monotonic() + self.rules.limits.search_s
        limit = self.rules.budget.machine.gpu.total_bytes

        def share(batch: int, seconds: float) -> float | None:
            if (batch, seconds) not in self.points and time.monotonic() + self._wall(batch * seconds) > until:
                return None
            point = self._point(batch, seconds)
            return point.upper_bytes / limit if point else None

        batch = search.largest(lambda clips: share(int(clips), FULL[1]), FULL[0], LARGEST_BATCH)
        until = time.monotonic() + self.rules.limits.search_s
        longest = search.largest(lambda seconds: share(1, seconds), PROMISED_S, LONGEST_S)
        return batch, longest

    def _wall(self, audio_s: float) -> float:
        """Seconds that a call without data will take: as the slowest, and more for more audio where that was seen."""
        (least, quick), (most, slow) = min(self._walls.items()), max(self._walls.items())
        growth = max(slow - quick, 0.0) / (most - least) if most > least else 0.0
        return max(self._walls.values()) + growth * max(audio_s - most, 0.0)

    def _costs(self, tasks: Iterable[Task], worst: Trace | None, cpu_s: float) -> tuple[object, ...]:
        machine = self.rules.budget.machine
        many, single = self.traces.get(FULL), self.traces.get(SINGLE)
        if worst is None or many is None or single is None:
            return ()
        call = max(memory.host_bytes(self.traces[key]) for key in self._required if key in self.traces)
        ram = cost.ram_forecast(
            self.loaded.peak_bytes,
            self.loaded.resident_bytes,
            worst.weights_bytes,
            max(call, self.host_growth),
            machine,
        )
        return ram, cost.time_forecast(many, single, cpu_s, tasks, machine)


def outside_torch(sources: SourceFacts | None) -> tuple[str, ...]:
    """Libraries that the reached files import and that take memory by themselves, on a GPU or beside it."""
    files = [sources.file(path) for path in sources.reached] if sources else []
    imported = (one for file in files if file for one in file.imports)
    return tuple(sorted({one.module.partition(".")[0] for one in imported if not one.local} & OUTSIDE))


def _why_not(real: Trace, symbolic: Trace | None) -> str:
    if symbolic is None:
        why = "it does not run without data"
    elif symbolic.shape != real.shape:
        why = f"lengths depend on values: {symbolic.shape} without data, {real.shape} with"
    else:
        why = f"it branches on values: {len(symbolic.work)} operations without data, {len(real.work)} with"
    return f"{why}, so that long calls are estimated from short ones"
