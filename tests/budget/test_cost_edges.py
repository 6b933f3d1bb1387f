"""Seconds and bytes worked out by hand, on a card of round numbers, and verdicts to the byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.budget.cost import card_seconds, embedding_rate, per_second, ram_forecast, time_forecast
from audio_encoder_checker.child.ledger import ON_CPU
from audio_encoder_checker.evaluation.tasks import Encoding, all_tasks
from audio_encoder_checker.evidence.budget import Fit, RamForecast, TaskCost
from audio_encoder_checker.machines import Rates
from audio_encoder_checker.rules import load_machine
from tests.budget.traces import trace

RATES = Rates(float32=100.0, float16=800.0, bfloat16=50.0, float64=10.0, memory=1000.0, launch_s=0.25, factor=2.0)
COLAB = load_machine("colab-t4")
MACHINE = replace(
    COLAB,
    gpu=replace(COLAB.gpu, rates=RATES),
    ram_bytes=10_000,
    system_bytes=(100, 300),
    cuda_bytes=(1000, 2000),
    disk_bytes=777,
    session_hours=9.0,
    download_rate=(10, 40),
)
TASK = all_tasks()["esc50"]


class TestCard:
    @pytest.mark.parametrize(
        ("row", "seconds"),
        [
            ((400.0, 1000.0, 1.0, 0), 4.25),  # 4 s of arithmetic hide one of memory
            ((400.0, 9000.0, 1.0, 0), 9.25),  # 9 s of memory hide them
            ((400.0, 1000.0, 1.0, 1), 1.25),  # half a second in float16
            ((400.0, 1000.0, 1.0, 2), 8.25),  # bfloat16 is emulated
            ((400.0, 1000.0, 1.0, 3), 40.25),
            ((400.0, 1000.0, 1.0, 7), 40.25),  # what is not known is taken to be the slowest
            ((400.0, 1000.0, 20.0, 0), 9.0),  # twenty steps, each launched
            ((0.0, 1.0, 0.0, 0), 0.001),
            ((400.0, 0.0, 1.0, 0), 0.0),  # a view moves nothing
            ((400.0, 1000.0, 1.0, ON_CPU), 0.0),
            ((400.0, 1000.0, 1.0, ON_CPU + 3), 0.0),
        ],
    )
    def test_an_operation(self, row: tuple[float, float, float, int], seconds: float) -> None:
        assert card_seconds(trace(work=(row,)), RATES) == pytest.approx(seconds)

    def test_operations_wait_for_one_another(self) -> None:
        rows = ((400.0, 1000.0, 1.0, 0), (1.0, 3000.0, 1.0, 0), (9e9, 9e9, 9.0, ON_CPU))
        assert card_seconds(trace(work=rows), RATES) == pytest.approx(4.25 + 3.25)

    def test_a_call_is_shared_by_all_seconds_of_all_clips(self) -> None:
        assert per_second(trace(5, 2.0, work=((400.0, 1.0, 0.0, 0),)), RATES) == pytest.approx(0.4)

    def test_embeddings_of_one_clip_are_counted_whatever_the_batch(self) -> None:
        assert (
            embedding_rate(trace(16, 2.0, shape=(16, 25, 3))) == embedding_rate(trace(1, 2.0, shape=(1, 25, 3))) == 150
        )


class TestTime:
    MANY = trace(10, 1.0, shape=(10, 5, 2), work=((1000.0, 1.0, 0.0, 0),), weights=800)  # 1 s a second
    ONE = trace(1, 1.0, shape=(1, 7, 9), work=((300.0, 1.0, 0.0, 0),))  # 3 s a second

    def test_each_task_of_known_size_is_told_in_order(self) -> None:
        encodings = (
            ("b", Encoding(batch=1, hours=(2.0, 3.0))),
            ("none", Encoding()),
            ("a", Encoding(batch=16, hours=(1.0, 1.0))),
        )
        tasks = [replace(TASK, id=name, encoding=encoding) for name, encoding in encodings]
        found = time_forecast(self.MANY, self.ONE, 0.5, tasks, MACHINE)
        assert found.tasks == (
            TaskCost("b", (2 * 3.5 / 2, 3 * 3.5 * 2), (2 * 3600 * 40, 3 * 3600 * 40)),
            TaskCost("a", (1.5 / 2, 1.5 * 2), (3600 * 40, 3600 * 40)),
        )

    def test_what_the_machine_allows_and_the_encoder_takes_stands_beside(self) -> None:
        found = time_forecast(self.MANY, self.ONE, 0.5, (), MACHINE)
        assert (found.session_hours, found.disk_limit_bytes, found.factor) == (9.0, 777, 2.0)
        assert (found.gpu_s, found.cpu_s, found.bytes_per_s) == (1.0, 0.5, 40.0)
        assert found.download_s == (20.0, 80.0)

    def test_clips_of_any_batch_but_one_have_the_speed_of_a_full_one(self) -> None:
        for batch, hours in ((1, 3.0), (2, 1.0), (32, 1.0)):
            task = replace(TASK, encoding=Encoding(batch=batch, hours=(1.0, 1.0)))
            (found,) = time_forecast(self.MANY, self.ONE, 0.0, [task], MACHINE).tasks
            assert found.hours == (hours / 2, hours * 2)


class TestRam:
    @pytest.mark.parametrize(
        ("most", "fit"),
        [
            (10_000 - 2300, Fit.FITS),
            (10_000 - 2299, Fit.BORDERLINE),
            (10_000 - 1100, Fit.BORDERLINE),
            (10_000 - 1099, Fit.TOO_LARGE),
        ],
    )
    def test_the_edges(self, most: int, fit: Fit) -> None:
        expected = RamForecast(10_000, most, 50, 20, most + 1100, most + 2300, fit)
        assert ram_forecast(most, 50, 20, 0, MACHINE) == expected

    def test_weights_leave_the_ram_before_a_call(self) -> None:
        assert ram_forecast(500, 500, 200, 1000, MACHINE).lower_bytes == 300 + 1000 + 1100

    def test_more_weights_than_stayed_leave_nothing_less_than_nothing(self) -> None:
        """Mapped files count for neither."""
        assert ram_forecast(500, 500, 9000, 1000, MACHINE).lower_bytes == 1000 + 1100
