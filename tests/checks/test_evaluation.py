"""AEC8xx on literals."""

from __future__ import annotations

from dataclasses import replace

from audio_encoder_checker.checks import evaluation
from audio_encoder_checker.evidence.evaluation import DataProblem, EncodingFacts, Reference, References, TaskRun
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.evidence.scores import Measure, TaskScore, TrackScores
from tests.literals import ended, raised

REFERENCES = References(
    (
        Reference("log-mel", "a", "accuracy", 0.5, 0.4),
        Reference("log-mel", "b", "accuracy", 0.6, 0.4),
        Reference("log-mel", "c", "EER", 0.2, None),
    )
)
GOOD = TaskRun("quick-pitch")


def encoding(**changes: object) -> EncodingFacts:
    return EncodingFacts((GOOD, replace(GOOD, task="quick-notes", **changes)))  # type: ignore[arg-type]  # of a test


def scores(*values: float) -> TrackScores:
    track = tuple(
        TaskScore(name, Measure("EER" if name == "c" else "accuracy", v, v - 0.05, v + 0.05), 100, 100, 1.0)
        for name, v in zip("abc", values, strict=True)
    )
    return TrackScores("builtin", track, track, 0.5, 0.5, 100.0)


def test_an_encoding_that_worked_triggers_nothing() -> None:
    for one in (
        evaluation.encoding_failure,
        evaluation.unusable_embedding,
        evaluation.unreadable_data,
        evaluation.untrained_class,
    ):
        assert list(one(encoding())) == []


def test_AEC801_names_task_clip_and_line() -> None:
    (problem,) = evaluation.encoding_failure(encoding(outcome=raised(), batch=16, at="a.tar: clip 'x'"))
    assert problem.message.startswith("task quick-notes, a.tar: clip 'x': a batch of 16 clips failed")
    assert problem.at == "encoder.py:12"
    assert list(evaluation.encoding_failure(encoding(outcome=ended(Ending.OUT_OF_MEMORY)))) == []


def test_AEC802_says_what_is_wrong_with_the_embedding() -> None:
    (problem,) = evaluation.unusable_embedding(encoding(problem="5 values are NaN"))
    assert problem.message == "task quick-notes: 5 values are NaN"
    both = EncodingFacts(tuple(replace(GOOD, task=task, problem="5 values are NaN") for task in ("one", "two")))
    assert next(evaluation.unusable_embedding(both)).message == "task one: 5 values are NaN; the same in two"


def test_AEC803_needs_a_loss_beyond_the_interval_on_most_tasks() -> None:
    assert len(list(evaluation.worse_than_log_mel(scores(0.3, 0.3, 0.1), REFERENCES))) == 1
    assert len(list(evaluation.worse_than_log_mel(scores(0.3, 0.7, 0.4), REFERENCES))) == 1
    assert list(evaluation.worse_than_log_mel(scores(0.3, 0.7, 0.1), REFERENCES)) == []
    assert list(evaluation.worse_than_log_mel(scores(0.47, 0.3, 0.22), REFERENCES)) == []


def test_AEC803_is_silent_where_half_of_the_tasks_are_lost() -> None:
    two = References(REFERENCES.scores[:2])
    assert list(evaluation.worse_than_log_mel(scores(0.3, 0.7, 0.4), two)) == []
    assert len(list(evaluation.worse_than_log_mel(scores(0.3, 0.3, 0.1), two))) == 1


def test_AEC804_names_task_shard_and_key() -> None:
    data = (DataProblem("a.tar", "k", "its audio is empty"), DataProblem("b.tar", "", "the shard is cut short"))
    (problem,) = evaluation.unreadable_data(encoding(data=data))
    assert problem.message == "task quick-notes: its audio is empty, and 1 more"
    assert problem.at == "a.tar, clip 'k'"


def test_AEC805_names_the_classes() -> None:
    (problem,) = evaluation.untrained_class(encoding(unseen=tuple("abcdefg")))
    assert problem.message == "task quick-notes: no training clip of a, b, c, d, e and 2 more"
