"""AEC50x-AEC51x on literals: calls that are not survived."""

from __future__ import annotations

import pytest

from audio_encoder_checker.checks import calls as checks
from audio_encoder_checker.evidence.contract import SurvivalMap, Trace
from audio_encoder_checker.evidence.landmarks import LandmarkKind
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.rules import load_rules
from tests.literals import GOOD, ended, landmarks, official, raised, tensor, trace, traces

NO_MAP = SurvivalMap(())
RULES = load_rules()


def fails(batch: int, samples: int = 50_000, label: str = "") -> Trace:
    return trace(batch=batch, samples=samples, outcome=raised(), label=label)


def works(batch: int, samples: int = 50_000, label: str = "") -> Trace:
    return trace(tensor(batch, samples // 160, 64), batch=batch, samples=samples, label=label)


def test_a_good_encoder_is_not_accused() -> None:
    for check in (checks.forward_failure, checks.death_in_forward, checks.endless_forward):
        assert list(check(GOOD)) == []
    assert list(checks.batch_size_failure(GOOD, landmarks())) == []
    assert list(checks.length_failure(GOOD, NO_MAP)) == []
    assert list(checks.fixed_input_shape(GOOD, RULES)) == []
    assert list(checks.failure_in_inference_mode(GOOD)) == []
    assert list(checks.failure_on_signal(GOOD)) == []


def test_AEC504_is_about_the_official_call_alone() -> None:
    (problem,) = checks.forward_failure(traces(first=official(outcome=raised())))
    assert problem.message == "2 clips of 3.125 s (the official call) raised RuntimeError: sizes differ"
    assert problem.at == "encoder.py:12"
    assert list(checks.forward_failure(traces(trace(batch=1, outcome=raised())))) == []


def test_AEC504_tells_a_device_that_is_fixed() -> None:
    no_gpu = raised("AssertionError", "Torch not compiled with CUDA enabled")
    (problem,) = checks.forward_failure(traces(first=official(outcome=no_gpu)))
    assert "`device=audio.device`" in problem.hint


@pytest.mark.parametrize("ending", [Ending.EXITED, Ending.KILLED, Ending.GARBLED])
def test_AEC507_every_death_is_reported(ending: Ending) -> None:
    (problem,) = checks.death_in_forward(traces(trace(outcome=ended(ending, "signal 11"))))
    assert "signal 11" in problem.message


def test_AEC508_is_about_the_clock() -> None:
    (problem,) = checks.endless_forward(traces(trace(outcome=ended(Ending.TIMED_OUT, "no answer within 5 s"))))
    assert "no answer within 5 s" in problem.message
    assert list(checks.endless_forward(traces(trace(outcome=ended(Ending.KILLED))))) == []


def test_AEC505_names_every_batch_that_fails_once() -> None:
    found = list(
        checks.batch_size_failure(traces(fails(1), fails(16), works(1, 16_000), fails(16, 16_000)), landmarks())
    )
    assert [p.message.split(" raised")[0] for p in found] == ["a batch of 1", "a batch of 16"]
    assert list(checks.batch_size_failure(traces(first=official(outcome=raised())), landmarks())) == []


def test_AEC505_names_the_squeeze() -> None:
    marks = landmarks((LandmarkKind.SQUEEZE, 22, "x = x.squeeze()"))
    (problem,) = checks.batch_size_failure(traces(fails(1)), marks)
    assert problem.hint == "encoder.py:22: name the axis, `.squeeze(1)`, in `x = x.squeeze()`"


def test_AEC506_gives_short_clips_the_line_that_pads() -> None:
    found = list(checks.length_failure(traces(fails(1, 1600), fails(1, 400), fails(1, 480_000)), NO_MAP))
    assert [p.message.split(" raised")[0] for p in found] == ["1 clip of 0.1 s and 1 other call", "1 clip of 30 s"]
    assert "functional.pad(audio, (0, max(0, 50000 - audio.shape[-1])))" in found[0].hint
    assert [p.severity for p in found] == [Severity.WARNING, Severity.ERROR]


def test_AEC506_pads_to_the_shortest_clip_that_works() -> None:
    (problem,) = checks.length_failure(traces(works(1, 8000), fails(1, 400), works(1, 1600)), NO_MAP)
    assert "max(0, 1600 - audio.shape[-1])" in problem.hint


def test_AEC506_names_the_last_chunk() -> None:
    around = traces(works(1, 480_000), fails(1, 160_001, "160001 samples"))
    (problem,) = checks.length_failure(around, SurvivalMap((), chunk_samples=160_000))
    assert "160001 samples" in problem.message
    assert "one sample long" in problem.hint


def test_AEC506_leaves_other_batches_and_signals_to_others() -> None:
    assert list(checks.length_failure(traces(fails(16, 16_000), works(1, 16_000)), NO_MAP)) == []
    assert list(checks.length_failure(traces(works(1, 16_000), fails(1, 16_000, "silence")), NO_MAP)) == []


def test_AEC506_is_certain_from_half_a_second_on() -> None:
    graded = [next(checks.length_failure(traces(fails(1, samples)), NO_MAP)) for samples in (7999, 8000)]
    assert [problem.severity for problem in graded] == [Severity.WARNING, Severity.ERROR]


def test_AEC506_gives_other_lengths_than_the_chunks_the_line_that_pads() -> None:
    (problem,) = checks.length_failure(traces(fails(1, 400)), SurvivalMap((), chunk_samples=160_000))
    assert "functional.pad" in problem.hint


def test_a_kind_of_audio_says_nothing_of_shapes() -> None:
    silent = traces(fails(1, 16_000, "silence"), fails(2, label="silence"))
    assert list(checks.batch_size_failure(silent, landmarks())) == []
    assert list(checks.length_failure(silent, NO_MAP)) == []
    assert list(checks.failure_in_inference_mode(silent)) == []
    answers_to_silence_alone = traces(works(1, 16_000, "silence"), fails(1, 16_000))
    assert len(list(checks.length_failure(answers_to_silence_alone, NO_MAP))) == 1


def test_AEC515_is_for_encoders_that_know_the_official_call_alone() -> None:
    (problem,) = checks.fixed_input_shape(traces(fails(1), works(2), fails(3), fails(1, 16_000)), RULES)
    assert problem.message.startswith("shape (2, 50000) works, 1 clip of 3.125 s and 2 other calls raised")
    assert list(checks.fixed_input_shape(traces(fails(1), works(3)), RULES)) == []
    assert list(checks.fixed_input_shape(traces(fails(1), fails(2), fails(3)), RULES)) == []
    labelled = traces(fails(1), fails(3), works(1, 16_000, "silence"))
    assert len(list(checks.fixed_input_shape(labelled, RULES))) == 1


def test_AEC516_is_for_the_same_call_in_inference_mode() -> None:
    (problem,) = checks.failure_in_inference_mode(traces(fails(2)))
    assert "inside `torch.inference_mode()`" in problem.message
    assert list(checks.failure_in_inference_mode(traces(fails(1)))) == []
    assert list(checks.batch_size_failure(traces(fails(2)), landmarks())) == []
    assert list(checks.batch_size_failure(traces(fails(1, 16_000)), landmarks())) == []


def test_AEC517_is_for_kinds_of_audio_where_others_work() -> None:
    (problem,) = checks.failure_on_signal(traces(works(1, 16_000), fails(1, 16_000, "silence")))
    assert problem.message.startswith("1 clip of 1 s (silence) raised")
    assert list(checks.failure_on_signal(traces(fails(1, 16_000), fails(1, 16_000, "silence")))) == []
    assert list(checks.failure_on_signal(traces(works(1, 16_000), fails(1, 16_000)))) == []
    assert list(checks.failure_on_signal(traces(works(2), first=official(outcome=raised())))) == []
    assert list(checks.failure_on_signal(traces(works(1, 16_000), fails(4, 16_000, "silence")))) == []
