"""AEC0xx on literals."""

from __future__ import annotations

from audio_encoder_checker.checks import conduct as checks
from audio_encoder_checker.evidence.run import Ending
from tests.literals import conduct, usage


def test_good_conduct_triggers_nothing() -> None:
    assert list(checks.output_flood(conduct(stdout_bytes=5000))) == []
    assert list(checks.memory_limit(conduct(), usage())) == []


def test_AEC001_says_how_much_and_shows_the_last_line() -> None:
    facts = conduct(Ending.FLOODED, stdout_bytes=9 << 20, output_tail="a\nstep 77\n", stage="load")
    (problem,) = checks.output_flood(facts)
    assert problem.message == "printed 9 MiB in the load stage, the last line is 'step 77'"
    assert "nothing readable" in next(checks.output_flood(conduct(Ending.FLOODED))).message


def test_AEC002_says_limit_peak_and_stage() -> None:
    (problem,) = checks.memory_limit(conduct(Ending.OUT_OF_MEMORY), usage(13 << 30))
    assert problem.message == "the process tree reached 13 GiB of 12 GiB in the contract stage and was killed"
