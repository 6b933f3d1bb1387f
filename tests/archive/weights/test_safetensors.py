"""Headers of safetensors files, against the format's rules and against the library."""

from __future__ import annotations

import io
import json

import pytest
import safetensors as library
from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.archive.weights import safetensors as reader
from audio_encoder_checker.archive.weights.safetensors import (
    BITS,
    BrokenHeaderError,
    LongHeaderError,
    read_safetensors,
)
from tests.weights import GOOD_SAFETENSORS, safetensors


def read(data: bytes) -> tuple[reader.TensorEntry, ...]:
    return read_safetensors(io.BytesIO(data), len(data))


def accepted_by_library(data: bytes) -> bool:
    try:
        library.deserialize(data)  # type: ignore[no-untyped-call]  # it ships no types
    except library.SafetensorError:
        return False
    return True


def entry(dtype: str = "U8", shape: object = (1,), offsets: object = (0, 1)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_a_good_file_tells_its_tensors() -> None:
    found = {one.name: (one.dtype, one.numbers) for one in read(GOOD_SAFETENSORS)}
    assert found == {"w": ("F32", 6), "b": ("BF16", 2), "empty": ("I64", 0)}
    assert accepted_by_library(GOOD_SAFETENSORS)


@pytest.mark.parametrize("dtype", sorted(BITS))
def test_every_format_of_the_library_has_its_size(dtype: str) -> None:
    size = BITS[dtype]
    assert accepted_by_library(safetensors({"a": entry(dtype, [8], [0, size])}, bytes(size)))
    assert read(safetensors({"a": entry(dtype, [8], [0, size])}, bytes(size)))[0].numbers == 8


BROKEN = {
    "expected a header": b"\x05\0\0",
    "the file ends after": GOOD_SAFETENSORS[:40],
    "the file was cut off": GOOD_SAFETENSORS[:-1],
    "belong to none": GOOD_SAFETENSORS + b"\0",
    "the format allows": safetensors(b"{}", length=1 << 40),
    "does not begin with": safetensors(b" {}"),
    "not UTF-8": safetensors(b'{"\xff": 1}'),
    "not JSON": safetensors(b"{'a': 1}"),
    "twice": safetensors(f'{{"a": {json.dumps(entry())}, "a": {json.dumps(entry())}}}'.encode(), b"\0"),
    "once each": safetensors({"a": {**entry(), "more": 1}}, b"\0"),
    "texts only": safetensors({"__metadata__": {"a": 1}}),
    "a key twice": safetensors(b'{"__metadata__": {"a": "1", "a": "2"}}'),
    "unknown dtype": safetensors({"a": entry("F128")}, b"\0"),
    "text as dtype": safetensors(
        b'{"a": {"dtype": %s1%s, "shape": [1], "data_offsets": [0, 1]}}' % (b'{"a":' * 600, b"}" * 600)
    ),
    "whole numbers": safetensors({"a": entry(shape=[1.0])}, b"\0"),
    "and two": safetensors({"a": entry(offsets=[0, 1, 2])}, b"\0"),
    "data_offsets say": safetensors({"a": entry(shape=[2])}, b"\0"),
    "leaves a hole": safetensors({"a": entry(), "b": entry(offsets=[2, 3])}, bytes(3)),
    "shares bytes": safetensors({"a": entry(), "b": entry()}, b"\0"),
    "takes 0.5 bytes": safetensors({"a": entry("F4", [1], [0, 0])}),
    "axes": safetensors({"a": entry(shape=[1] * 65)}, b"\0"),
    "a number of": safetensors(b'{"a": ' + b"9" * 5000 + b"}"),
    "NaN": safetensors(b'{"a": NaN}'),
}


@pytest.mark.parametrize("words", BROKEN)
def test_each_rule_of_the_format_is_held(words: str) -> None:
    with pytest.raises(BrokenHeaderError, match=words):
        read(BROKEN[words])


@pytest.mark.parametrize("header", [b"{} 1", b'{"a":' + b"[" * 100_000, b'{"a":1'])
def test_a_header_that_is_no_json_is_refused(header: bytes) -> None:
    with pytest.raises(BrokenHeaderError, match="not JSON"):
        read(safetensors(header))


def test_a_header_that_is_no_object_is_refused() -> None:
    with pytest.raises(BrokenHeaderError, match="should have dtype"):
        read(safetensors({"a": [1]}))


def test_an_enormous_header_is_not_held() -> None:
    size = reader.MAX_HEADER_BYTES + 1
    with pytest.raises(LongHeaderError, match=str(size)):
        read(safetensors(b"{" + b" " * (size - 1)))


@given(st.data())
def test_what_is_called_good_the_library_takes_too(data: st.DataObject) -> None:
    changed = bytearray(GOOD_SAFETENSORS)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        read(bytes(changed))
    except BrokenHeaderError:
        return
    assert accepted_by_library(bytes(changed))
