"""Measuring with a child that plays a GPU: what is asked of it, and what is made of its answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from audio_encoder_checker.evidence.budget import Basis, Fit
from audio_encoder_checker.evidence.run import Ending, Outcome
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.sandbox.ask import Answer
from audio_encoder_checker.stages.measure import read_call, with_measured
from tests.forecasts import forecast

if TYPE_CHECKING:
    from audio_encoder_checker.sandbox.ask import Session
    from audio_encoder_checker.stages.budget import Trial

GIB, MIB = 1 << 30, 1 << 20
GOOD = {"fits": True, "seconds": 0.5, "allocated": 3 * GIB, "reserved": 4 * GIB, "retries": 0}


@dataclass
class Card:
    """A session on a GPU, with an encoder that takes so many bytes for a second of a clip."""

    per_second: int
    device: str = "cuda:0"
    dies_at: float = 1e9
    ended: Outcome | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, question: dict[str, Any], *, timeout_s: float) -> Answer:
        assert timeout_s == 30
        self.asked.append(question)
        clips, samples = question["shape"]
        if samples / 16000 >= self.dies_at:
            self.ended = Outcome(Ending.KILLED, 1.0)
            return Answer(self.ended)
        taken = int(self.per_second * clips * samples / 16000)
        fits = taken <= question["limit_bytes"]
        header = {
            **GOOD,
            "fits": fits,
            "allocated": min(taken, question["limit_bytes"]),
            "reserved": taken if fits else 0,
        }
        return Answer(Outcome(Ending.ANSWERED, 0.1), header)


def measured(card: Card) -> Any:
    rules = load_rules()
    rules = replace(rules, limits=replace(rules.limits, search_s=5.0))
    trial = SimpleNamespace(rules=rules, rate_hz=16000, call_s=30, on_call=lambda _words: None)
    return with_measured(forecast(), cast("Session", card), cast("Trial", trial))


def test_without_a_gpu_the_forecast_stands() -> None:
    card = Card(MIB, device="cpu")
    assert measured(card) == forecast()
    assert card.asked == []


def test_what_is_measured_counts_and_the_forecast_stands_beside_it() -> None:
    card = Card(8 * MIB)
    found = measured(card)
    assert (found.basis, found.fit) == (Basis.MEASURED, Fit.FITS)
    assert found.measured.of(1, 600.0).allocated_bytes == 4800 * MIB
    assert found.error(found.measured.of(1, 600.0)) == pytest.approx(
        (7.75 * GIB - found.measured.context_bytes[0]) / (4800 * MIB) - 1
    )
    gpu = load_rules().budget.machine.gpu
    for question in card.asked:
        assert (question["limit_bytes"], question["capability"]) == (gpu.cap_bytes, [7, 5])


def test_what_does_not_fit_is_refused_and_the_limits_are_found() -> None:
    found = measured(Card(40 * MIB))  # 600 s take 23 GiB
    assert found.fit is Fit.TOO_LARGE
    cap = load_rules().budget.machine.gpu.cap_bytes
    assert cap / (40 * MIB) / 1.06 < found.longest_s.value <= cap / (40 * MIB) + 1
    assert cap / (400 * MIB) / 1.06 - 1 < found.largest_batch.value <= cap / (400 * MIB)


def test_a_child_that_dies_leaves_what_was_measured() -> None:
    card = Card(MIB, dies_at=600)
    found = measured(card)
    assert {(call.batch, call.seconds) for call in found.measured.calls} == {(16, 10.0), (16, 35.0)}
    assert len(card.asked) == 3


def test_where_nothing_came_back_the_forecast_stands() -> None:
    assert measured(Card(MIB, dies_at=0)) == forecast()


@pytest.mark.parametrize(
    "changes",
    [
        {"fits": "yes"},
        {"fits": None},
        {"seconds": None},
        {"seconds": float("nan")},
        {"seconds": -1},
        {"allocated": -1},
        {"allocated": 1 << 60},
        {"allocated": 1.5},
        {"reserved": None},
        {"retries": "0"},
    ],
)
def test_numbers_that_make_no_sense_are_none(changes: dict[str, Any]) -> None:
    assert read_call({**GOOD, **changes}, 1, 10.0, 0) is None
    assert read_call(GOOD, 1, 10.0, 5) is not None
