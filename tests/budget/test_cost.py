"""Hours, disk and RAM."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.budget.cost import card_seconds, embedding_rate, ram_forecast, time_forecast
from audio_encoder_checker.child.ledger import ON_CPU
from audio_encoder_checker.evaluation.tasks import Encoding, all_tasks
from audio_encoder_checker.evidence.budget import Fit, TimeForecast
from audio_encoder_checker.rules import load_machine
from tests.budget.traces import trace

MACHINE = load_machine("colab-t4")
RATES = MACHINE.gpu.rates
TASK = all_tasks()["esc50"]
GIB = 1 << 30


def test_each_operation_costs_its_arithmetic_or_its_memory_whichever_is_longer() -> None:
    work = ((RATES.float32, RATES.memory / 2, 1.0, 0), (RATES.float32 / 2, RATES.memory, 1.0, 0))
    assert card_seconds(trace(work=work), RATES) == pytest.approx(2 + 2 * RATES.launch_s)


def test_arithmetic_has_the_speed_of_its_dtype() -> None:
    for kind, speed in enumerate((RATES.float32, RATES.float16, RATES.bfloat16, RATES.float64)):
        assert card_seconds(trace(work=((speed, 1.0, 0.0, kind),)), RATES) == pytest.approx(1)


def test_steps_of_a_recurrent_layer_wait_for_one_another() -> None:
    assert card_seconds(trace(work=((0.0, 1.0, 1000.0, 0),)), RATES) == pytest.approx(1000 * RATES.launch_s, rel=1e-3)


def test_views_and_what_the_cpu_does_cost_the_card_nothing() -> None:
    assert card_seconds(trace(work=((0.0, 0.0, 1.0, 0), (1e12, 1e9, 1.0, ON_CPU))), RATES) == 0


def test_embeddings_are_float32() -> None:
    assert embedding_rate(trace(seconds=10.0, shape=(16, 500, 768))) == 50 * 768 * 4
    assert embedding_rate(trace(shape=(16, 768))) == 0


class TestTime:
    MANY = trace(16, 10.0, shape=(16, 500, 768), work=((160 * RATES.float32, 1.0, 0.0, 0),), weights=10**9)
    ONE = trace(1, 10.0, shape=(1, 500, 768), work=((50 * RATES.float32, 1.0, 0.0, 0),))

    def forecast(self, encoding: Encoding, cpu_s: float = 0.0) -> TimeForecast:
        return time_forecast(self.MANY, self.ONE, cpu_s, [replace(TASK, encoding=encoding)], MACHINE)

    def test_hours_grow_with_those_of_the_audio(self) -> None:
        (task,) = self.forecast(Encoding(batch=16, hours=(10.0, 20.0))).tasks
        assert task.hours == pytest.approx((10 / RATES.factor, 20 * RATES.factor))  # a second of card a second of audio

    def test_a_task_of_single_clips_has_their_speed(self) -> None:
        (task,) = self.forecast(Encoding(batch=1, hours=(10.0, 10.0))).tasks
        assert task.hours == pytest.approx((50 / RATES.factor, 50 * RATES.factor))

    def test_the_cpu_comes_on_top(self) -> None:
        forecast = self.forecast(Encoding(batch=16, hours=(10.0, 10.0)), cpu_s=3.0)
        assert forecast.hours[0] == pytest.approx(40 / RATES.factor)
        assert forecast.cpu_share == pytest.approx(0.75)

    def test_a_task_of_unknown_size_is_left_out(self) -> None:
        assert self.forecast(Encoding(batch=16)).tasks == ()

    def test_disk_is_what_the_frames_take(self) -> None:
        forecast = self.forecast(Encoding(batch=16, hours=(1.0, 2.0)))
        assert forecast.disk_bytes == (3600 * 153_600, 7200 * 153_600)

    def test_weights_are_downloaded_at_a_slow_and_a_fast_rate(self) -> None:
        slow, fast = MACHINE.download_rate
        assert self.forecast(Encoding()).download_s == (10**9 / fast, 10**9 / slow)


class TestRam:
    def test_loading_or_calling_whichever_takes_more(self) -> None:
        least = MACHINE.cuda_bytes[0] + MACHINE.system_bytes[0]
        loading = ram_forecast(6 * GIB, 3 * GIB, 2 * GIB, 0, MACHINE)
        calling = ram_forecast(3 * GIB, 3 * GIB, 2 * GIB, 5 * GIB, MACHINE)
        assert loading.lower_bytes == 6 * GIB + least
        assert calling.lower_bytes == 6 * GIB + least

    def test_what_stayed_is_the_least_that_loading_took(self) -> None:
        """The kernel's counter leaves out files that are mapped."""
        assert ram_forecast(1 * GIB, 3 * GIB, 2 * GIB, 0, MACHINE).loading_bytes == 3 * GIB

    @pytest.mark.parametrize(("gib", "fit"), [(8, Fit.FITS), (10, Fit.BORDERLINE), (11.5, Fit.TOO_LARGE)])
    def test_verdicts(self, gib: float, fit: Fit) -> None:
        found = ram_forecast(int(gib * GIB), GIB, 0, 0, MACHINE)
        assert found.fit is fit
        assert found.lower_bytes < found.upper_bytes

    def test_a_checkpoint_beside_the_module_is_told(self) -> None:
        assert ram_forecast(10 * GIB, 5 * GIB, 5 * GIB, 0, MACHINE).held_twice
        assert not ram_forecast(6 * GIB, 5 * GIB, 5 * GIB, 0, MACHINE).held_twice
