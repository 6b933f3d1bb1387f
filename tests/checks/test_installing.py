"""AEC320 to AEC322."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.evidence.installing import (
    Difference,
    InstallFacts,
    Origin,
    Package,
    RefusedLine,
    TargetDifferences,
    Trouble,
    Unresolved,
)
from audio_encoder_checker.evidence.requirements import Required, RequirementFacts
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge

FINE = InstallFacts("uv 0.13.9", "3.11.7", (Package("tiny", "1.0", Origin.WHEEL),))


def findings(*facts: object) -> list[Finding]:
    evidence = Evidence()
    evidence.put(*facts)
    kinds = {type(one) for one in facts}
    checks = [one for one in all_checks() if one.id.startswith("AEC32") and set(one.needs) <= kinds]
    return list(judge(evidence, checks).findings)


def failed(trouble: Trouble) -> InstallFacts:
    return replace(FINE, failed=Unresolved(trouble, "because", ("tiny", "other"), "requirements.txt:3", "tiny==9"))


def test_a_set_that_was_installed_is_fine() -> None:
    assert not findings(FINE, TargetDifferences("colab-t4"))


@pytest.mark.parametrize("trouble", [one for one in Trouble if one is not Trouble.SOURCE])
def test_AEC320_unresolvable_requirements(trouble: Trouble) -> None:
    (found,) = findings(failed(trouble))
    assert (found.id, found.severity, found.at) == ("AEC320", Severity.ERROR, "requirements.txt:3")
    assert found.message == "'tiny==9' cannot be installed: because"
    if trouble not in (Trouble.OTHER, Trouble.BUILD):
        assert "tiny" in found.hint


def test_AEC320_without_a_line_of_its_own() -> None:
    (found,) = findings(replace(FINE, failed=Unresolved(Trouble.OTHER, "because")))
    assert (found.message, found.at) == ("because", "requirements.txt")


def test_AEC320_what_was_not_passed_on() -> None:
    package = RefusedLine("requirements.txt:2", "-e .", "the option -e")
    option = RefusedLine("requirements.txt:3", "--pre", "the option --pre", option=True)
    facts = replace(FINE, refused=(option, package))
    first, second = findings(facts)
    assert (first.id, first.severity, first.at) == ("AEC320", Severity.WARNING, "requirements.txt:2")
    assert (second.id, second.severity, second.at) == ("AEC320", Severity.NOTE, "requirements.txt:3")
    assert "'-e .'" in first.message
    assert "the option -e" in first.message


def test_AEC321_source_only_requirement() -> None:
    (found,) = findings(failed(Trouble.SOURCE))
    assert (found.id, found.severity, found.at) == ("AEC321", Severity.ERROR, "requirements.txt:3")
    assert "--allow-source" in found.hint


def test_AEC321_built_because_that_was_allowed() -> None:
    (found,) = findings(replace(FINE, packages=(Package("raw", "1.0", Origin.SOURCE),)))
    assert (found.id, found.severity) == ("AEC321", Severity.WARNING)
    assert "'raw'" in found.message


def test_AEC322_differs_from_target() -> None:
    names = ("aa", "bb", "cc", "dd", "ee", "torch")
    required = RequirementFacts(required=tuple(Required("requirements.txt", 1, name, name) for name in names))
    differ = (*names, "transitive")
    target = TargetDifferences("colab-t4", tuple(Difference(name, "1", "2") for name in differ))
    (found,) = findings(target, required)
    assert (found.id, found.severity) == ("AEC322", Severity.NOTE)
    assert found.message.startswith("other versions than on colab-t4: torch 1 (there 2), aa 1 (there 2)")
    assert found.message.endswith("and 1 more")
