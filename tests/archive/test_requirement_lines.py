"""How a requirements file is split into lines, options and requirements: as pip 24.1 and 26.3 do it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.archive.requirement_lines import read_text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"torch\n", [(1, "torch", False)]),
        (b"torch # why\n", [(1, "torch", False)]),
        (b"torch#c\n", [(1, "torch#c", False)]),
        (b"a\\\nb==1\n", [(1, "ab==1", False)]),
        (b"a \\\n ==1\n# c \\\nb\n", [(1, "a  ==1", False), (4, "b", False)]),
        (b"a \\\n# c\nb\n", [(1, "a", False), (3, "b", False)]),
        (b"torch==1\\", [(1, "torch==1", False)]),
        (b"\\\n\ntorch\n", [(3, "torch", False)]),
        (b"a\x0cb\n", [(1, "a", False), (2, "b", False)]),
        (b"torch\r\nnumpy\rscipy\n", [(1, "torch", False), (2, "numpy", False), (3, "scipy", False)]),
        (b"torch>=2 ; python_version<'3'\n", [(1, "torch>=2 ; python_version<'3'", False)]),
        (b"\ttorch\t-f x\n", [(1, "torch\t-f x", False)]),
        (b"-e .\n", [(1, ".", True)]),
        (b"-e.\n", [(1, ".", True)]),
        (b"-e git+https://x/y#egg=z\n", [(1, "git+https://x/y#egg=z", True)]),
        (b"-e 'a b'\n", [(1, "a b", True)]),
        (b"torch -f https://x\n", [(1, "torch", False)]),
        (b"torch --hash=sha256:aa --hash sha256:bb\n", [(1, "torch", False)]),
        (b"--index-url https://x/y\n", [(1, "", False)]),
        (b"--pre\n", [(1, "", False)]),
        (b"-\n", [(1, "", False)]),
    ],
)
def test_lines_are_those_of_pip(data: bytes, expected: list[tuple[int, str, bool]]) -> None:
    assert [(one.number, one.requirement, one.editable) for one in read_text(data).lines] == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"-ihttps://x/y", [("--index-url", "https://x/y")]),
        (b"--extra-index https://x", [("--extra-index-url", "https://x")]),
        (b"--pypi https://x", [("--index-url", "https://x")]),
        (b"--find-links=a", [("--find-links", "a")]),
        (b"--trusted-host a --pre", [("--trusted-host", "a"), ("--pre", "")]),
        (b"--prefer", [("--prefer-binary", "")]),
        (b"-r 'a b.txt'", [("--requirement", "a b.txt")]),
        (b"torch -C a=b", [("--config-settings", "a=b")]),
    ],
)
def test_options_have_their_long_names(data: bytes, expected: list[tuple[str, str]]) -> None:
    (line,) = read_text(data).lines
    assert list(line.options) == expected
    assert not line.error


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"--no https://x", "no such option: --no"),
        (b"torch --foo", "no such option: --foo"),
        (b"--require", "no such option"),
        (b"--pre=1", "takes no value"),
        (b"-e 'a", "no closing quotation"),
        (b"-r", "needs a value"),
        (b"-q", "no such option: -q"),
    ],
)
def test_what_pip_refuses_is_an_error(data: bytes, words: str) -> None:
    (line,) = read_text(data).lines
    assert words in line.error


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("torch\n".encode("utf-8-sig"), "utf-8"),
        ("torch\n".encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + "torch\n".encode("utf-16-be"), "utf-16-be"),
        ("torch\n".encode("utf-32"), "utf-32-le"),
        (b"# -*- coding: latin-1 -*-\ntorch # \xf6\n", "latin-1"),
        (b"torch # \xf6\n", ""),
    ],
)
def test_encodings_are_told(data: bytes, encoding: str) -> None:
    text = read_text(data)
    assert text.encoding == encoding
    assert [one.requirement for one in text.lines] == ["torch"]


def test_what_pip_ignores_is_told() -> None:
    (beside,) = read_text(b"torch -f https://x --pre\n").lines
    assert beside.ignored == ("--find-links", "--pre")
    (behind,) = read_text(b"--find-links=a b\n").lines
    assert behind.ignored == ("b",)
    (hashed,) = read_text(b"torch --hash=sha256:aa\n").lines
    assert hashed.ignored == ()


def test_variables_are_told_and_left() -> None:
    (line,) = read_text(b"git+https://${TOKEN}@github.com/a/b\n").lines
    assert line.variables == ("TOKEN",)
    assert "${TOKEN}" in line.requirement


def test_no_more_than_10000_lines_are_read() -> None:
    text = read_text(b"torch\n" * 10_001)
    assert text.cut
    assert len(text.lines) == 10_000


@given(st.binary(max_size=200) | st.text(alphabet="-er \\#'\"=tch\n${A}@:/.", max_size=80).map(str.encode))
def test_any_bytes_are_read(data: bytes) -> None:
    assert all(one.text for one in read_text(data).lines)
