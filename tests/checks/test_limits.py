"""AEC00x on literals."""

from __future__ import annotations

from audio_encoder_checker.checks import limits as checks
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
    assert problem.message == "the encoder took 13 GiB of the 12 GiB allowed, in the contract stage, and was killed"


def test_every_limit_that_ended_a_run_is_told_by_its_own_check_alone() -> None:
    own = {
        Ending.FLOODED: "output_flood",
        Ending.OUT_OF_MEMORY: "memory_limit",
        Ending.TOO_MANY_TASKS: "process_limit",
        Ending.SCRATCH_FULL: "scratch_full",
        Ending.OUT_OF_CPU_TIME: "cpu_limit",
        Ending.STAGE_TIMED_OUT: "stage_timeout",
    }
    assert set(own) == {ending for ending in Ending if ending.by_limit}
    for ending in Ending:
        facts = conduct(ending, detail="the contract stage took longer than 1800 s")
        found = {
            "output_flood": [*checks.output_flood(facts)],
            "memory_limit": [*checks.memory_limit(facts, usage())],
            "process_limit": [*checks.process_limit(facts, usage())],
            "scratch_full": [*checks.scratch_full(facts, usage())],
            "cpu_limit": [*checks.cpu_limit(facts, usage())],
            "stage_timeout": [*checks.stage_timeout(facts)],
        }
        assert [name for name, problems in found.items() if problems] == ([own[ending]] if ending in own else [])


def test_AEC003_to_006_say_how_much_of_how_much_and_in_which_stage() -> None:
    used = usage(peak_tasks=1024, peak_scratch_bytes=3 << 29, peak_scratch_files=7, cpu_seconds=28_801.0)
    (tasks,) = checks.process_limit(conduct(Ending.TOO_MANY_TASKS), used)
    assert tasks.message == "1024 processes and threads at once, 1024 are allowed, in the contract stage"
    (scratch,) = checks.scratch_full(conduct(Ending.SCRATCH_FULL), used)
    assert "1.611 GB of 1.074 GB and 7 of 10,000 files" in scratch.message
    (cpu,) = checks.cpu_limit(conduct(Ending.OUT_OF_CPU_TIME), used)
    assert cpu.message == "28801 s of processor time, 28800 s are allowed, reached in the contract stage"
    (stage,) = checks.stage_timeout(conduct(Ending.STAGE_TIMED_OUT, detail="the load stage took longer than 5 s"))
    assert stage.message == "the load stage took longer than 5 s"
