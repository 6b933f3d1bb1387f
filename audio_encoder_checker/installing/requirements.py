"""Which of a submission's requirements the installer is given: names with versions, rewritten by us, nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from audio_encoder_checker.evidence.installing import RefusedLine
from audio_encoder_checker.evidence.requirements import Standing
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audio_encoder_checker.evidence.requirements import RequirementFacts

LINE_CHARACTERS = 2_000
HASHES = re.compile(r"\s--hash[=\s]\S+")
FILES = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz")
"""Names that an installer may take for a file."""
ELSEWHERE = "it points elsewhere than the package index"


@dataclass(frozen=True)
class Line:
    """One requirement as the submission writes it, continued lines joined.

    Attributes:
        file: relative to the root, with `/`.
        number: from 1, where it starts.
        text: without comment.
    """

    file: str
    number: int
    text: str

    @property
    def at(self) -> str:
        """`requirements.txt:3`, printable."""
        return f"{printable(self.file)}:{self.number}"


@dataclass(frozen=True)
class Wanted:
    """A line that the installer is given, as we write it."""

    line: Line
    requirement: Requirement

    @property
    def name(self) -> str:
        """The normalised name (PEP 503)."""
        return canonicalize_name(self.requirement.name)


def lines_of(facts: RequirementFacts) -> tuple[Line, ...]:
    """What the submission's lists require, those that they name in turn included; extras of a project are not."""
    listed = (Standing.LISTED, Standing.PROJECT)
    return tuple(Line(one.file, one.line, one.text) for one in facts.required if one.standing in listed)


def choose(lines: Iterable[Line]) -> tuple[tuple[Wanted, ...], tuple[RefusedLine, ...]]:
    """Those that name a package of the index, and those that are not passed on.

    Hashes are dropped: they belong to the files of another machine.
    """
    wanted, refused = [], []
    for line in lines:
        requirement, reason = _judged(HASHES.sub("", f" {line.text}").strip())
        if requirement is not None:
            wanted.append(Wanted(line, requirement))
        else:
            option = line.text.startswith("-") and not line.text.startswith(("-e", "--editable", "-r", "--requirement"))
            refused.append(RefusedLine(line.at, printable(line.text, limit=120), reason, option))
    return tuple(wanted), tuple(refused)


def _judged(text: str) -> tuple[Requirement | None, str]:
    if text.startswith("-"):
        return (
            None,
            f"the option {printable(text.split(maxsplit=1)[0].split('=', maxsplit=1)[0], limit=40)} is not passed on",
        )
    if len(text) > LINE_CHARACTERS:
        return None, "the line is too long"
    if text.endswith(FILES):
        return None, ELSEWHERE
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):
        elsewhere = "://" in text or text.startswith((".", "/"))
        return None, ELSEWHERE if elsewhere else "it is no requirement of a package"
    if requirement.url:
        return None, ELSEWHERE
    return requirement, ""
