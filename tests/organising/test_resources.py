"""How many at once."""

from __future__ import annotations

import os

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.organising import resources
from audio_encoder_checker.organising.local import make_slots
from audio_encoder_checker.organising.resources import make_engine, parse_jobs

PROFILE = "icme-2025"


def test_memory_decides_how_many_fit() -> None:
    room = parse_jobs("cores=16,ram=64GB", "cpu", PROFILE)
    assert room.at_once == 4, "14 GB each: the box's limit and the checker's own"
    assert room.needs.cores == 4
    assert room.warning == ""


def test_cores_decide_where_memory_is_plenty() -> None:
    assert parse_jobs("cores=3,ram=900GB", "cpu", PROFILE).at_once == 3


def test_there_is_always_one() -> None:
    assert parse_jobs("cores=1,ram=1GB", "cpu", PROFILE).at_once == 1


def test_a_number_is_taken_at_its_word_with_a_warning() -> None:
    room = parse_jobs("100", "cpu", PROFILE)
    assert room.at_once == 100
    assert "100 submissions at once may take 1396 GB of RAM" in room.warning


def test_gpus_bound_the_number_and_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "gpus", lambda: ("A", "B", "C"))
    room = parse_jobs("cores=64,ram=900GB,gpu=2", "auto", PROFILE)
    assert (room.at_once, room.gpus, room.needs.vram_gb) == (2, ("0", "1"), 16.0)
    assert [slot.gpu for slot in make_slots(3, room.gpus)] == ["0", "1", "0"]
    assert parse_jobs("cores=64,ram=900GB", "cpu", PROFILE).gpus == ()


@pytest.mark.parametrize("text", ["0", "-1", "x", "cores=", "ram=64", "cores=0", "cores=2,what=3", "1.5"])
def test_anything_else_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="--jobs"):
        parse_jobs(text, "cpu", PROFILE)


def test_slots_share_no_core_while_there_are_enough() -> None:
    known = sorted(os.sched_getaffinity(0))
    slots = make_slots(len(known), None)
    assert sorted(core for slot in slots for core in slot.cores) == known
    more = make_slots(len(known) + 1, None)
    assert all(slot.cores for slot in more)


def test_a_local_engine_ends_when_it_is_closed() -> None:
    engine = make_engine("local", parse_jobs("2", "cpu", PROFILE), None)
    assert engine.next(0.01) is None
    engine.close()
