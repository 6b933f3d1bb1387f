"""Evidence and checks in, findings out: the only place where a check is called."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar, cast

from audio_encoder_checker.findings import Finding, Problem, Severity
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audio_encoder_checker.catalogue import Check

Kind = TypeVar("Kind")

LONGEST = 5_000
"""Characters of a text in a finding: checks cut what they quote long before."""
NOT_ASKED = "not asked for"
"""Why evidence is missing when the user left its stage out: that alone leaves no verdict undecided."""


@dataclass(frozen=True)
class Skipped:
    """A check that could not be judged, and why. Never a pass.

    `open` says whether the verdict waits for it: not where its stage was left out on purpose, nor where a
    mere warning was ignored.
    """

    id: str
    name: str
    reason: str
    open: bool


@dataclass
class Evidence:
    """All facts gathered so far, one of each kind, and why the missing ones are missing."""

    facts: dict[type, object] = field(default_factory=dict)
    missing: dict[type, str] = field(default_factory=dict)

    def put(self, *facts: object) -> None:
        """Add facts; a kind that is already there is replaced."""
        for fact in facts:
            self.facts[type(fact)] = fact

    def miss(self, reason: str, *kinds: type) -> None:
        """Say why facts of these kinds will not come; the first reason given for a kind stands, facts outdo it."""
        for kind in kinds:
            self.missing.setdefault(kind, reason)

    def get(self, kind: type[Kind]) -> Kind | None:
        """The facts of one kind, or None."""
        return cast("Kind | None", self.facts.get(kind))

    def why_missing(self, kinds: Iterable[type]) -> str:
        """Why the first missing one of some kinds is missing; empty when all are there."""
        for kind in kinds:
            if kind not in self.facts:
                return self.missing.get(kind, "its evidence was not gathered")
        return ""


@dataclass(frozen=True)
class Judgement:
    """What all checks together say."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    judged: tuple[str, ...] = ()
    """Ids of the checks that were asked and could be judged, found they something or not."""


def judge(evidence: Evidence, checks: Iterable[Check], ignored: Mapping[str, str] | None = None) -> Judgement:
    """Ask every check, in the order of ids, and fold what follows from another finding under it.

    Args:
        evidence: what was gathered.
        checks: whom to ask.
        ignored: check id to the user's reason for not asking it.

    Returns:
        Findings, gravest first, each with what follows from it right behind it, and the checks that could not be
        judged.
    """
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    judged: list[str] = []
    roots: set[str] = set()
    asked = tuple(checks)
    for one in asked:
        reason = evidence.why_missing(one.needs)
        if ignored and one.id in ignored:
            mandatory = one.severity is Severity.ERROR
            said = printable(" ".join(ignored[one.id].split()), limit=LONGEST)
            skipped.append(Skipped(one.id, one.name, f"ignored: {said}", mandatory))
        elif reason:
            skipped.append(Skipped(one.id, one.name, reason, reason != NOT_ASKED))
        else:
            facts = [evidence.facts[kind] for kind in one.needs]
            judged.append(one.id)
            for problem in one.judge(*facts):
                findings.append(stamp(one, problem))
                roots.update([one.id] if problem.own_cause else [])
    return Judgement(tuple(_fold(findings, asked, roots)), tuple(skipped), tuple(judged))


def _fold(findings: list[Finding], checks: tuple[Check, ...], roots: set[str]) -> list[Finding]:
    """Name the cause of every finding that follows from another, and put them in order."""
    follows = {one.id: () if one.id in roots else one.follows for one in checks}
    gravest: dict[str, int] = {}
    for finding in findings:
        gravest[finding.id] = min(finding.severity.rank, gravest.get(finding.id, finding.severity.rank))

    def cause(check_id: str, rank: int) -> str:
        return next((one for one in follows[check_id] if gravest.get(one, rank + 1) <= rank), "")

    def place(finding: Finding) -> tuple[int, str, int, int, str]:
        root, rank, steps = finding.id, finding.severity.rank, 0
        while above := cause(root, rank):
            root, rank, steps = above, gravest[above], steps + 1
        return rank, root, steps, finding.severity.rank, finding.id

    named = [replace(finding, because_of=cause(finding.id, finding.severity.rank)) for finding in findings]
    return sorted(named, key=place)


def stamp(one: Check, problem: Problem) -> Finding:
    """Give a problem the identity of the check that found it; whatever it quotes is printable from here on."""
    return Finding(
        id=one.id,
        name=one.name,
        severity=problem.severity or one.severity,
        stage=one.stage,
        title=one.title,
        why=one.why,
        message=printable(problem.message, limit=LONGEST),
        at=printable(problem.at, limit=LONGEST),
        hint=printable(problem.hint, limit=LONGEST) or one.fix,
    )
