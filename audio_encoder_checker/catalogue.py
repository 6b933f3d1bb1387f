"""What a check is, and the list of all of them.

A check is a pure function from evidence to problems. The types of its parameters say which evidence it
needs; its docstring is the user's help: line 1 is the title, the body says why it matters in this
challenge, and the part after `Fix:` is the default hint.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import get_type_hints

from audio_encoder_checker import checks
from audio_encoder_checker.findings import Problem, Severity

Judge = Callable[..., Iterator[Problem]]

FAMILIES = {
    "0": "conduct",
    "1": "archive",
    "2": "source",
    "3": "environment",
    "4": "load",
    "5": "contract",
    "6": "download",
    "7": "budget",
    "8": "evaluate",
    "9": "rules",
}
"""The first digit of an id names the family: the stage whose evidence its checks judge, unless they say otherwise."""


@dataclass(frozen=True)
class Check:
    """A judge of evidence, with everything a user may want to know of it."""

    id: str
    name: str
    severity: Severity
    title: str
    why: str
    fix: str
    needs: tuple[type, ...]
    judge: Judge
    follows: tuple[str, ...] = ()
    stage: str = ""

    @property
    def family(self) -> str:
        """What it is about, by the first digit of its id."""
        return FAMILIES[self.id[3]]


_registered: dict[str, Check] = {}


def check(
    check_id: str, *, severity: Severity = Severity.ERROR, follows: tuple[str, ...] = (), stage: str = ""
) -> Callable[[Judge], Judge]:
    """Make a check of a function.

    Args:
        check_id: `AEC` and three digits, the first of them the family.
        severity: what its problems are unless they say otherwise.
        follows: ids of checks whose finding, if it is as grave, explains this one's, the likeliest first.
        stage: the one after which it can be judged, where that is not its family's.

    Raises:
        ValueError: the id is malformed or taken, or the docstring lacks a title, a reason or a `Fix:`.
    """
    if not re.fullmatch(r"AEC\d{3}", check_id) or check_id in _registered:
        raise ValueError(f"{check_id!r} is malformed or taken")

    def register(judge: Judge) -> Judge:
        title, why, fix = _help_parts(judge)
        hints = get_type_hints(judge)
        hints.pop("return", None)
        _registered[check_id] = Check(
            id=check_id,
            name=judge.__name__.replace("_", "-"),
            severity=severity,
            title=title,
            why=why,
            fix=fix,
            needs=tuple(hints.values()),
            judge=judge,
            stage=stage or FAMILIES[check_id[3]],
            follows=follows,
        )
        return judge

    return register


def _help_parts(judge: Judge) -> tuple[str, str, str]:
    doc = inspect.getdoc(judge) or ""
    title, _, rest = doc.partition("\n\n")
    why, _, fix = rest.partition("Fix:")
    parts = [" ".join(part.split()) for part in (title, why, fix)]
    if not all(parts):
        raise ValueError(f"the docstring of {judge.__name__} needs a title, a reason and a `Fix:`")
    return parts[0], parts[1], parts[2]


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check there is, by id."""
    for module in iter_modules(checks.__path__):
        import_module(f"{checks.__name__}.{module.name}")
    return tuple(_registered[check_id] for check_id in sorted(_registered))


def matching(wanted: Iterable[str]) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Choose checks by id (`AEC503`), prefix (`AEC5`) or name (`zero-frames`).

    Returns:
        The checks chosen, and the words that chose none.
    """
    chosen: dict[str, Check] = {}
    unknown = []
    for word in wanted:
        found = [c for c in all_checks() if c.name == word or (word[:3] == "AEC" and c.id.startswith(word))]
        chosen.update((c.id, c) for c in found)
        if not found:
            unknown.append(word)
    return tuple(chosen[check_id] for check_id in sorted(chosen)), tuple(unknown)
