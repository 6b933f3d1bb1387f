"""At most twenty problems of one kind: the rest are counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audio_encoder_checker.findings import Problem

MOST_PROBLEMS = 20


def few(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Pass problems on; the twentieth says how many more there are."""
    found = list(problems)
    yield from found[: MOST_PROBLEMS - 1]
    left = len(found) - MOST_PROBLEMS
    if left >= 0:
        last = found[MOST_PROBLEMS - 1]
        yield replace(last, message=f"{last.message}; and {left} more like this") if left else last
