"""Many of one kind in few words."""

from __future__ import annotations

import pytest

from audio_encoder_checker.checks.few import calls, few, listed
from audio_encoder_checker.findings import Problem
from tests.literals import trace


@pytest.mark.parametrize(
    ("count", "last"), [(1, "0"), (20, "19"), (21, "19; and 1 more like this"), (30, "19; and 10 more like this")],
)  # fmt: skip
def test_the_twentieth_problem_counts_the_others(count: int, last: str) -> None:
    found = [problem.message for problem in few(Problem(str(number)) for number in range(count))]
    assert found == [*map(str, range(min(count, 20) - 1)), last]


def test_no_problem_is_none() -> None:
    assert list(few(())) == []


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "1 clip of 1 s"), (2, "1 clip of 1 s and 1 other call"), (3, "1 clip of 1 s and 2 other calls")],
)
def test_the_first_call_is_named_and_the_others_are_counted(count: int, words: str) -> None:
    assert calls([trace(batch=batch, samples=16_000) for batch in range(1, count + 1)]) == words


@pytest.mark.parametrize(
    ("words", "said"), [("", ""), ("ab", "a, b"), ("abc", "a, b, c"), ("abcd", "a, b, c and 1 more")]
)
def test_the_first_words_are_listed(words: str, said: str) -> None:
    assert listed(words, most=3) == said
