"""AEC50x-AEC51x on literals: what one call returns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.checks import shape as checks
from audio_encoder_checker.evidence.contract import AFTER_NAN, Returned
from audio_encoder_checker.evidence.landmarks import LandmarkKind
from audio_encoder_checker.findings import Severity
from tests.literals import GOOD, encoder, landmarks, official, tensor, trace, traces


def test_a_good_encoder_is_not_accused() -> None:
    assert list(checks.zero_frames(GOOD, landmarks())) == []
    assert list(checks.no_tensor(GOOD, encoder(), landmarks())) == []
    assert list(checks.wrong_shape(GOOD, encoder(), landmarks())) == []
    for check in (checks.unreadable_dtype, checks.dtype_not_float32):
        assert list(check(GOOD, landmarks())) == []
    assert list(checks.nonfinite_embedding(GOOD)) == []


def test_AEC503_names_the_clip_without_frames() -> None:
    (problem,) = checks.zero_frames(traces(trace(tensor(1, 0, 64), batch=1, samples=1600)), landmarks())
    assert problem.message == "1 clip of 0.1 s gave shape (1, 0, 64), which holds no frames"


def test_AEC511_and_AEC512_share_no_case() -> None:
    refused = traces(first=official(tensor(2, 312, 64, dtype="bfloat16", numpy_error="TypeError: no")))
    assert [p.message for p in checks.unreadable_dtype(refused, landmarks())] == [
        "embeddings of dtype bfloat16: TypeError: no"
    ]
    assert list(checks.dtype_not_float32(refused, landmarks())) == []
    wide = traces(first=official(tensor(2, 312, 64, dtype="float64")))
    assert [p.message for p in checks.dtype_not_float32(wide, landmarks())] == [
        "embeddings of dtype float64, expected float32"
    ]
    assert list(checks.unreadable_dtype(wide, landmarks())) == []


def test_AEC513_names_the_call() -> None:
    (problem,) = checks.nonfinite_embedding(traces(trace(tensor(1, 100, 64, nonfinite=6400), batch=1, label="silence")))
    assert "(silence) gave 6400 values" in problem.message


def test_AEC513_follows_from_a_kept_state_only_where_all_was_well_before_it() -> None:
    silent = trace(tensor(1, 100, 64, nonfinite=6400), batch=1, label="silence")
    after = trace(tensor(1, 100, 64, nonfinite=6400), batch=1, label=AFTER_NAN)
    (own,) = checks.nonfinite_embedding(traces(silent, after))
    (kept,) = checks.nonfinite_embedding(traces(trace(tensor(1, 100, 64), batch=1), after, silent))
    assert (own.own_cause, kept.own_cause) == (True, False)


def test_AEC503_only_warns_of_clips_that_no_data_set_holds() -> None:
    (problem,) = checks.zero_frames(traces(trace(tensor(1, 0, 64), batch=1, samples=400)), landmarks())
    assert problem.severity is Severity.WARNING


def test_AEC503_points_at_the_line_that_returns() -> None:
    marks = landmarks((LandmarkKind.RETURN, 30, "return x"))
    (problem,) = checks.zero_frames(traces(first=official(tensor(2, 0, 64))), marks)
    assert (problem.at, problem.severity) == ("encoder.py:30", Severity.ERROR)


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ((("0", "(2, 312, 64)"), ("1", "(2, 64)")), "`return output[0]`"),
        ((("logits", "(2, 312, 32)"), ("last_hidden_state", "(2, 312, 64)")), "`return output.last_hidden_state`"),
        ((("logits", "(2, 312, 32)"),), ""),
        ((), ""),
    ],
)
def test_AEC509_says_what_came_instead_and_which_part_was_meant(fields: tuple[tuple[str, str], ...], hint: str) -> None:
    (problem,) = checks.no_tensor(traces(first=official(Returned("Thing", fields=fields))), encoder(), landmarks())
    assert problem.message.startswith("expected a torch.Tensor, found Thing")
    assert all(f"{name}: {words}" in problem.message for name, words in fields)
    assert problem.hint.endswith(hint)
    assert bool(problem.hint) == bool(hint)


@pytest.mark.parametrize(
    ("shape", "message", "hint"),
    [
        ((2, 64), "expected 3 axes", "keep the time axis"),
        ((312, 64), "expected 3 axes", "the batch axis is missing"),
        ((1, 2, 312, 64), "expected 3 axes", "squeeze(0)"),
        ((2, 4, 312, 16), "expected 3 axes", "flatten(2)"),
        ((2, 64, 312), "expected output_dim=64", "transpose(1, 2)"),
        ((2, 312, 128), "expected output_dim=64", "self.output_dim = 128"),
        ((1, 312, 64), "expected 2 clips", "list of clips"),
        ((312, 2, 64), "expected 2 clips", "transpose(0, 1)"),
        ((5, 312, 64), "expected 2 clips", ""),
        ((), "expected 3 axes", ""),
    ],
)
def test_AEC510_guesses_the_likely_mistake(shape: tuple[int, ...], message: str, hint: str) -> None:
    (problem,) = checks.wrong_shape(traces(first=official(tensor(*shape))), encoder(), landmarks())
    assert message in problem.message
    assert hint in problem.hint
    assert bool(problem.hint) == bool(hint)


def test_AEC510_names_the_squeeze_that_a_batch_of_one_does_not_survive() -> None:
    marks = landmarks((LandmarkKind.RETURN, 30, "return x"), (LandmarkKind.SQUEEZE, 22, "x = x.squeeze()"))
    (problem,) = checks.wrong_shape(traces(trace(tensor(312, 64), batch=1)), encoder(), marks)
    assert problem.at == "encoder.py:22"
    assert ".squeeze(1)" in problem.hint


def test_AEC510_finds_a_transposition_that_the_official_call_hides() -> None:
    hidden = traces(trace(tensor(1, 64, 100), batch=1, samples=16_000), first=official(tensor(2, 64, 64)))
    (problem,) = checks.wrong_shape(hidden, encoder(), landmarks())
    assert "1 clip of 1 s" in problem.message
    assert "transpose(1, 2)" in problem.hint


def test_AEC510_names_the_layer_that_has_the_declared_features() -> None:
    layers = (("model.proj", (2, 312, 64)), ("model.encoder", (2, 312, 128)), ("model.pool", (2, 64)))
    returned = replace(tensor(2, 312, 128), layers=layers)
    marks = landmarks((LandmarkKind.OUTPUT_DIM, 9, "self.output_dim = 64"))
    (problem,) = checks.wrong_shape(traces(first=official(returned)), encoder(), marks)
    assert problem.at == "encoder.py:9"
    assert problem.hint == "set `self.output_dim = 128`, or return the output of `self.model.proj`"
