"""The replay where segments are cut into many pieces, and where the cap is met exactly."""

from __future__ import annotations

import re

import numpy as np
import pytest

from audio_encoder_checker.budget.allocator import Replay, replay
from audio_encoder_checker.machines import AllocatorRules

RULES = AllocatorRules()
KIB, MIB = 1 << 10, 1 << 20
GONE = -1


def played(*events: tuple[int, int], cap: int | None = None) -> Replay:
    return replay(events, RULES, cap)


def test_a_segment_that_reaches_the_cap_exactly_is_taken() -> None:
    assert played((1, 30 * MIB), (2, 20 * MIB), cap=50 * MIB) == Replay(50 * MIB, 50 * MIB)
    assert played((1, 30 * MIB), (2, 20 * MIB), cap=50 * MIB - 1).failed_event == 1


def test_a_segment_that_reaches_the_cap_exactly_after_others_were_given_back_is_taken() -> None:
    events = ((1, 10 * MIB), (2, 30 * MIB), (2, GONE), (3, 40 * MIB))
    assert played(*events, cap=50 * MIB) == Replay(50 * MIB, 50 * MIB, retries=1)
    assert played(*events, cap=50 * MIB - 1) == Replay(40 * MIB, 40 * MIB, 1, 40 * MIB, 3)


def test_a_segment_that_was_given_back_serves_nobody() -> None:
    """The 30 MiB are gone when the second 30 are asked for, and 40 + 30 are more than 60."""
    found = played((1, 30 * MIB), (1, GONE), (2, 40 * MIB), (3, 30 * MIB), cap=60 * MIB)
    assert (found.failed_bytes, found.failed_event, found.retries) == (30 * MIB, 3, 2)


def test_free_segments_of_both_pools_are_given_back() -> None:
    events = ((1, MIB), (1, GONE), (2, 20 * MIB), (2, GONE), (3, 30 * MIB))
    assert played(*events, cap=30 * MIB) == Replay(30 * MIB, 30 * MIB, retries=1)


def test_a_small_block_is_cut_for_a_rest_of_512_bytes() -> None:
    assert played((1, MIB), (2, MIB - 512), (3, 512)) == Replay(2 * MIB, 2 * MIB)
    assert played((1, MIB), (2, MIB - 512)).allocated_bytes == 2 * MIB - 512


def test_a_large_block_is_cut_for_a_rest_above_one_mebibyte() -> None:
    """Of 12 MiB, 11 leave one, which stays with them; 512 bytes less, and it is cut off."""
    assert played((1, 11 * MIB)).allocated_bytes == 12 * MIB
    assert played((1, 11 * MIB - 512)).allocated_bytes == 11 * MIB - 512
    assert played((1, 11 * MIB - 512), (2, MIB + 512)).reserved_bytes == 12 * MIB


def test_the_same_storages_freed_in_another_order_leave_other_room() -> None:
    """Three sixths of a segment: the middle one joins what is free on both its sides."""
    laid = [(n, 6 * MIB) for n in (1, 2, 3)]
    for order in ((1, 3, 2), (3, 1, 2), (2, 1, 3), (1, 2, 3), (3, 2, 1), (2, 3, 1)):
        freed = [(n, GONE) for n in order]
        assert played(*laid, *freed, (4, 19 * MIB)).reserved_bytes == 20 * MIB, order
        assert played(*laid, *freed, (4, 19 * MIB), (4, GONE), *laid, cap=20 * MIB).failed_event == -1, order


@pytest.mark.parametrize(("kept", "room"), [(1, 14), (2, 8), (3, 12)])
def test_only_neighbours_grow_together(kept: int, room: int) -> None:
    """Of 6, 6, 6 and 2 MiB, what lies on both sides of the one that is kept stays apart."""
    laid = [(n, 6 * MIB) for n in (1, 2, 3)]
    freed = [(n, GONE) for n in (2, 1, 3) if n != kept]
    assert played(*laid, *freed, (4, room * MIB)).reserved_bytes == 20 * MIB
    assert played(*laid, *freed, (4, room * MIB + 512)).reserved_bytes > 20 * MIB


def test_blocks_of_two_segments_never_grow_together() -> None:
    events = ((1, 20 * MIB), (2, 20 * MIB), (1, GONE), (2, GONE), (3, 40 * MIB))
    assert played(*events).reserved_bytes == 80 * MIB


def test_what_grew_together_into_a_whole_segment_can_be_given_back() -> None:
    events = ((1, 6 * MIB), (2, 6 * MIB), (3, 6 * MIB), (2, GONE), (3, GONE), (1, GONE), (4, 24 * MIB))
    assert played(*events, cap=24 * MIB) == Replay(24 * MIB, 24 * MIB, retries=1)


CELL = 8
TINY = AllocatorRules(CELL, 16 * CELL, 32 * CELL, 160 * CELL, 320 * CELL, 32 * CELL, 16 * CELL)
"""The same proportions, with a sixteenth of a mebibyte as the smallest block."""


class Texts:
    """Segments as texts: a letter for each cell of a storage, a dot for each that is free. No block is remembered: a
    free one is a run of dots.
    """

    def __init__(self, cap: int | None) -> None:
        self.cap = cap
        self.segments: list[tuple[bool, str]] = []
        self.most = self.most_used = 0

    def runs(self, small: bool, wanted: int) -> list[tuple[int, int, int]]:
        """Size, segment and first cell of what is free and large enough, the smallest first."""
        found = [
            (run.end() - run.start(), index, run.start())
            for index, (kind, text) in enumerate(self.segments)
            if kind == small
            for run in re.finditer(r"\.+", text)
        ]
        return sorted(run for run in found if run[0] >= wanted)

    def tied(self, size: int) -> bool:
        """Whether it matters which of two free blocks of one size is taken; the rules leave it open."""
        wanted = -(-size // CELL)
        runs = self.runs(wanted <= 16, wanted)
        best = [run for run in runs if run[0] == runs[0][0]]
        return len(best) > 1 and any(length < len(self.segments[index][1]) for length, index, _ in best)

    def take(self, letter: str, size: int) -> bool:
        wanted = -(-size // CELL)
        small = wanted <= 16
        if not self.runs(small, wanted):
            whole = 32 if small else 320 if wanted < 160 else -(-wanted // 32) * 32
            if self.cap is not None and self.reserved() + whole * CELL > self.cap:
                self.segments = [one for one in self.segments if one[1].strip(".")]
                if self.reserved() + whole * CELL > self.cap:
                    return False
            self.segments.append((small, "." * whole))
        length, index, first = self.runs(small, wanted)[0]
        filled = wanted if small or length - wanted > 16 else length
        text = self.segments[index][1]
        self.segments[index] = small, text[:first] + letter * filled + text[first + filled :]
        used = sum(len(text) - text.count(".") for _, text in self.segments)
        self.most, self.most_used = max(self.most, self.reserved()), max(self.most_used, used * CELL)
        return True

    def reserved(self) -> int:
        return CELL * sum(len(text) for _, text in self.segments)

    def give_back(self, letter: str) -> None:
        self.segments = [(small, text.replace(letter, ".")) for small, text in self.segments]


def course(texts: Texts, rng: np.random.Generator) -> tuple[list[tuple[int, int]], int, int]:
    """A random life, up to where the rules leave something open or there is no room; what found none, and when."""
    events, live = list[tuple[int, int]](), list[int]()
    for number in range(1, 120):
        if live and rng.random() < 0.45:
            gone = live.pop(int(rng.integers(len(live))))
            events.append((gone, GONE))
            texts.give_back(chr(0x4E00 + gone))
            continue
        size = int(rng.integers(1, CELL * rng.choice([16, 160, 500])))
        if texts.tied(size):
            break
        events.append((number, size))
        if not texts.take(chr(0x4E00 + number), size):
            return events, size, len(events) - 1
        live.append(number)
    return events, 0, -1


@pytest.mark.parametrize("cap", [None, 1800 * CELL])
def test_it_is_what_becomes_of_runs_of_free_cells(cap: int | None) -> None:
    rng = np.random.default_rng(7)
    failures = played_events = retries = 0
    for _ in range(40):
        texts = Texts(cap)
        events, failed_bytes, failed_event = course(texts, rng)
        found = replay(events, TINY, cap)
        expected = Replay(texts.most_used, texts.most, found.retries, failed_bytes, failed_event)
        assert found == expected
        failures += failed_event >= 0
        retries += found.retries
        played_events += len(events)
    assert played_events > 1000
    assert bool(failures) == bool(retries > failures) == (cap is not None)
