"""The tensors of an ONNX model, by going over its protocol buffer; their values are passed over.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.streams import CutOffError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.archive.weights.streams import Budget, Part, Stream

MODEL_GRAPH, GRAPH_INITIALIZER = 7, 5
TENSOR_DIMS, TENSOR_TYPE, TENSOR_EXTERNAL = 1, 2, 13
ENTRY_KEY, ENTRY_VALUE = 1, 2
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "text",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
}
MAX_TEXT_BYTES = 4096
MAX_AXES = 64
FIELD_OPCODES = 4
"""What a field costs, in opcodes."""
START = re.compile(rb"\x08[\x01-\x14][\x12\x1a\x22\x28\x3a\x42]")
"""The version of the format, which every exporter writes first, and a field that may follow it."""


class BrokenModelError(Exception):
    """The file is no ONNX model that can be read; its message says why."""


@dataclass
class ModelTensors:
    """The tensors of a model: how many numbers of each type, and the other files that hold values of some."""

    numbers: dict[str, int] = field(default_factory=dict)
    external: set[str] = field(default_factory=set)


def looks_like_onnx(head: bytes) -> bool:
    """Whether a file starts as exporters write a model."""
    return bool(START.match(head))


def read_onnx(stream: Stream, budget: Budget) -> ModelTensors:
    """The tensors of the graph.

    Raises:
        BrokenModelError: the bytes are no protocol buffer, or end too early.
        TooMuchError: there are too many fields.
    """
    found = ModelTensors()
    try:
        for graph in _parts(stream, MODEL_GRAPH, budget):
            for tensor in _parts(graph, GRAPH_INITIALIZER, budget):
                _tensor(tensor, budget, found)
    except CutOffError:
        raise BrokenModelError("the file was cut off") from None
    return found


def _parts(stream: Stream, wanted: int, budget: Budget) -> Iterator[Part]:
    """The messages in one field; each can be read until the next is asked for."""
    for number, value in _fields(stream, budget):
        if number == wanted and not isinstance(value, int):
            yield value


def _fields(stream: Stream, budget: Budget) -> Iterator[tuple[int, int | Part]]:
    """All fields of a message: numbers, and the bytes of the others."""
    while stream.peek(1):
        budget.spend(FIELD_OPCODES)
        key = _varint(stream)
        number, form = key >> 3, key & 7
        if form == VARINT:
            yield number, _varint(stream)
        elif form in {FIXED64, FIXED32}:
            stream.skip(8 if form == FIXED64 else 4)
        elif form == BYTES:
            part = stream.part(_varint(stream))
            yield number, part
            part.close()
        else:
            raise BrokenModelError(f"byte {stream.position} is no field of a model")


def _varint(stream: Stream) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.take(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
    raise BrokenModelError(f"byte {stream.position} is no number of a model")


def _tensor(stream: Stream, budget: Budget, found: ModelTensors) -> None:
    lengths: list[int] = []
    kind = "other"
    for number, value in _fields(stream, budget):
        if number == TENSOR_DIMS:
            lengths.extend([value] if isinstance(value, int) else _packed(value))
            if len(lengths) > MAX_AXES:
                raise BrokenModelError(f"a tensor has more than {MAX_AXES} axes")
        elif number == TENSOR_TYPE and isinstance(value, int):
            kind = TYPES.get(value, "other")
        elif number == TENSOR_EXTERNAL and not isinstance(value, int):
            _external(value, budget, found)
    found.numbers[kind] = found.numbers.get(kind, 0) + prod(lengths)


def _packed(stream: Stream) -> list[int]:
    numbers: list[int] = []
    while stream.peek(1) and len(numbers) <= MAX_AXES:
        numbers.append(_varint(stream))
    return numbers


def _external(stream: Stream, budget: Budget, found: ModelTensors) -> None:
    """The file that holds the values."""
    texts = {ENTRY_KEY: b"", ENTRY_VALUE: b""}
    for number, value in _fields(stream, budget):
        if number in texts and not isinstance(value, int):
            texts[number] = value.peek(MAX_TEXT_BYTES)
    if texts[ENTRY_KEY] == b"location" and len(found.external) < 1000:
        found.external.add(texts[ENTRY_VALUE].decode("utf-8", "replace"))
