"""Cards: two columns that keep every character, at any width."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from audio_encoder_checker.render.card import card

SENTENCE = "16 x 35 s: 6.0 to 7.2 GiB of 14.6 GiB; the forecast was -4.7% off, and 1,234,567 GB are free in a session"
LABELS = 10
"""So many columns the labels take: eight, and two between."""


def lines(*rows: tuple[str, str], width: int = 80, last: bool = True) -> list[str]:
    out = io.StringIO()
    card(list(rows), Console(file=out, width=width, highlight=False), last=last)
    return out.getvalue().splitlines()


def texts(*rows: tuple[str, str], width: int = 80) -> list[str]:
    """The second column."""
    return [line[LABELS:].rstrip() for line in lines(*rows, width=width, last=False)]


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("text", [SENTENCE, "x" * 300, "耳" * 150, "a.b/" * 80 + " " + SENTENCE])
def test_no_line_is_wider_than_the_terminal(text: str, width: int) -> None:
    assert max(map(cell_len, lines(("GPU", text), width=width))) <= width


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_sentence_is_broken_between_words_only(width: int) -> None:
    assert " ".join(texts(("GPU", SENTENCE), width=width)) == SENTENCE


@pytest.mark.parametrize("word", ["x" * 300, "耳" * 150])
def test_a_word_too_long_for_a_line_goes_on_in_the_next_and_loses_nothing(word: str) -> None:
    shown = texts(("GPU", word))
    assert len(shown) > 1
    assert "".join(shown) == word


def test_texts_stand_beneath_each_other_and_rows_without_a_label_too() -> None:
    shown = lines(("GPU", "first"), ("", "second"), ("time", "third"))
    assert [line.rstrip() for line in shown] == ["GPU       first", "          second", "time      third", ""]


def test_a_long_label_is_not_broken() -> None:
    first, *_ = lines(("longer than eight", SENTENCE), width=30)
    assert first.startswith("longer than eight  16 x 35 s:")


@pytest.mark.parametrize(("last", "empty"), [(True, 1), (False, 0)])
def test_an_empty_line_ends_the_last_card(last: bool, empty: int) -> None:
    shown = lines(("GPU", "fits"), last=last)
    assert len([line for line in shown if not line.strip()]) == empty


@pytest.mark.parametrize("words", ["[bold red]boo[/]", "[/]", ":smile:", "[link=http://x.y]here[/link]", "a\\[b"])
def test_labels_and_texts_are_not_taken_for_markup(words: str) -> None:
    (shown,) = lines((words, words), last=False)
    assert shown.rstrip().split() == [*words.split(), *words.split()]
