"""Which device is chosen, on whatever machine the tests run."""

from __future__ import annotations

import pytest

from audio_encoder_checker.devices import choose_device, gpu_gauge, gpus
from audio_encoder_checker.errors import UsageError


def test_cpu_is_always_there() -> None:
    assert choose_device("cpu") == "cpu"


def test_auto_takes_a_gpu_where_the_driver_shows_one() -> None:
    assert choose_device("auto") == ("cuda:0" if gpus() else "cpu")


@pytest.mark.parametrize("wanted", ["gpu", "cuda:x", "cuda:", "mps", ""])
def test_an_unknown_word_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="unknown device"):
        choose_device(wanted)


def test_a_gpu_that_is_not_there_is_refused_with_the_count() -> None:
    with pytest.raises(UsageError, match=f"shows {len(gpus())} GPUs"):
        choose_device("cuda:99")


@pytest.mark.skipif(bool(gpus()), reason="there is a GPU")
def test_without_a_driver_no_memory_is_in_use() -> None:
    with gpu_gauge("cuda:0") as used:
        assert used() == 0


@pytest.mark.skipif(not gpus(), reason="there is no GPU")
def test_the_driver_tells_how_much_is_in_use() -> None:
    with gpu_gauge("cuda:0") as used:
        assert used() > 0
