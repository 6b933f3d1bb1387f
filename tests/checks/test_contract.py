"""AEC50x-AEC51x on literals: what triggers each and what does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.checks import contract
from audio_encoder_checker.evidence.contract import Returned
from audio_encoder_checker.evidence.load import Attribute
from audio_encoder_checker.evidence.run import Ending
from tests.literals import encoder, ended, official, raised, tensor, trace, traces

if TYPE_CHECKING:
    from audio_encoder_checker.catalogue import Judge

GOOD = traces(
    trace(tensor(1, 312, 64), batch=1),
    trace(tensor(3, 312, 64), batch=3),
    trace(tensor(1, 10, 64), batch=1, samples=1600),
    trace(tensor(1, 3000, 64), batch=1, samples=480_000),
)


@pytest.mark.parametrize(
    "check",
    [
        contract.zero_frames,
        contract.forward_failure,
        contract.batch_size_failure,
        contract.length_failure,
        contract.death_in_forward,
        contract.endless_forward,
        contract.no_tensor,
        contract.unreadable_dtype,
        contract.dtype_not_float32,
        contract.nonfinite_embedding,
    ],
)
def test_a_good_encoder_is_not_accused(check: Judge) -> None:
    assert list(check(GOOD)) == []


def test_a_good_encoder_declares_what_it_returns() -> None:
    assert list(contract.wrong_shape(GOOD, encoder())) == []
    for check in (contract.missing_attribute, contract.wrong_attribute_value, contract.layers_in_training_mode):
        assert list(check(encoder(hop_size_in_ms=11.61))) == []


def test_AEC501_names_the_attribute_and_the_line_to_add() -> None:
    facts = replace(encoder(), attributes=(Attribute("output_dim", present=False),))
    (problem,) = contract.missing_attribute(facts)
    assert "'output_dim'" in problem.message
    assert "self.output_dim" in problem.hint


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("sampling_rate", "16k", "'16k' (str)"),
        ("sampling_rate", None, "None (NoneType)"),
        ("sampling_rate", 16000.0, "16000.0 (float)"),
        ("output_dim", True, "True (bool)"),
        ("output_dim", -1, "-1 (int)"),
        ("hop_size_in_ms", 0, "0 (int)"),
        ("hop_size_in_ms", "10", "'10' (str)"),
    ],
)
def test_AEC502_tells_expected_and_found(name: str, value: object, found: str) -> None:
    (problem,) = contract.wrong_attribute_value(encoder(**{name: value}))
    assert problem.message.startswith(name)
    assert found in problem.message


def test_AEC503_names_the_clip_without_frames() -> None:
    (problem,) = contract.zero_frames(traces(trace(tensor(1, 0, 64), batch=1, samples=1600)))
    assert problem.message == "1 clip of 0.1 s gave shape (1, 0, 64)"


def test_AEC504_is_about_the_official_call_alone() -> None:
    (problem,) = contract.forward_failure(traces(first=official(outcome=raised())))
    assert problem.message == "2 clips of 3.125 s (the official call) raised RuntimeError: sizes differ"
    assert problem.at == "encoder.py:12"
    assert list(contract.forward_failure(traces(trace(batch=1, outcome=raised())))) == []


def test_AEC505_names_the_batch_that_fails() -> None:
    (problem,) = contract.batch_size_failure(traces(trace(batch=1, outcome=raised())))
    assert problem.message.startswith("a batch of 1 raised RuntimeError")
    assert list(contract.batch_size_failure(traces(first=official(outcome=raised())))) == []


def test_AEC506_gives_short_clips_the_line_that_pads() -> None:
    shortest = trace(batch=1, samples=400, outcome=raised())
    short, long = trace(batch=1, samples=1600, outcome=raised()), trace(batch=1, samples=480_000, outcome=raised())
    found = list(contract.length_failure(traces(short, shortest, long)))
    assert [p.message.split(" raised")[0] for p in found] == [
        "1 clip of 0.1 s (and 1 other call)",
        "1 clip of 30 s",
    ]
    assert "F.pad" in found[0].hint
    assert not found[1].hint


def test_AEC506_does_not_repeat_what_AEC505_says() -> None:
    both = traces(trace(batch=1, outcome=raised()), trace(batch=1, samples=1600, outcome=raised()))
    assert list(contract.length_failure(both)) == []
    assert len(list(contract.batch_size_failure(both))) == 1


@pytest.mark.parametrize("ending", [Ending.EXITED, Ending.KILLED, Ending.GARBLED])
def test_AEC507_every_death_is_reported(ending: Ending) -> None:
    (problem,) = contract.death_in_forward(traces(trace(outcome=ended(ending, "signal 11"))))
    assert "signal 11" in problem.message


def test_AEC508_is_about_the_clock() -> None:
    (problem,) = contract.endless_forward(traces(trace(outcome=ended(Ending.TIMED_OUT, "no answer within 5 s"))))
    assert "no answer within 5 s" in problem.message
    assert list(contract.endless_forward(traces(trace(outcome=ended(Ending.KILLED))))) == []


def test_AEC509_says_what_came_instead() -> None:
    (problem,) = contract.no_tensor(traces(first=official(Returned("tuple", contains="0: (2, 312, 64)"))))
    assert problem.message == "expected a torch.Tensor, found tuple holding 0: (2, 312, 64)"


@pytest.mark.parametrize(
    ("shape", "message", "hint"),
    [
        ((2, 64), "expected 3 axes", "keep the time axis"),
        ((2, 64, 312), "expected output_dim=64", "transpose(1, 2)"),
        ((2, 312, 128), "expected output_dim=64", "self.output_dim = 128"),
        ((1, 312, 64), "expected 2 clips", ""),
        ((624, 64), "expected 3 axes", "keep the time axis"),
    ],
)
def test_AEC510_guesses_the_likely_mistake(shape: tuple[int, ...], message: str, hint: str) -> None:
    (problem,) = contract.wrong_shape(traces(first=official(tensor(*shape))), encoder())
    assert message in problem.message
    assert hint in problem.hint


def test_AEC511_and_AEC512_share_no_case() -> None:
    refused = traces(first=official(tensor(2, 312, 64, dtype="bfloat16", numpy_error="TypeError: no")))
    assert [p.message for p in contract.unreadable_dtype(refused)] == ["embeddings of dtype bfloat16: TypeError: no"]
    assert list(contract.dtype_not_float32(refused)) == []
    wide = traces(first=official(tensor(2, 312, 64, dtype="float64")))
    assert [p.message for p in contract.dtype_not_float32(wide)] == ["embeddings of dtype float64, expected float32"]
    assert list(contract.unreadable_dtype(wide)) == []


def test_AEC513_names_the_call() -> None:
    (problem,) = contract.nonfinite_embedding(
        traces(trace(tensor(1, 100, 64, nonfinite=6400), batch=1, label="silence"))
    )
    assert "(silence) gave 6400 values" in problem.message


def test_AEC514_names_the_layers() -> None:
    (problem,) = contract.layers_in_training_mode(encoder(training=("layers.0.dropout",)))
    assert "layers.0.dropout" in problem.message
