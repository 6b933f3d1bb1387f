"""No character of a submission acts on a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.printable import printable, size_words


def test_controls_bidi_and_invisible_characters_are_escaped() -> None:
    assert printable("a\x1b[2J\u202eb\u200b\ud800") == "a\\x1b[2J\\u202eb\\u200b\\ud800"


def test_ordinary_text_of_any_language_stays() -> None:
    assert printable("naïve 中文 кот 🙂 ~/a b.py") == "naïve 中文 кот 🙂 ~/a b.py"


def test_kept_characters_stay() -> None:
    assert printable("a\nb\tc", keep="\n") == "a\nb\\tc"


@given(st.text(st.characters()), st.integers(1, 50))
def test_the_result_is_short_and_harmless(text: str, limit: int) -> None:
    shown = printable(text, limit=limit)
    assert len(shown) <= limit
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn"}
    shown.encode("utf-8")


def test_sizes_are_told_in_decimal_units() -> None:
    assert [size_words(n) for n in (0, 999, 1000, 999_999, 1_234_567, 4_600_000_000, 5e12)] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "1 MB",
        "1.23 MB",
        "4.6 GB",
        "5,000 GB",
    ]
