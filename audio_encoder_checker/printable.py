"""Text of a submission, made safe to show: no control, bidi or invisible character reaches a terminal."""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str, *, limit: int = 200, keep: str = "") -> str:
    r"""Escape every control, format, surrogate, private and unassigned character, and cut.

    Args:
        text: anything.
        limit: most characters of the result, an ellipsis included.
        keep: characters to let through all the same, such as `"\n"`.
    """
    shown = "".join(c if c in keep or unicodedata.category(c) not in _HIDDEN else _escape(c) for c in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def told(value: object, *, limit: int = 200) -> str:
    """Text that a child sent, made printable; a value that is no text is not looked into and gives an empty text."""
    return printable(value, limit=limit) if isinstance(value, str) else ""


def quoted(name: str) -> str:
    """A name in quotes, cut and printable."""
    return f"'{printable(name, limit=120)}'"


def place(file: str, line: int = 0) -> str:
    """A line for people, printable: `encoder.py:12`, or the file alone."""
    return f"{printable(file)}:{line}" if line else printable(file)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def size_words(count: float) -> str:
    """A number of bytes for people, in decimal units as mail programs count them."""
    for unit in ("bytes", "kB", "MB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.4g} GB"
