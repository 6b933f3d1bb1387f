"""AEC320 to AEC322: the environment that is made of the submission's requirements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few, listed
from audio_encoder_checker.evidence.installing import InstallFacts, TargetDifferences, Trouble
from audio_encoder_checker.evidence.requirements import RequirementFacts
from audio_encoder_checker.findings import Problem, Severity

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.installing import Difference, RefusedLine, Unresolved

REQUIREMENTS = "requirements.txt"
EXPLAINED_BY = ("AEC305", "AEC307", "AEC306", "AEC302", "AEC303", "AEC308", "AEC310", "AEC311")
"""Checks of the requirements' text that name the cause."""


@check("AEC320", stage="load", follows=EXPLAINED_BY)
def unresolvable_requirements(facts: InstallFacts) -> Iterator[Problem]:
    """The requirements cannot be installed.

    The organisers install them before they load the encoder. If one of them does not exist, has no wheel for this
    Python, or contradicts another, nothing is installed and the encoder is never loaded.

    Fix: try `pip install --only-binary :all: -r requirements.txt` in a fresh environment and loosen what it names.
    """
    failed = facts.failed
    if failed is not None and failed.trouble is not Trouble.SOURCE:
        yield Problem(_words(failed), failed.at or REQUIREMENTS, _hint(failed))
    yield from few(_refused(one) for one in facts.refused)


def _refused(one: RefusedLine) -> Problem:
    """Our own caution, not surely a defect: the organisers may install it."""
    if one.option:
        return Problem(f"'{one.text}' was left aside: {one.reason}", one.at, "", Severity.NOTE)
    hint = "name the package and its version: `NAME==VERSION`; what no index has, copy into the repository"
    return Problem(f"'{one.text}' was not installed: {one.reason}", one.at, hint, Severity.WARNING)


def _words(failed: Unresolved) -> str:
    return f"'{failed.line}' cannot be installed: {failed.reason}" if failed.line else failed.reason


def _hint(failed: Unresolved) -> str:
    name = failed.names[0] if failed.names else ""
    if failed.trouble is Trouble.MISSING:
        return f"look up how '{name}' is spelled on pypi.org; if it is a module of your own, leave the line out"
    if failed.trouble is Trouble.VERSION:
        return f"name a version of {name} that is there, or leave it out: `{name}`"
    if failed.trouble is Trouble.PLATFORM:
        return f"choose a version of {name} with wheels for this Python: `{name}` without a version finds it"
    if failed.trouble is Trouble.CONFLICT:
        pinned = [one for one in failed.names if one] or ["one of them"]
        return f"loosen the versions of {listed(pinned, 3)}"
    return ""


@check("AEC321", stage="load", follows=EXPLAINED_BY)
def source_only_requirement(facts: InstallFacts) -> Iterator[Problem]:
    """A requirement has no wheel and has to be built.

    Building needs a compiler and often headers that the organisers' machine lacks, takes long, and runs code of the
    package while it is installed.

    Fix: choose a version with a wheel, or copy the modules that you need into the repository.
    """
    failed = facts.failed
    if failed is not None and failed.trouble is Trouble.SOURCE:
        name = failed.names[0] if failed.names else "it"
        hint = f"choose a version of {name} with a wheel; `--allow-source` lets it be built here, if you trust it"
        yield Problem(_words(failed), failed.at or REQUIREMENTS, hint)
    for name in facts.built:
        yield Problem(f"'{name}' had to be built from source on this machine", REQUIREMENTS, "", Severity.WARNING)


@check("AEC322", severity=Severity.NOTE, stage="load")
def differs_from_target(differences: TargetDifferences, requirements: RequirementFacts) -> Iterator[Problem]:
    """Packages have other versions here than on the organisers' machine.

    What was measured here holds for the versions here. Where your requirements name no version, the organisers get
    the one that their machine has.

    Fix: pin what has to stay as it is here, such as `transformers==4.57.1`, and try the encoder on that machine too.
    """
    named = {*_FIRST, *(one.name for one in requirements.required)}
    found = sorted(
        (one for one in differences.differences if one.name in named),
        key=lambda one: (one.name not in _FIRST, one.name),
    )
    if found:
        pairs = listed([_pair(one) for one in found])
        yield Problem(f"other versions than on {differences.target}: {pairs}", REQUIREMENTS)


_FIRST = ("torch", "torchaudio", "numpy", "transformers")


def _pair(one: Difference) -> str:
    return f"{one.name} {one.here} (there {one.there})"
