"""AEC8xx on literals."""

from __future__ import annotations

from audio_encoder_checker.checks import evaluation
from audio_encoder_checker.evidence.evaluation import EncodingFacts, Reference, References
from audio_encoder_checker.evidence.run import Ending, Outcome
from audio_encoder_checker.evidence.scores import TaskScore, TrackScores
from tests.literals import ANSWERED, ended, raised

REFERENCES = References((Reference("log-mel", "a", 0.5, 0.4), Reference("log-mel", "b", 0.6, 0.4)))


def encoding(outcome: Outcome = ANSWERED, problem: str = "") -> EncodingFacts:
    return EncodingFacts(outcome, "quick-music", problem, 3.0, 100.0)


def scores(*values: float) -> TrackScores:
    track = tuple(
        TaskScore(n, "accuracy", v, v - 0.05, v + 0.05, 100, 100, 1.0) for n, v in zip("ab", values, strict=True)
    )
    return TrackScores("builtin", track, track, 0.5, 0.5, 3.0, 100.0)


def test_an_encoding_that_worked_triggers_nothing() -> None:
    assert list(evaluation.encoding_failure(encoding())) == []
    assert list(evaluation.unusable_embedding(encoding())) == []


def test_AEC801_names_task_and_line() -> None:
    (problem,) = evaluation.encoding_failure(encoding(raised()))
    assert problem.message.startswith("task quick-music")
    assert problem.at == "encoder.py:12"
    assert list(evaluation.encoding_failure(encoding(ended(Ending.OUT_OF_MEMORY)))) == []


def test_AEC802_says_what_is_wrong_with_the_embedding() -> None:
    (problem,) = evaluation.unusable_embedding(encoding(problem="5 values are NaN"))
    assert problem.message == "task quick-music: 5 values are NaN"


def test_AEC803_needs_a_loss_beyond_the_interval_on_every_task() -> None:
    assert len(list(evaluation.worse_than_log_mel(scores(0.3, 0.3), REFERENCES))) == 1
    assert list(evaluation.worse_than_log_mel(scores(0.3, 0.7), REFERENCES)) == []
    assert list(evaluation.worse_than_log_mel(scores(0.47, 0.3), REFERENCES)) == []
