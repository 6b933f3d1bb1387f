from __future__ import annotations

import os

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.names import refuse_bad_names


@pytest.mark.parametrize(
    "name",
    [
        "encoder.py",
        "sub/.hidden",
        "编码器.py",
        "é.py",
        "console.py",
        "com10.txt",
        "auxiliary/x",
        "a b.txt",
        "e\u0301.py",
    ],
)
def test_ordinary_names_pass(name: str) -> None:
    refuse_bad_names([name])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("aux.py", "device name"),
        ("sub/NUL", "device name"),
        ("lpt1.tar.gz", "device name"),
        ("what?.py", r"no \? in names"),
        ("a:b", "no : in names"),
        ("repo\\encoder.py", r"no \\ in names"),
        ("end.", "ends in a dot or space"),
        ("end /x", "ends in a dot or space"),
        ("a\nb", r"holds U\+000A"),
        ("a\u202eb", r"holds U\+202E"),
        ("a" * 201, "201 bytes"),
        ("/".join(["abcdefghij"] * 19) + "/" + "c" * 60, "a path of 269 bytes"),
        ("/".join("a" * 21), "21 folders deep"),
        (os.fsdecode(b"caf\xe9.py"), r"holds U\+DCE9"),
    ],
)
def test_names_that_some_system_cannot_unpack_are_refused(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        refuse_bad_names(["good.py", name])
    assert "rename" in caught.value.hint
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "names",
    [["Model.py", "model.py"], ["Sub/a.py", "sub/b.py"], ["é.py", "e\u0301.py"], ["straße", "strasse"]],
)
def test_names_that_become_one_are_refused(names: list[str]) -> None:
    with pytest.raises(UsageError, match="the same as"):
        refuse_bad_names(names)
