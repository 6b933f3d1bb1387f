"""What the report shows of files: weights, downloads, declared data and the paper."""

from __future__ import annotations

from dataclasses import replace

import jsonschema
import pytest

from audio_encoder_checker.evidence.documents import Paper, PaperFacts, Reading
from audio_encoder_checker.evidence.training import DataUse, Declaration, Named, Relation, TrainingFacts
from audio_encoder_checker.evidence.weights import WeightFacts, WeightFile, WeightKind
from audio_encoder_checker.judging import Evidence
from audio_encoder_checker.render import files
from audio_encoder_checker.rules import schema

WEIGHTS = WeightFile("net/w.safetensors", WeightKind.SAFETENSORS, 4_000_000, 1_000_000, (("F32", 1_000_000),))
USE = DataUse("LibriSpeech", Relation.SAME, "LibriSpeech", ("librispeech",), "", "https://example.org")
MODEL = Named("facebook/wav2vec2-base", "encoder.py:5", (USE,))
TRAINING = TrainingFacts(Declaration("aecc.toml", (), (Named("AudioSet", "aecc.toml:3"),)), (MODEL,))
PAPER = PaperFacts(Paper("paper.pdf", sure=True, size_bytes=90_000, reading=Reading.COMPLETE, pages=5), ("paper.pdf",))


def evidence(*facts: object) -> Evidence:
    found = Evidence()
    found.put(*facts)
    return found


def test_what_is_known_is_told_in_a_line_each() -> None:
    assert files.rows(evidence(WeightFacts((WEIGHTS,)), TRAINING, PAPER)) == [
        ("inside", "net/w.safetensors: safetensors, 4 MB, 1,000,000 numbers (F32), holds no pickle"),
        ("downloads", "facebook/wav2vec2-base (encoder.py:5)"),
        ("trained on", "AudioSet, as declared in aecc.toml"),
        ("paper", "paper.pdf, 5 pages, 90 kB"),
    ]


def test_the_largest_weights_come_first_and_many_are_counted() -> None:
    many = WeightFacts(tuple(replace(WEIGHTS, path=f"{size}.pt", size_bytes=size) for size in range(5)))
    shown = files.rows(evidence(many))
    assert [text.partition(":")[0] for _, text in shown] == ["4.pt", "3.pt", "2.pt", "and 2 more weight files"]


def test_of_nothing_nothing_is_said() -> None:
    assert files.rows(evidence()) == []
    assert files.rows(evidence(WeightFacts(), TrainingFacts(Declaration()))) == []


@pytest.mark.parametrize(
    ("weights", "training", "origin"),
    [
        (WeightFacts((WEIGHTS,)), TRAINING, "both"),
        (WeightFacts((WEIGHTS,)), TrainingFacts(Declaration()), "inside"),
        (WeightFacts(), TRAINING, "download"),
        (WeightFacts(), TrainingFacts(Declaration()), "none"),
    ],
)
def test_where_weights_come_from_is_decided(weights: WeightFacts, training: TrainingFacts, origin: str) -> None:
    found = files.as_data(evidence(weights, training, PAPER))
    assert found["weights_origin"] == origin
    whole = schema("report")
    jsonschema.validate(found, {**whole["properties"]["files"], "$defs": whole["$defs"]})


def test_what_was_not_gathered_is_null() -> None:
    assert set(files.as_data(evidence()).values()) == {None}


def test_names_of_files_steer_no_terminal() -> None:
    (row,) = files.rows(evidence(WeightFacts((replace(WEIGHTS, path="\x1b[2J\u202e.pt"),))))
    assert not {"\x1b", "\u202e"} & set(row[1])
