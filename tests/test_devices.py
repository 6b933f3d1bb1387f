"""Which device is chosen, on whatever machine the tests run."""

from __future__ import annotations

import pytest

from audio_encoder_checker.devices import choose_device, gpus
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
