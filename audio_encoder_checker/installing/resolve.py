"""From requirements to exact versions, with as much of the target and of what is lent as the requirements allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from audio_encoder_checker.evidence.installing import Trouble, Unresolved
from audio_encoder_checker.installing.base import ROOTS, Lent
from audio_encoder_checker.installing.tools import Request
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from audio_encoder_checker.installing.requirements import Wanted
    from audio_encoder_checker.installing.tools import Pins, Tool

MOST_SOURCES = 20
"""Packages without a wheel that are found out one by one."""
TARGET, LENT, FAMILY, OWN = (
    "the target's versions",
    "torch, numpy and what they need as the checker has them",
    "torch as the checker has it",
    "the user's constraints",
)


@dataclass(frozen=True)
class Held:
    """What holds versions in one attempt.

    Attributes:
        words: for the report.
        constraints: lines.
        offered: what is lent, if the resolver chooses its version.
    """

    words: tuple[str, ...]
    constraints: tuple[str, ...]
    offered: tuple[Lent, ...]


@dataclass(frozen=True)
class Resolved:
    """Exact versions.

    Attributes:
        wheels: to install.
        lent: to link.
        held: what held versions, in words.
        sources: which of `wheels` are to be built here.
    """

    wheels: Pins
    lent: tuple[Lent, ...]
    held: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resolver:
    """Tries one attempt after the other.

    Attributes:
        tool: the installer.
        work: a private folder.
        links: a folder with wheels of all that is lent.
        constraint_file: the user's own.
        allow_source: whether packages without a wheel may be built on this machine.
    """

    tool: Tool
    work: Path
    links: Path
    constraint_file: Path | None
    allow_source: bool

    def resolve(self, wanted: Sequence[Wanted], target: Sequence[str], lent: tuple[Lent, ...]) -> Resolved | Unresolved:
        """Choose versions.

        Args:
            wanted: what the submission requires.
            target: constraints of the organisers' machine, `NAME==VERSION`.
            lent: what needs not be installed.

        Returns:
            The choice; else why there is none, found without constraints of ours.

        Raises:
            MachineError: this machine is at fault.
        """
        own = (OWN,) if self.constraint_file else ()
        reasons = []
        for held in _attempts(wanted, target, lent):
            found, sources = self._attempt(wanted, held)
            if not isinstance(found, Unresolved):
                kept = tuple(one for one in held.offered if found.get(one.name) == one.version)
                names = {one.name for one in kept}
                wheels = {name: version for name, version in found.items() if name not in names}
                return Resolved(wheels, kept, (*held.words, *own), tuple(one for one in sources if one in wheels))
            reasons.append(located(found, wanted))
            if found.trouble is Trouble.MISSING and found.names[0] not in {one.name for one in lent}:
                break  # no constraint of ours hides a package that the index does not have
        return _clearest(reasons, {one.name for one in lent})

    def _attempt(self, wanted: Sequence[Wanted], held: Held) -> tuple[Pins | Unresolved, tuple[str, ...]]:
        """Wheels only; where that is allowed, one package after the other is let build if it has no wheel."""
        request = Request(
            requirements=(*(str(one.requirement) for one in wanted), *ROOTS),
            constraints=held.constraints,
            constraint_file=self.constraint_file,
            links=self.links if held.offered else None,
        )
        found = self.tool.resolve(request, self.work)
        while self.allow_source and isinstance(found, Unresolved) and found.trouble is Trouble.SOURCE:
            name = found.names[0]
            if name in request.sources or len(request.sources) == MOST_SOURCES:
                break
            request = replace(request, sources=(*request.sources, name))
            found = self.tool.resolve(request, self.work)
        return found, request.sources


def located(reason: Unresolved, wanted: Sequence[Wanted]) -> Unresolved:
    """The same with the first of the submission's lines that names a package it is about, and those names first."""
    ours = {one.name: one.line for one in reversed(wanted) if one.name in reason.names}
    if not ours:
        return reason
    order = tuple(reversed(ours)) if reason.trouble is Trouble.CONFLICT else reason.names
    names = tuple(dict.fromkeys((*(name for name in order if name in ours), *reason.names)))
    return replace(reason, names=names, at=ours[names[0]].at, line=printable(ours[names[0]].text, limit=120))


def _clearest(reasons: Sequence[Unresolved], lent: set[str]) -> Unresolved:
    """The last is without constraints of ours; but an index without torch would then hide what else is wrong."""
    located_ones = [one for one in reversed(reasons) if one.at]
    others = [one for one in located_ones if one.names[0] not in lent]
    return (others or located_ones or [reasons[-1]])[0]


def _attempts(wanted: Sequence[Wanted], target: Sequence[str], lent: tuple[Lent, ...]) -> Iterator[Held]:
    pins = tuple(one.pin for one in lent)
    named = {one.name for one in wanted if one.requirement.specifier} | {one.name for one in lent}
    free = tuple(line for line in target if _name(line) not in named)
    if free:
        yield Held((TARGET, LENT), (*free, *pins), lent)
    yield Held((LENT,), pins, lent)
    yield Held((FAMILY,), tuple(one.pin for one in lent if one.heavy), lent)
    yield Held((), (), ())


def _name(line: str) -> str:
    try:
        return canonicalize_name(Requirement(line).name)
    except InvalidRequirement:
        return ""
