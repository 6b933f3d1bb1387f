from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.launcher import words


def test_names_and_values_come_back_in_order() -> None:
    plan = words.read(words.write([("cwd", "/a=b\n"), ("env", "X=1=2"), ("uid", 7), ("env", "Y="), ("empty", "")]))
    assert (plan.one("cwd"), plan.number("uid"), plan.one("empty")) == ("/a=b\n", 7, "")
    assert plan.pairs("env") == [("X", "1=2"), ("Y", "")]
    assert plan.all("nothing") == []


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_any_text_without_a_nul_comes_back(values: list[str]) -> None:
    assert words.read(words.write(("x", value) for value in values)).all("x") == values


def test_a_path_that_is_no_text_comes_back() -> None:
    path = os.fsdecode(b"/\xff\xfe")
    assert words.read(words.write([("bind", path)])).one("bind") == path


def test_a_nul_would_end_a_word_early_and_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        words.write([("command", "a\0filter=")])


@pytest.mark.parametrize("data", [b"", b"uid=1\0uid=2\0", b"uid=x\0"])
def test_a_number_that_is_missing_doubled_or_none_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - three causes, one consequence: nothing is run
        words.read(data).number("uid")
