"""Which versions the machine of the organisers has, as far as they are published, and which are others here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from audio_encoder_checker.evidence.installing import Difference, TargetDifferences
from audio_encoder_checker.printable import printable
from audio_encoder_checker.rules import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audio_encoder_checker.evidence.installing import Package


def target_constraints(machine: str) -> tuple[str, ...]:
    """The packages of a machine, `NAME==VERSION`; empty for one whose packages are not known."""
    path = RESOURCES / "constraints" / f"{machine}.txt"
    if machine != path.stem or not path.is_file():
        return ()
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line)


def differences(machine: str, target: Iterable[str], packages: Iterable[Package]) -> TargetDifferences:
    """Packages that both have, in different versions; what stands behind `+` does not count."""
    there = dict(_pin(line) for line in target)
    found = [
        Difference(one.name, one.version, there[one.name])
        for one in packages
        if one.name in there and _public(one.version) != _public(there[one.name])
    ]
    return TargetDifferences(printable(machine), tuple(found))


def _pin(line: str) -> tuple[str, str]:
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return "", ""
    versions = [one.version for one in requirement.specifier if one.operator == "=="]
    return (canonicalize_name(requirement.name), versions[0]) if versions else ("", "")


def _public(version: str) -> str:
    return version.partition("+")[0]
