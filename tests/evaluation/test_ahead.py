from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evaluation.ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator


def counting(taken: list[int], most: int) -> Iterator[int]:
    for number in range(most):
        taken.append(number)
        yield number


def test_gives_the_same_things_in_the_same_order() -> None:
    assert list(read_ahead(range(50), 3)) == list(range(50))


def test_takes_things_in_another_thread() -> None:
    assert set(read_ahead((threading.current_thread().name for _ in range(3)), 2)) == {"read-ahead_0"}


def test_is_never_further_ahead_than_it_may() -> None:
    taken: list[int] = []
    things = read_ahead(counting(taken, 100), 2)
    for number in range(10):
        assert next(things) == number
        assert len(taken) <= number + 3


def test_raises_what_the_source_raises_behind_what_it_gave() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise OSError("damaged")

    things = read_ahead(failing(), 2)
    assert next(things) == 1
    with pytest.raises(OSError, match="damaged"):
        next(things)


def test_stops_its_thread_when_nobody_reads_on() -> None:
    taken: list[int] = []
    things = read_ahead(counting(taken, 1000), 2)
    next(things)
    things.close()  # type: ignore[attr-defined]  # a generator
    assert len(taken) <= 4
    assert not [one for one in threading.enumerate() if one.name.startswith("read-ahead")]
