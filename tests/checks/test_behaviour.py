"""AEC518-AEC529 on literals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.checks import behaviour
from audio_encoder_checker.evidence.behaviour import (
    AfterNan,
    BatchCompany,
    BatchOrder,
    Difference,
    InputDependence,
    InputKept,
    MemoryGrowth,
    Repeatability,
    SecondStart,
    Spread,
    ZeroPadding,
)
from audio_encoder_checker.evidence.landmarks import LandmarkKind
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.rules import load_rules
from tests.literals import ANSWERED, GOOD, landmarks, official, tensor, traces

EQUAL = Difference(same_shape=True, relative=0.0, cosine=1.0)
SAME = Difference(same_shape=True, relative=1e-6, cosine=1.0)
NEAR = Difference(same_shape=True, relative=0.01, cosine=0.9999)
TURNED = Difference(same_shape=True, relative=0.04, cosine=0.99)
FAR = Difference(same_shape=True, relative=0.8, cosine=0.6)
NAN = Difference(same_shape=True, relative=float("inf"), cosine=0.0)
OTHER_SHAPE = Difference(same_shape=False, relative=float("inf"), cosine=0.0)
MIB = 1 << 20


@pytest.mark.parametrize(
    ("relative", "cosine", "count"), [(0.0009, 0.9, 0), (0.0011, 0.998, 1), (0.049, 0.9991, 0), (0.051, 1.0, 1)]
)
def test_embeddings_are_other_where_a_score_may_show_it(relative: float, cosine: float, count: int) -> None:
    found = Difference(same_shape=True, relative=relative, cosine=cosine)
    assert len(list(behaviour.order_dependent_output(BatchOrder(found)))) == count
    assert len(list(behaviour.state_kept_between_calls(AfterNan(found)))) == count
    assert len(list(behaviour.batch_dependent_output(BatchCompany(found, 3)))) == count


def test_AEC518_is_about_places_in_the_batch() -> None:
    for near in (SAME, NEAR):
        assert list(behaviour.order_dependent_output(BatchOrder(near))) == []
    assert "differ by 0.04" in next(behaviour.order_dependent_output(BatchOrder(TURNED))).message
    assert "shapes" in next(behaviour.order_dependent_output(BatchOrder(OTHER_SHAPE))).message


def test_AEC519_is_about_what_a_bad_clip_leaves_behind() -> None:
    assert list(behaviour.state_kept_between_calls(AfterNan(SAME))) == []
    assert "is NaN" in next(behaviour.state_kept_between_calls(AfterNan(NAN))).message
    assert "they differ by 0.8" in next(behaviour.state_kept_between_calls(AfterNan(FAR))).message


def test_AEC520_accepts_rounding_and_grades_the_rest() -> None:
    nowhere = landmarks()
    assert list(behaviour.unrepeatable_output(Repeatability(SAME, 3.125), nowhere)) == []
    graded = [next(behaviour.unrepeatable_output(Repeatability(d, 3.125), nowhere)).severity for d in (NEAR, FAR)]
    assert graded == [Severity.WARNING, Severity.ERROR]
    other = next(behaviour.unrepeatable_output(Repeatability(OTHER_SHAPE, 3.125), nowhere))
    assert "different shapes" in other.message


def test_AEC520_points_at_a_dropout_that_stays_on_before_other_chance() -> None:
    chance, dropout = (LandmarkKind.CHANCE, 7, "torch.rand(1)"), (LandmarkKind.DROPOUT, 9, "F.dropout(x, 0.1)")
    found = Repeatability(FAR, 3.125)
    first = next(behaviour.unrepeatable_output(found, landmarks(chance, dropout)))
    assert first.at == "encoder.py:9"
    assert "`training=self.training` in `F.dropout(x, 0.1)`" in first.hint
    drawn = next(behaviour.unrepeatable_output(found, landmarks(chance)))
    assert (drawn.at, drawn.hint) == ("encoder.py:7", "")


def test_AEC521_is_about_identical_embeddings_only() -> None:
    assert "identical" in next(behaviour.constant_output(InputDependence(EQUAL), landmarks())).message
    for near in (NEAR, Difference(same_shape=True, relative=2e-6, cosine=1.0)):
        assert list(behaviour.constant_output(InputDependence(near), landmarks())) == []


def test_AEC522_accepts_what_batched_arithmetic_gives() -> None:
    for near in (SAME, NEAR):
        assert list(behaviour.batch_dependent_output(BatchCompany(near, 3))) == []
    assert "batch of 3" in next(behaviour.batch_dependent_output(BatchCompany(FAR, 3))).message
    assert "shapes" in next(behaviour.batch_dependent_output(BatchCompany(OTHER_SHAPE, 3))).message


def test_AEC524_is_about_embeddings_on_a_line() -> None:
    spread = Spread(clips=16, effective_rank=1.2, closest_tones=0.9)
    assert "effective rank of 1.20, of at most 15" in next(behaviour.collapsed_embeddings(spread)).message
    assert list(behaviour.collapsed_embeddings(replace(spread, effective_rank=1.4))) == []


def test_AEC525_compares_processes() -> None:
    assert list(behaviour.unrepeatable_construction(SecondStart(ANSWERED, difference=SAME))) == []
    assert list(behaviour.unrepeatable_construction(SecondStart(ANSWERED))) == []
    (problem,) = behaviour.unrepeatable_construction(SecondStart(ANSWERED, difference=FAR))
    assert "in two processes" in problem.message
    other = SecondStart(ANSWERED, difference=OTHER_SHAPE)
    assert "different shapes" in next(behaviour.unrepeatable_construction(other)).message


def test_AEC526_tolerates_no_change_and_points_at_the_line() -> None:
    marks = landmarks((LandmarkKind.FORWARD, 10, ""), (LandmarkKind.IN_PLACE, 12, "audio -= audio.mean()"))
    assert list(behaviour.input_changed_in_place(InputKept(EQUAL), marks)) == []
    assert next(behaviour.input_changed_in_place(InputKept(SAME), marks)).at == "encoder.py:12"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("audio -= audio.mean(-1, keepdim=True)", "write `audio = audio - audio.mean(-1, keepdim=True)`"),
        ("audio *= gain + 1  # louder", "write `audio = audio * (gain + 1)`"),
        ("audio -= audio.mean(", ""),
        ("audio[:, 0] = 0", ""),
        ("audio.mul_(2)", ""),
    ],
)
def test_AEC526_writes_the_line_anew(line: str, hint: str) -> None:
    marks = landmarks((LandmarkKind.IN_PLACE, 12, line))
    assert next(behaviour.input_changed_in_place(InputKept(SAME), marks)).hint == hint


def test_AEC527_is_about_the_official_call() -> None:
    assert list(behaviour.gradient_left_on(GOOD, landmarks())) == []
    held = traces(first=official(replace(tensor(2, 312, 64), requires_grad=True)))
    assert len(list(behaviour.gradient_left_on(held, landmarks()))) == 1


def test_AEC528_tells_growth_from_a_step() -> None:
    rules = load_rules()
    grown, stepped, level = (
        MemoryGrowth((10, 20, 30), sizes)
        for sizes in ((100 * MIB, 110 * MIB, 120 * MIB), (100 * MIB, 140 * MIB, 140 * MIB), (MIB, MIB, MIB))
    )
    (problem,) = behaviour.memory_leak(grown, rules)
    assert "1 MiB per call over 20 calls" in problem.message
    assert "12 GiB are full after 12,288 calls" in problem.message
    assert list(behaviour.memory_leak(stepped, rules)) == []
    assert list(behaviour.memory_leak(level, rules)) == []


def test_AEC529_measures_against_the_distance_of_different_clips() -> None:
    padded = ZeroPadding(FAR, share=0.8, seconds=1.0, padded_s=3.0)
    assert "0.80 of the distance" in next(behaviour.padding_dependent_output(padded)).message
    assert list(behaviour.padding_dependent_output(replace(padded, share=0.1))) == []
