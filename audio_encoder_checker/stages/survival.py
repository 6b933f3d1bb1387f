"""Lengths by batch sizes: which calls the encoder survives, and how long they take.

One clip at a time is called at every length, since MAESTRO and the challenge's ten minutes ask for it; larger batches
as far as time and memory allow, by what smaller calls took. A call that is not made says so and why.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.behaviour import Repeatability
from audio_encoder_checker.evidence.contract import Cell, CellState, HopFit, SurvivalMap, chunk_label, clips_in_words
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.stages.compare import difference
from audio_encoder_checker.stages.waves import QUIET

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evidence.contract import Trace
    from audio_encoder_checker.evidence.run import Outcome
    from audio_encoder_checker.stages.contract import Interview

LONGEST_CALL = 2 / 3
"""Of the time a call may take: what is forecast to take longer is not tried."""
MEMORY_SHARE = 0.7
"""Of the memory limit that a batch may be forecast to take: the forecast is rough, and passing the limit is the end."""
CUT = 1.5
"""Audio so many times longer that gives no more frames is cut, and not rounded."""
NOTABLE_BYTES = 16 << 20
"""Memory below says nothing of how it grows."""
MEASURABLE_S = 0.02
"""Shorter calls are mostly overhead and tell nothing of how time grows."""
NOISE_SECONDS = 10.0
HANDED_OVER = 3e8
"""Bytes of audio a second that can be handed over, and a little less."""
CHUNK_CALL_S, CHUNK_AUDIO_S = 3.0, 100.0
"""A call to look for the encoder's own chunk length may take so long, with so much audio."""
OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "Unable to allocate")


class Survey:
    """The map of one encoder."""

    def __init__(self, interview: Interview) -> None:
        self.interview = interview
        self.lengths = sorted(interview.rules.lengths_s)
        self.cells: dict[tuple[int, float], Cell] = {}
        self.walls: dict[float, float] = {}
        self.growth: dict[float, int] = {}
        self.answers: dict[float, NDArray[Any] | None] = {}
        self.base = interview.session.usage().peak_memory_bytes
        self.stopped = ""
        self.chunk_samples = 0
        self.left_s = interview.rules.survival_s
        self.noise = interview.noise(1, interview.samples(NOISE_SECONDS)) * QUIET

    def run(self) -> tuple[object, ...]:
        """Fill the map; `SurvivalMap`, and `HopFit` where two lengths gave frames."""
        for seconds in self.lengths:
            self._cell(1, seconds)
        self._look_closer()
        for batch in sorted(set(self.interview.rules.survival_batches) - {1}):
            for seconds in self.lengths:
                self._cell(batch, seconds)
        facts: list[object] = [SurvivalMap(tuple(self.cells.values()), self.stopped, self.chunk_samples)]
        hop = hop_fit(self.interview.traces)
        return (*facts, hop) if hop else tuple(facts)

    def _cell(self, batch: int, seconds: float) -> None:
        forecast = self._forecast(batch, seconds)
        why = self.stopped or self._too_long(batch, seconds, forecast) or self._too_much(batch, seconds)
        if why:
            state = CellState.NOT_TRIED if self.stopped else CellState.FORECAST
            self.cells[batch, seconds] = Cell(seconds, batch, state, forecast, why)
            return
        audio = self._audio(batch, self.interview.samples(seconds))
        call = self.interview.call(audio, forecast_s=forecast)
        outcome = call.outcome
        cell = Cell(seconds, batch, *judged(outcome))
        if cell.state is CellState.OK and not self.interview.traces[-1].frames:
            cell = replace(cell, state=CellState.NO_FRAMES)
        self.cells[batch, seconds] = cell
        if batch == 1:
            self.walls[seconds] = outcome.seconds
            if outcome.seconds < CHUNK_CALL_S and seconds <= CHUNK_AUDIO_S:
                self.answers = {seconds: call.comparable}  # of the longest only: it may be large
            self.growth[seconds] = self.interview.session.usage().peak_memory_bytes - self.base
        else:
            self.left_s -= outcome.seconds
        state = self.cells[batch, seconds].state
        if self.interview.session.ended or state is CellState.OUT_OF_MEMORY:
            self.stopped = f"stopped at {clips_in_words(batch, seconds)}: {state.value}"

    def _audio(self, batch: int, samples: int) -> NDArray[np.float32]:
        """Noise 20 dB below full scale, over and over: what is asked here does not depend on it."""
        import numpy as np

        return np.resize(self.noise, (batch, samples))

    def _forecast(self, batch: int, seconds: float) -> float:
        """Seconds a call would take, by the longest ones of a single clip; 0 if nothing is known."""
        known = [(s, wall) for s, wall in self.walls.items() if wall > MEASURABLE_S]
        if not known:
            return 0.0
        if seconds in self.walls:
            audio_bytes = 4 * batch * self.interview.samples(seconds)
            return self.walls[seconds] * batch + audio_bytes / HANDED_OVER
        (length, wall) = known[-1]
        power = 1.0
        if len(known) > 1:
            power = math.log(wall / known[-2][1]) / math.log(length / known[-2][0])
        return wall * float((seconds / length) ** min(max(power, 1.0), 2.0)) * batch

    def _too_long(self, batch: int, seconds: float, forecast: float) -> str:
        most = LONGEST_CALL * self.interview.timeout_s if batch == 1 else self.left_s
        if forecast > most:
            return f"would take {forecast:.0f} s, {most:.0f} s may be used"
        failed = self.cells.get((1, seconds))
        if batch > 1 and failed and failed.state not in (CellState.OK, CellState.NO_FRAMES):
            return f"{clips_in_words(1, seconds)}: {failed.state.value}"
        return ""

    def _too_much(self, batch: int, seconds: float) -> str:
        """Why a call would take too much memory, by what shorter or single clips added to the peak and returned.

        On a GPU it might fit: that is for the budget stage to say.
        """
        limits = self.interview.session.limits
        peak = self.base + (batch * max(self.growth.get(seconds, 0), 0) if batch > 1 else self._growth(seconds))
        if peak > MEMORY_SHARE * limits.memory_bytes:
            return f"would take about {peak / 2**30:.2g} GiB of RAM"
        samples = self.interview.samples(seconds)
        frames = next((t.frames for t in self.interview.traces if t.batch == 1 and t.samples == samples), 0) or 0
        if frames * batch * (self.interview.dim or 1) * 4 > limits.answer_bytes:
            return "its embeddings are larger than may leave the box"
        return ""

    def _growth(self, seconds: float) -> float:
        """Bytes that a clip would add to the peak, by the two longest: as a sum of length and its square, or less."""
        known = [(length, size) for length, size in self.growth.items() if size > NOTABLE_BYTES]
        if len(known) < 2:
            return 0.0
        (short, less), (long, more) = known[-2:]
        if more / long <= less / short:
            power = max(math.log(more / less) / math.log(long / short), 0.0)
            return more * float((seconds / long) ** power)
        square = (more / long - less / short) / (long - short)
        return (more / long - square * long) * seconds + square * seconds**2

    def _look_closer(self) -> None:
        """Repeat a long call, see into which lengths the encoder cuts it; call one sample less, as many, one more."""
        if self.stopped or not self.answers:
            return
        ((seconds, first),) = self.answers.items()
        audio = self._audio(1, self.interview.samples(seconds))
        again = self.interview.ask(audio).comparable
        if first is not None and again is not None:
            self.interview.note_repetition(Repeatability(difference(first, again), seconds))
        call = self.interview.ask(audio, observe="chunks")  # under the eyes of others torch takes slower paths
        least = self.interview.rate_hz / 4
        self.chunk_samples = next((chunk for chunk in call.chunks if chunk >= least), 0)
        for samples in (self.chunk_samples - 1, self.chunk_samples, self.chunk_samples + 1):
            if self.chunk_samples:
                self.interview.call(self._audio(1, samples), chunk_label(samples))


def judged(outcome: Outcome) -> tuple[CellState, float, str]:
    """A cell's state, seconds and reason, by how its call ended."""
    ending = outcome.ending
    if ending is Ending.ANSWERED:
        return CellState.OK, outcome.seconds, ""
    why = str(outcome)
    if ending is Ending.OUT_OF_MEMORY or (outcome.raised and any(words in why for words in OUT_OF_MEMORY)):
        return CellState.OUT_OF_MEMORY, outcome.seconds, why
    if ending in (Ending.TIMED_OUT, Ending.STAGE_TIMED_OUT):
        return CellState.TOO_SLOW, outcome.seconds, why
    return CellState.FAILED, outcome.seconds, why


def hop_fit(traces: list[Trace]) -> HopFit | None:
    """A least-squares line of frames over seconds through the calls with one clip; None with fewer than two lengths.

    Lengths that are padded to one number of frames count once, by the longest; those that give no more frames than a
    shorter one are cut.
    """
    import numpy as np

    points = _frames_by_length(traces)
    if len(points) < 2:
        return None
    most = max(count for _, count in points)
    full = next(seconds for seconds, count in points if count == most)
    cut_s = full if points[-1][0] >= CUT * full else 0.0
    growing = [point for point in points if point[0] <= full]
    padded = [seconds for seconds, count in growing if count == growing[0][1]]
    line = [point for point in growing if point[0] >= padded[-1]]
    if len(line) < 2:
        return HopFit(None, 0.0, tuple(points))
    lengths, counts = [point[0] for point in line], [point[1] for point in line]
    slope, offset = (float(value) for value in np.polyfit(lengths, counts, 1))
    return HopFit(1000 / slope, offset, tuple(points), cut_s)


def _frames_by_length(traces: list[Trace]) -> list[tuple[float, int]]:
    """Seconds, and the most frames that one clip of them gave, by length."""
    frames: dict[float, int] = {}
    for trace in traces:
        if trace.batch == 1 and trace.frames:
            frames[trace.seconds] = max(trace.frames, frames.get(trace.seconds, 0))
    return sorted(frames.items())
