"""Headers of .npy files, against NumPy's own writer and broken by hand."""

from __future__ import annotations

import io

import numpy as np
import pytest

from audio_encoder_checker.archive.weights.arrays import ArrayHead, BrokenArrayError, read_head
from audio_encoder_checker.archive.weights.streams import memory_stream
from tests.weights import npy


def head(data: bytes) -> ArrayHead:
    return read_head(memory_stream(data))


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", ">f4", "i1", "i8", "u1", "u4", "c8", "c16", "?", "S5", "U3", "V7", "M8[s]"]
)
def test_numpys_own_files_tell_format_and_size(dtype: str) -> None:
    array = np.zeros((2, 3), dtype)
    buffer = io.BytesIO()
    np.save(buffer, array)
    found = head(buffer.getvalue())
    assert (found.numbers, found.data_bytes, found.pickled) == (6, array.nbytes, False)
    named = array.dtype.kind in "fiuc"
    assert not named or found.dtype == array.dtype.name


@pytest.mark.parametrize("dtype", ["O", [("a", "i4"), ("b", "O")], [("a", [("b", "O", (2,))])]])
def test_arrays_of_objects_are_pickled(dtype: object) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(2, dtype), allow_pickle=True)  # type: ignore[call-overload]  # any dtype will do
    assert head(buffer.getvalue()).pickled


def test_lengths_as_python_2_wrote_them_are_known() -> None:
    assert head(npy("'<f4'", "(2L, 3L)", b"")).numbers == 6


def test_records_of_numbers_are_not_pickled() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(2, [("a", "i4"), ("O", "f4")]))
    assert head(buffer.getvalue()) == ArrayHead("record", 2, None, pickled=False)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x93NUMPY\x09\0", "version 9.0"),
        (b"\x93NUMPY\1\0\x40", "cut off"),
        (npy("'<f4'", "(2,)", b"")[:30], "cut off"),
        (npy("'<f4'", "(2,)", b" " * 10_000).replace(b"\1\0", b"\2\0", 1), "NumPy takes"),
        (npy("'<f4'", "2", b""), "shape"),
        (npy("'<f4'", "(-2,)", b""), "shape"),
        (npy("'<f4'", "(True,)", b""), "shape"),
        (npy("'<f4'", "(9" + "9" * 6000 + ",)", b""), "dictionary|shape"),
        (npy("'<f4'", f"(0x{'f' * 5000},)", b""), "dictionary"),
        (npy("'<q9'", "(2,)", b""), "not known"),
        (npy("5", "(2,)", b""), "is none"),
        (npy("open('x')", "(2,)", b""), "dictionary"),
        (npy("(" * 4000, "(2,)", b""), "dictionary"),
        (npy("-" * 9000 + "1", "(2,)", b""), "dictionary"),
        (npy("'\\d'", "(2,)", b""), "not known"),
        (npy("'<f4'", "(1,)", b"").replace(b"descr", b"dtype"), "dictionary"),
    ],
)
def test_a_broken_header_says_how(data: bytes, words: str) -> None:
    with pytest.raises(BrokenArrayError, match=words):
        head(data)
