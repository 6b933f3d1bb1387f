"""Which environment was judged: rows for a terminal, data for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.installing import InstallFacts, Origin, TargetDifferences

if TYPE_CHECKING:
    from audio_encoder_checker.judging import Evidence

OWN = "those of aecc-check's own environment; `--install` makes a fresh one of the requirements"


def rows(evidence: Evidence) -> list[tuple[str, str]]:
    """One label and text."""
    facts = evidence.get(InstallFacts)
    if facts is None:
        return [("packages", OWN)]
    lent = sum(one.origin is Origin.LENT for one in facts.packages)
    how = "found in the cache" if facts.cached else f"installed by {facts.tool} in {facts.seconds:.0f} s"
    count = len(facts.refused)
    left = f", {count} line{'' if count == 1 else 's'} left out" if count else ""
    own = len(facts.packages) - lent
    return [("packages", f"a fresh environment: {own} of the requirements, {lent} lent by aecc-check, {how}{left}")]


def as_data(evidence: Evidence) -> dict[str, Any] | None:
    """The environment as JSON data, without its seconds; None where none was made."""
    facts, differences = evidence.get(InstallFacts), evidence.get(TargetDifferences)
    if facts is None:
        return None
    return {
        "tool": facts.tool,
        "python": facts.python,
        "key": facts.key,
        "packages": [{"name": one.name, "version": one.version, "origin": one.origin.value} for one in facts.packages],
        "refused": [{"at": one.at, "text": one.text, "reason": one.reason} for one in facts.refused],
        "failed": facts.failed.reason if facts.failed else None,
        "constraints": list(facts.constraints),
        "removed": list(facts.removed),
        "target": differences.target if differences else None,
        "differences": [
            {"name": one.name, "here": one.here, "there": one.there}
            for one in (differences.differences if differences else ())
        ],
    }
