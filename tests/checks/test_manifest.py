from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.checks.manifest import (
    added_file,
    altered_file,
    missing_manifest,
    missing_packed_file,
    unreadable_manifest,
)
from audio_encoder_checker.evidence.manifest import ManifestFacts, PackedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audio_encoder_checker.findings import Problem

A = PackedFile("a.py", 3, "a" * 64)
B = PackedFile("b.py", 4, "b" * 64)
CHECKS = (missing_manifest, unreadable_manifest, missing_packed_file, added_file, altered_file)


def places(check: Callable[[ManifestFacts], Iterator[Problem]], facts: ManifestFacts) -> list[str]:
    return [problem.at for problem in check(facts)]


def silent_but(check: object, facts: ManifestFacts) -> bool:
    return all(not places(other, facts) for other in CHECKS if other is not check)


def test_a_manifest_that_fits_is_no_problem() -> None:
    assert silent_but(None, ManifestFacts(present=True, listed=(A, B), found=(A, B)))


def test_aec901_missing_manifest() -> None:
    facts = ManifestFacts(present=False, found=(A,))
    assert places(missing_manifest, facts) == [""]
    assert silent_but(missing_manifest, facts)


def test_aec902_unreadable_manifest() -> None:
    facts = ManifestFacts(present=True, unreadable="top level: \u202e", found=(A,))
    assert [problem.message for problem in unreadable_manifest(facts)] == ["top level: \\u202e"]
    assert silent_but(unreadable_manifest, facts)


def test_aec903_missing_packed_file() -> None:
    facts = ManifestFacts(present=True, listed=(A, B), found=(B,))
    assert places(missing_packed_file, facts) == ["a.py"]
    assert silent_but(missing_packed_file, facts)


def test_aec904_added_file() -> None:
    facts = ManifestFacts(present=True, listed=(A,), found=(A, B))
    assert places(added_file, facts) == ["b.py"]
    assert silent_but(added_file, facts)


def test_aec905_altered_file() -> None:
    longer, other = PackedFile("a.py", 5, "c" * 64), PackedFile("b.py", 4, "d" * 64)
    facts = ManifestFacts(present=True, listed=(A, B), found=(longer, other))
    messages = [problem.message for problem in altered_file(facts)]
    assert messages == ["expected 3 bytes, found 5", f"expected SHA-256 {'b' * 64}, found {'d' * 64}"]
    assert silent_but(altered_file, facts)


def test_many_files_are_counted_not_listed() -> None:
    listed = tuple(PackedFile(f"{number}.py", 0, "a" * 64) for number in range(1000))
    problems = list(missing_packed_file(ManifestFacts(present=True, listed=listed)))
    assert len(problems) == 20
    assert "980 more" in problems[-1].message
