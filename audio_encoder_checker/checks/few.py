"""Many of one kind in few words: the rest are counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from audio_encoder_checker.evidence.contract import Trace
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


def calls(traces: Sequence[Trace]) -> str:
    """The first of some calls in words, and how many more there were."""
    more = len(traces) - 1
    return traces[0].call + (f" and {more} other call{'' if more == 1 else 's'}" if more else "")


def listed(words: Sequence[str], most: int = 5) -> str:
    """The first of some words, and how many more there are."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")
