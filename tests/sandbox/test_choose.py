from __future__ import annotations

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.sandbox.choose import choose_box, survey

SURVEY = {one.tier: one for one in survey()}


def test_every_tier_is_there_with_a_box_or_a_reason() -> None:
    assert list(SURVEY) == ["strong", "medium", "weak"]
    for one in SURVEY.values():
        assert (one.box is None) == bool(one.why_not)


def test_a_tier_that_counts_has_shut_every_probe() -> None:
    for tier in ("strong", "medium"):
        found = SURVEY[tier]
        if found.box is not None and found.isolation is not None:
            assert len(found.isolation.probes) > 15
            assert all(probe.shut for probe in found.isolation.probes)


def test_the_weak_box_has_to_be_trusted() -> None:
    with pytest.raises(UsageError, match="weak box"):
        choose_box("weak", trust=False)


def test_auto_takes_the_strongest_that_works_and_says_why_no_stronger() -> None:
    box, isolation = choose_box("auto", trust=True)
    strongest = next(one for one in SURVEY.values() if one.box)
    assert box.tier == strongest.tier
    assert bool(isolation.why_not_stronger) == (box.tier != "strong")


def test_a_weaker_box_that_was_asked_for_says_so() -> None:
    _, isolation = choose_box("weak", trust=True)
    assert isolation.why_not_stronger == "`--box weak` was given"
