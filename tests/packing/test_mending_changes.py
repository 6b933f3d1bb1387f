"""Differences as the user reads them."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.packing.mending.changes import Added, Edited, LeftOut, Renamed, Rewritten


def difference(before: str, after: str) -> list[str]:
    return list(Edited("a.py", before.encode(), after.encode(), "utf-8").difference())


def test_each_change_is_a_line() -> None:
    assert LeftOut(".git/", 12, 3400).line == ".git/  (12 files, 3.4 kB)"
    assert LeftOut("a/.DS_Store", 1, 3).line == "a/.DS_Store  (3 bytes)"
    assert Renamed("a\\b.py", "a/b.py").line == "a\\b.py -> a/b.py"
    assert Rewritten("好.py", "read as gbk").line == "好.py: read as gbk"
    assert Added(".aeccignore", "a\nb\n").line == ".aeccignore  (2 lines)"


@pytest.mark.parametrize(
    "change", [LeftOut("\x1b[2J\u202e", 1, 1), Renamed("\x1b[2J", "\u202e"), Rewritten("\x1b", "\u202e")]
)
def test_no_name_steers_the_terminal(change: LeftOut | Renamed | Rewritten) -> None:
    assert "\x1b" not in change.line
    assert "\u202e" not in change.line


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=40), st.booleans())
def test_it_is_the_unified_diff_that_everybody_knows(lines: list[tuple[str, bool]], whole: bool) -> None:
    """difflib may pair lines otherwise, so the lines here are told apart by their numbers."""
    old = [f"{letter}{number}" for number, (letter, _) in enumerate(lines)]
    new = [f"{line}!" if changed else line for line, (_, changed) in zip(old, lines, strict=True)]
    end = "\n" if whole else ""
    shown = difference("\n".join(old) + end, "\n".join(new) + end)
    expected = [line.rstrip("\n") for line in difflib.unified_diff(old, new, "a.py", "a.py", lineterm="")]
    assert [line for line in shown[2:] if line[0] != "@"] == [line for line in expected[2:] if line[0] != "@"]
    assert [hunk(line) for line in shown if line[0] == "@"] == [hunk(line) for line in expected if line[0] == "@"]


def hunk(line: str) -> list[list[int]]:
    """Start and length of both sides; difflib leaves a length of 1 away."""
    return [[*map(int, part[1:].split(",")), 1][:2] for part in line.split()[1:3]]


def test_line_ends_are_not_shown_tabs_are_kept_and_control_characters_escaped() -> None:
    assert difference("\tx = 1  # \x1b[2J\r\ny\r\n", "\tx = 2  # \x1b[2J\r\ny\r\n") == [
        "--- a.py", "+++ a.py", "@@ -1,2 +1,2 @@", "-\tx = 1  # \\x1b[2J", "+\tx = 2  # \\x1b[2J", " y",
    ]  # fmt: skip


def test_a_long_line_is_shown_in_full() -> None:
    assert difference("x" * 5000, "\x1b" * 5000)[-2:] == ["-" + "x" * 5000, "+" + "\\x1b" * 5000]


def test_a_text_in_another_encoding_is_read_in_it() -> None:
    shown = list(Edited("a.py", "名 = 1".encode("gbk"), "名 = 2".encode("gbk"), "gbk").difference())
    assert shown[-2:] == ["-名 = 1", "+名 = 2"]
