"""The tensors of ONNX models, from protocol buffers written by hand."""

from __future__ import annotations

import pytest

from audio_encoder_checker.archive.weights.onnx import BrokenModelError, ModelTensors, looks_like_onnx, read_onnx
from audio_encoder_checker.archive.weights.streams import Budget, TooMuchError, memory_stream
from tests.weights import WEIGHT, onnx, protobuf, varint

HALF = protobuf(1, varint(7) + varint(2)) + protobuf(2, 10)
EXTERNAL = protobuf(1, 3) + protobuf(2, 1) + protobuf(13, protobuf(1, b"location") + protobuf(2, b"w.bin"))


def read(data: bytes, budget: Budget | None = None) -> ModelTensors:
    return read_onnx(memory_stream(data), budget or Budget())


def test_numbers_and_other_files_are_told() -> None:
    found = read(onnx(WEIGHT, WEIGHT, HALF, EXTERNAL))
    assert found.numbers == {"float32": 43, "float16": 14}
    assert found.external == {"w.bin"}


def test_a_model_is_known_by_its_start() -> None:
    assert looks_like_onnx(onnx(WEIGHT))
    assert not looks_like_onnx(b"\x08\x08 text")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (onnx(WEIGHT)[:-5], "cut off"),
        (b"\x0f", "no field"),
        (b"\x08" + b"\xff" * 11, "no number"),
        (onnx(protobuf(1, varint(1) * 65)), "axes"),
        (onnx(protobuf(1, 1) * 65), "axes"),
        (b"<!DOCTYPE html>", "no field"),
    ],
)
def test_a_broken_model_says_how(data: bytes, words: str) -> None:
    with pytest.raises(BrokenModelError, match=words):
        read(data)


def test_fields_end_with_the_budget() -> None:
    with pytest.raises(TooMuchError):
        read(protobuf(1, 1) * 1000, Budget(999))
