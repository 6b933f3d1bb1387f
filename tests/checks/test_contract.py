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
        ("sampling_rate", 16, "1,000 to 768,000 Hz, found 16"),
        ("sampling_rate", 999, "1,000 to 768,000 Hz, found 999"),
        ("sampling_rate", 768_001, "1,000 to 768,000 Hz, found 768001"),
    ],
)
def test_AEC502_tells_expected_and_found(name: str, value: object, found: str) -> None:
    (problem,) = contract.wrong_attribute_value(encoder(**{name: value}), landmarks())
    assert problem.message.startswith(name)
    assert found in problem.message
    assert name in problem.hint or name == "output_dim"


@pytest.mark.parametrize(
    ("name", "value"),
    [("sampling_rate", 1_000), ("sampling_rate", 768_000), ("output_dim", 1), ("hop_size_in_ms", 0.5)],
)
def test_AEC502_accepts_the_outermost_values(name: str, value: float) -> None:
    assert list(contract.wrong_attribute_value(encoder(**{name: value}), landmarks())) == []


def test_AEC502_accepts_whole_numbers_of_numpy_and_leaves_what_is_missing_to_AEC501() -> None:
    whole = Attribute("sampling_rate", True, "int64", 16_000.0, "16000")
    wrong = Attribute("output_dim", True, "str", None, "'64'")
    facts = replace(encoder(), attributes=(whole, Attribute("hop_size_in_ms", present=False), wrong))
    assert [one.message for one in contract.wrong_attribute_value(facts, landmarks())] == [
        "output_dim: expected a positive whole number (int), found '64' (str)"
    ]
    marks = landmarks((LandmarkKind.CONSTRUCTOR, 3, "def __init__(self):"))
    assert next(contract.missing_attribute(facts, marks)).at == "encoder.py:3"
    assert next(contract.missing_attribute(facts, landmarks())).at == "encoder.py"


def test_AEC514_names_the_layers() -> None:
    (problem,) = contract.layers_in_training_mode(encoder(training=("layers.0.dropout",)))
    assert "layers.0.dropout" in problem.message


def test_AEC502_points_at_the_line_that_sets_the_attribute() -> None:
    marks = landmarks((LandmarkKind.SAMPLING_RATE, 7, 'self.sampling_rate = "16k"'))
    (problem,) = contract.wrong_attribute_value(encoder(sampling_rate="16k"), marks)
    assert problem.at == "encoder.py:7"
