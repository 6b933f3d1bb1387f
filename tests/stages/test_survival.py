"""The survival map: what is called, what is forecast, and where it stops."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from audio_encoder_checker.evidence.contract import CellState, HopFit, SurvivalMap, Trace
from audio_encoder_checker.evidence.run import Ending, Outcome
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.stages.survival import Survey, hop_fit, judged
from tests.literals import ended, raised, tensor, trace, usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from audio_encoder_checker.stages.contract import Interview

GIB = 2**30


@dataclass
class Played:
    """An interview whose encoder takes a given time and memory."""

    cost: Callable[[int, float], Outcome]
    memory: Callable[[int, float], int] = lambda _batch, _seconds: 0
    survival_s: float = 10.0
    timeout_s: float = 300.0
    chunks: tuple[int, ...] = ()
    frames: Callable[[int, int], int] = lambda _batch, samples: samples
    rate_hz: float = 100.0
    dim: float = 4
    traces: list[Trace] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rules = replace(load_rules().contract, survival_s=self.survival_s)
        self.peak = GIB
        self.session = SimpleNamespace(
            usage=lambda: usage(peak_memory_bytes=self.peak),
            limits=SimpleNamespace(memory_bytes=12 * GIB, answer_bytes=1 << 29),
            ended=None,
        )

    def samples(self, seconds: float) -> int:
        return max(round(seconds * self.rate_hz), 1)

    def noise(self, batch: int, samples: int) -> Any:
        return np.zeros((batch, samples), dtype="float32")

    def call(self, audio: Any, label: str = "", **_announced: float) -> Any:
        batch, samples = audio.shape
        outcome = self.cost(batch, samples / self.rate_hz)
        self.peak = max(self.peak, GIB + self.memory(batch, samples / self.rate_hz))
        self.session.ended = None if outcome.ending.alive else outcome
        returned = tensor(batch, self.frames(batch, samples), 4) if outcome.ending is Ending.ANSWERED else None
        self.traces.append(Trace(label, batch, samples, samples / self.rate_hz, outcome, returned))
        return SimpleNamespace(outcome=outcome, comparable=None)

    def ask(self, _audio: Any, **_manner: Any) -> Any:
        return SimpleNamespace(chunks=self.chunks, comparable=None)


def took(seconds: float) -> Outcome:
    return Outcome(Ending.ANSWERED, seconds)


def survey(played: Played) -> SurvivalMap:
    return cast("SurvivalMap", Survey(cast("Interview", played)).run()[0])


def states(found: SurvivalMap, batch: int) -> list[CellState]:
    return [cell.state for cell in found.cells if cell.batch == batch]


def test_a_fast_encoder_is_called_at_every_length_and_batch() -> None:
    found = survey(Played(lambda _batch, _seconds: took(0.001)))
    assert len(found.cells) == 27
    assert {cell.state for cell in found.cells} == {CellState.OK}
    assert found.stopped == ""


def test_larger_batches_are_called_while_their_time_lasts() -> None:
    played = Played(lambda batch, seconds: took(batch * seconds / 50))
    found = survey(played)
    assert states(found, 1) == [CellState.OK] * 9
    made = sum(t.outcome.seconds for t in played.traces if t.batch > 1)
    assert made <= played.survival_s
    forecast = [cell for cell in found.cells if cell.state is CellState.FORECAST]
    told = [(cell.batch, cell.seconds, round(cell.wall_s)) for cell in forecast]
    assert told == [(2, 600.0, 24), (16, 30.0, 10), (16, 60.0, 19), (16, 600.0, 192)]
    assert forecast[0].why.startswith("would take 24 s, ")


def test_ten_minutes_are_not_tried_where_time_that_grows_with_the_square_would_not_do() -> None:
    found = survey(Played(lambda _batch, seconds: took(seconds**2 / 500)))
    (longest,) = (cell for cell in found.cells if cell.batch == 1 and cell.seconds == 600)
    assert longest.state is CellState.FORECAST
    assert longest.wall_s == pytest.approx(720)


def test_a_batch_that_would_take_the_memory_is_not_tried() -> None:
    found = survey(Played(lambda _batch, _seconds: took(0.1), lambda _batch, seconds: int(seconds * GIB / 100)))
    by_place = {(cell.batch, cell.seconds): cell for cell in found.cells}
    assert by_place[1, 600.0].state is CellState.OK
    assert by_place[16, 60.0].why == "would take about 11 GiB of RAM"
    assert by_place[2, 60.0].state is CellState.OK


def test_the_map_stops_where_memory_ends_and_says_so() -> None:
    full = raised("RuntimeError", "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    played = Played(lambda _batch, seconds: full if seconds > 20 else took(0.001))
    found = survey(played)
    assert states(found, 1) == [CellState.OK] * 6 + [CellState.OUT_OF_MEMORY] + [CellState.NOT_TRIED] * 2
    assert set(states(found, 16)) == {CellState.NOT_TRIED}
    assert found.stopped == "stopped at 1 clip of 30 s: out of memory"


def test_the_map_stops_where_the_child_ends() -> None:
    found = survey(Played(lambda _batch, seconds: ended(Ending.KILLED, "signal 11") if seconds > 5 else took(0.001)))
    assert found.stopped == "stopped at 1 clip of 10 s: failed"


def test_a_length_that_fails_alone_is_not_tried_in_company() -> None:
    found = survey(Played(lambda _batch, seconds: raised() if seconds < 0.2 else took(0.001)))
    assert states(found, 16)[:3] == [CellState.FORECAST, CellState.FORECAST, CellState.OK]
    assert found.cells[9].why == "1 clip of 0.025 s: failed"


def test_an_answer_without_frames_is_no_success_and_company_is_tried_all_the_same() -> None:
    played = Played(lambda _batch, _seconds: took(0.001), frames=lambda batch, samples: samples if batch > 1 else 0)
    found = survey(played)
    assert set(states(found, 1)) == {CellState.NO_FRAMES}
    assert set(states(found, 16)) == {CellState.OK}


def test_lengths_around_the_encoders_own_chunk_are_called() -> None:
    played = Played(lambda _batch, _seconds: took(0.001), chunks=(10, 1000))
    found = survey(played)
    assert found.chunk_samples == 1000
    assert [(t.samples, t.label) for t in played.traces if t.label] == [
        (999, "999 samples"),
        (1000, "1000 samples"),
        (1001, "1001 samples"),
    ]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (took(1.0), CellState.OK),
        (raised(), CellState.FAILED),
        (raised("OutOfMemoryError", "CUDA out of memory. Tried to allocate 20 GiB"), CellState.OUT_OF_MEMORY),
        (ended(Ending.OUT_OF_MEMORY, "more than 12 GiB"), CellState.OUT_OF_MEMORY),
        (ended(Ending.TIMED_OUT, "no answer within 5 s"), CellState.TOO_SLOW),
        (ended(Ending.EXITED, "exit status 0"), CellState.FAILED),
    ],
)
def test_a_cell_follows_from_the_outcome(outcome: Outcome, state: CellState) -> None:
    assert judged(outcome)[0] is state


def fit(*points: tuple[int, int]) -> HopFit | None:
    return hop_fit([trace(tensor(1, frames, 4), batch=1, samples=samples) for samples, frames in points])


def test_the_hop_is_the_slope_and_not_the_ratio() -> None:
    found = fit((16_000, 99), (160_000, 999), (480_000, 2999))
    assert found is not None
    assert found.measured_ms == pytest.approx(10.0)
    assert found.offset_frames == pytest.approx(-1.0)


def test_lengths_that_are_padded_to_one_window_count_once() -> None:
    found = fit((8000, 1500), (160_000, 1500), (480_000, 1500), (960_000, 3000), (9_600_000, 30_000))
    assert found is not None
    assert (found.plain_ms, found.cut_s) == (20.0, 0.0)


def test_frames_that_stop_growing_are_a_cut_and_no_hop() -> None:
    found = fit((16_000, 100), (160_000, 1000), (480_000, 1000), (9_600_000, 1000))
    assert found is not None
    assert (found.plain_ms, found.cut_s) == (10.0, 10.0)


def test_frames_that_do_not_grow_have_no_hop_and_one_length_has_no_fit() -> None:
    found = fit((160_000, 1500), (480_000, 1500))
    assert found is not None
    assert found.measured_ms is None
    assert fit((160_000, 1500), (160_000, 1500)) is None


class TestMemoryOfASingleClip:
    """It is called at every length, but not where shorter ones say that it would end the process."""

    def longest(self, memory: Callable[[int, float], int]) -> CellState:
        played = Played(lambda _batch, seconds: Outcome(Ending.ANSWERED, seconds / 1000), memory)
        survey = Survey(cast("Interview", played))
        survey.run()
        return survey.cells[1, 600.0].state

    def test_attention_that_would_not_fit_is_not_called(self) -> None:
        assert self.longest(lambda batch, seconds: int(batch * 1e6 * seconds**2)) is CellState.FORECAST

    def test_what_grows_with_the_length_is_called_if_it_fits(self) -> None:
        assert self.longest(lambda batch, seconds: int(batch * 1e7 * seconds)) is CellState.OK
        assert self.longest(lambda batch, seconds: int(batch * 3e7 * seconds)) is CellState.FORECAST

    def test_chunks_are_called(self) -> None:
        assert self.longest(lambda batch, seconds: int(batch * 1e8 * min(seconds, 30))) is CellState.OK

    def test_what_hardly_shows_is_called(self) -> None:
        assert self.longest(lambda _batch, _seconds: 0) is CellState.OK
