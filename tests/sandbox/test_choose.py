from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.sandbox.choose import choose_box, survey

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_folder_that_holds_the_home_folder_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "user").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for folder in (tmp_path, tmp_path / "user"):
        with pytest.raises(UsageError, match="home folder"):
            choose_box("auto", trust=True, repository=folder)
    choose_box("weak", trust=True, repository=tmp_path)  # hides nothing anyway


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("tier", ["strong", "medium"])
def test_a_box_that_cannot_stop_being_root_is_tested_so(tmp_path: Path, tier: str) -> None:
    if SURVEY[tier].box is None:
        pytest.skip(SURVEY[tier].why_not)
    (tmp_path / "encoder.py").write_text("x")
    (tmp_path / "encoder.py").chmod(0o600)
    box, isolation = choose_box(tier, trust=False, repository=tmp_path)
    assert not box.drop_user  # type: ignore[attr-defined]  # both of these tiers have it
    assert all(probe.shut for probe in isolation.probes)
    assert any("root" in gap for gap in isolation.unprotected)
