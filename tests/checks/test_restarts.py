"""AEC620 to AEC635 on literals; `test_downloads.py` shows them on real encoders."""

from __future__ import annotations

import pytest

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.checks import restarts as checks
from audio_encoder_checker.evidence.behaviour import Difference
from audio_encoder_checker.evidence.network import (
    Condition,
    Moment,
    NetworkFacts,
    Restart,
    Restarts,
    Transfer,
    Way,
    Went,
)
from audio_encoder_checker.judging import Evidence, judge
from tests.literals import ANSWERED, raised

CHECKS = [one for one in all_checks() if Restarts in one.needs]
APART = Difference(same_shape=True, relative=0.5, cosine=0.1)


def found(condition: Condition, went: Went) -> list[str]:
    ended = ANSWERED if went in (Went.WELL, Went.OTHERWISE, Went.NOT_MET) else raised("KeyError", "x")
    evidence = Evidence()
    evidence.put(Restarts((Restart(condition, ended, went, APART),)), NetworkFacts())
    return [finding.id for finding in judge(evidence, CHECKS).findings]


@pytest.mark.parametrize("condition", Condition)
def test_what_goes_well_or_meets_nothing_is_fine(condition: Condition) -> None:
    assert found(condition, Went.WELL) == found(condition, Went.NOT_MET) == []


@pytest.mark.parametrize(
    ("condition", "went", "ids"),
    [
        (Condition.CUT_OFF, Went.CLEARLY, ["AEC620"]),
        (Condition.CUT_OFF, Went.OTHERWISE, ["AEC622"]),
        (Condition.OFFLINE_MODE, Went.UNCLEARLY, ["AEC621"]),
        (Condition.OFFLINE_MODE, Went.OTHERWISE, ["AEC622"]),
        (Condition.TOO_MANY, Went.CLEARLY, ["AEC630"]),
        (Condition.CUT, Went.UNCLEARLY, ["AEC631"]),
        (Condition.CUT, Went.OTHERWISE, ["AEC632"]),
        (Condition.NO_NETWORK, Went.CLEARLY, []),
        (Condition.NO_NETWORK, Went.OTHERWISE, ["AEC632"]),
        (Condition.NO_NETWORK, Went.HUNG, ["AEC634"]),
        (Condition.FULL_DISK, Went.CLEARLY, []),
        (Condition.FULL_DISK, Went.UNCLEARLY, ["AEC631"]),
        (Condition.WRONG_BYTES, Went.OTHERWISE, ["AEC633"]),
        (Condition.WRONG_BYTES, Went.CLEARLY, []),
        (Condition.SLOW, Went.HUNG, ["AEC634"]),
        (Condition.TWO_AT_ONCE, Went.UNCLEARLY, ["AEC635"]),
        (Condition.TWO_AT_ONCE, Went.OTHERWISE, ["AEC635"]),
    ],
)
def test_each_fault_gives_its_finding(condition: Condition, went: Went, ids: list[str]) -> None:
    assert found(condition, went) == ids


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (None, "no finite embeddings"),
        (Difference(same_shape=False, relative=float("inf"), cosine=0.0), "embeddings of another shape"),
        (APART, "embeddings differ by 0.5 (cosine 0.100)"),
    ],
)
def test_other_embeddings_are_told_in_words(difference: Difference | None, words: str) -> None:
    start = Restart(Condition.CUT_OFF, ANSWERED, Went.OTHERWISE, difference)
    (problem,) = checks.other_embeddings_from_cache(Restarts((start,)))
    assert problem.message.endswith(f": {words}")


def test_AEC633_gives_the_hash_of_the_largest_file_whose_hash_is_known() -> None:
    sizes = {"": 900, "b" * 64: 100, "c" * 64: 500, "d" * 64: 50}
    passed = tuple(
        Transfer(Moment("load"), Way.PROXY, "zenodo.org", 443, "GET", received_bytes=size, sha256=sha256)
        for sha256, size in sizes.items()
    )
    starts = Restarts((Restart(Condition.WRONG_BYTES, ANSWERED, Went.OTHERWISE, APART),))
    (problem,) = checks.wrong_bytes_unnoticed(starts, NetworkFacts(passed))
    assert f'.hexdigest() == "{"c" * 64}"`' in problem.hint
    assert next(checks.wrong_bytes_unnoticed(starts, NetworkFacts(passed[:1]))).hint == ""
