from __future__ import annotations

from audio_encoder_checker.evidence.evaluation import Reference, References
from audio_encoder_checker.evidence.scores import Measure, TaskScore
from audio_encoder_checker.render.standing import average_of, best, known_scores, place

REFERENCES = References(
    (
        Reference("one", "a", "accuracy", 0.5, 0.4),
        Reference("two", "a", "accuracy", 0.7, None),
        Reference("one", "b", "EER", 0.1, 0.9),
        Reference("two", "b", "accuracy", 0.3, 0.8),
        Reference("one", "c", "accuracy", 0.3, 0.8),
    )
)


def score(task: str, metric: str, value: float, weight: float = 1.0) -> TaskScore:
    return TaskScore(task, Measure(metric, value, value, value), 10, weight, 0.0)


TRACK_A = [score("a", "accuracy", 0.6, 3.0), score("b", "EER", 0.2)]


def test_only_what_was_measured_alike_is_compared() -> None:
    known = known_scores(REFERENCES, "a", TRACK_A)
    assert [(one.name, dict(one.scores)) for one in known] == [("one", {"a": 0.5, "b": 0.1}), ("two", {"a": 0.7})]
    assert [dict(one.scores) for one in known_scores(REFERENCES, "b", [score("a", "accuracy", 0.5)])] == [{"a": 0.4}]


def test_a_place_counts_those_that_are_better() -> None:
    known = known_scores(REFERENCES, "a", TRACK_A)
    assert [place(one, known) for one in TRACK_A] == [(2, 3), (2, 2)]
    assert place(score("z", "accuracy", 0.1), known) == ()
    assert best(TRACK_A[0], known) == "0.700 two"
    assert best(TRACK_A[1], known) == "0.100 one"
    assert best(score("z", "accuracy", 0.1), known) == ""


def test_an_average_is_over_the_same_tasks_or_there_is_none() -> None:
    one, two = known_scores(REFERENCES, "a", TRACK_A)
    assert average_of(one, TRACK_A) == (3 * 0.5 + 0.9) / 4
    assert average_of(two, TRACK_A) is None
