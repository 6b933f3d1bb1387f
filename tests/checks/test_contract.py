"""AEC50x-AEC51x on literals: what the encoder declares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.checks import contract
from audio_encoder_checker.evidence.landmarks import LandmarkKind
from audio_encoder_checker.evidence.load import Attribute
from tests.literals import encoder, landmarks


def test_a_good_encoder_declares_what_it_returns() -> None:
    assert list(contract.layers_in_training_mode(encoder())) == []
    for check in (contract.missing_attribute, contract.wrong_attribute_value):
        assert list(check(encoder(hop_size_in_ms=11.61), landmarks())) == []


def test_AEC501_names_the_attribute_and_the_line_to_add() -> None:
    facts = replace(encoder(), attributes=(Attribute("output_dim", present=False),))
    (problem,) = contract.missing_attribute(facts, landmarks())
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
    (problem,) = contract.wrong_attribute_value(encoder(**{name: value}), landmarks())
    assert problem.message.startswith(name)
    assert found in problem.message
    assert name in problem.hint or name == "output_dim"


def test_AEC514_names_the_layers() -> None:
    (problem,) = contract.layers_in_training_mode(encoder(training=("layers.0.dropout",)))
    assert "layers.0.dropout" in problem.message


def test_AEC502_points_at_the_line_that_sets_the_attribute() -> None:
    marks = landmarks((LandmarkKind.SAMPLING_RATE, 7, 'self.sampling_rate = "16k"'))
    (problem,) = contract.wrong_attribute_value(encoder(sampling_rate="16k"), marks)
    assert problem.at == "encoder.py:7"
