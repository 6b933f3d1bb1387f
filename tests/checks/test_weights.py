"""AEC430 to AEC435 on literals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.evidence.weights import (
    Flaw,
    FlawKind,
    PickledName,
    Safety,
    WeightFacts,
    WeightFile,
    WeightKind,
)
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge


def name(safety: Safety, shown: str = "os:system", *, is_called: bool = True, where: str = "") -> PickledName:
    module, _, last = shown.partition(":")
    return PickledName(module, last, safety, is_called, where)


def file(*names: PickledName, kind: WeightKind = WeightKind.TORCH_ZIP, refused: str = "") -> WeightFile:
    return WeightFile("w/a.pt", kind, 1234, names=names, pickles=1, refused=refused)


def findings(*files: WeightFile, more: int = 0) -> list[Finding]:
    evidence = Evidence()
    evidence.put(WeightFacts(files, more))
    return list(judge(evidence, [one for one in all_checks() if one.needs == (WeightFacts,)]).findings)


def test_a_harmless_file_has_no_finding() -> None:
    assert findings(file(name(Safety.WEIGHTS_ONLY)), file(kind=WeightKind.SAFETENSORS)) == []


def test_AEC430_code_in_weights() -> None:
    many = [name(Safety.CODE, f"m{one}:f") for one in range(7)]
    (found,) = findings(file(name(Safety.CODE, where="a/data.pkl"), name(Safety.CODE), *many))
    assert (found.id, found.severity, found.at) == ("AEC430", Severity.ERROR, "w/a.pt")
    assert found.message.startswith("'w/a.pt' (torch-zip, 1234 bytes) calls os.system, m0.f, ")
    assert "and 3 more in its a/data.pkl" in found.message
    assert "safetensors" in found.hint


def test_AEC430_tells_importing_from_calling() -> None:
    (found,) = findings(file(name(Safety.CODE, is_called=False)))
    assert "imports os.system" in found.message


def test_AEC430_shows_no_character_that_steers_a_terminal() -> None:
    (found,) = findings(file(name(Safety.CODE, "o\x1b[2J:s\u202e")))
    assert "\x1b" not in found.message
    assert "\\u202e" in found.message


def test_AEC431_unknown_names_in_weights_is_explained_by_AEC430() -> None:
    code, unknown = findings(file(name(Safety.CODE), name(Safety.UNKNOWN, "__main__:Net")))
    assert (unknown.id, unknown.severity, unknown.because_of) == ("AEC431", Severity.WARNING, code.id)
    assert "needs __main__.Net" in unknown.message


@pytest.mark.parametrize("kind", [WeightKind.TORCH_ZIP, WeightKind.TORCH_LEGACY])
def test_AEC432_not_weights_only(kind: WeightKind) -> None:
    for safety in (Safety.DATA, Safety.OWN):
        (found,) = findings(file(name(safety, "argparse:Namespace"), name(Safety.WEIGHTS_ONLY), kind=kind))
        assert (found.id, found.severity) == ("AEC432", Severity.NOTE)
        assert found.message.endswith("does not load with weights_only=True: it needs argparse.Namespace")


def test_AEC432_names_the_protocol_where_no_name_is_at_fault() -> None:
    (found,) = findings(file(refused="FRAME"))
    assert found.message.endswith("it was saved with another protocol (FRAME)")


def test_AEC432_does_not_speak_of_files_that_torch_load_is_not_for() -> None:
    assert findings(file(name(Safety.DATA), kind=WeightKind.PICKLE, refused="FRAME")) == []


@pytest.mark.parametrize(
    ("kind", "check", "severity"),
    [
        (FlawKind.DAMAGED, "AEC433", Severity.ERROR),
        (FlawKind.NO_WEIGHTS, "AEC434", Severity.ERROR),
        (FlawKind.UNREAD, "AEC435", Severity.WARNING),
    ],
)
def test_every_class_of_flaws_has_its_check(kind: FlawKind, check: str, severity: Severity) -> None:
    (found,) = findings(replace(file(), flaws=(Flaw(kind, "it is odd"),)))
    assert (found.id, found.severity, found.at) == (check, severity, "w/a.pt")
    assert found.message == "'w/a.pt' (torch-zip, 1234 bytes): it is odd"


def test_AEC435_counts_the_files_that_were_left_out() -> None:
    (found,) = findings(more=7)
    assert (found.id, found.message[:14]) == ("AEC435", "7 more weight ")
