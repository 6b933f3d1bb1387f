"""The replay against requests worked out by hand, and against a slow allocator that is written otherwise."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from audio_encoder_checker.budget.allocator import Replay, replay
from audio_encoder_checker.machines import AllocatorRules

RULES = AllocatorRules()
KIB, MIB = 1 << 10, 1 << 20
GONE = -1


def played(*events: tuple[int, int], cap: int | None = None) -> Replay:
    return replay(events, RULES, cap)


def test_requests_are_rounded_up_to_512_bytes() -> None:
    assert played((1, 1)).allocated_bytes == 512
    assert played((1, 513), (2, 512)).allocated_bytes == 1024 + 512


def test_nothing_takes_nothing() -> None:
    assert played((1, 0), (1, GONE), (7, GONE)) == Replay(0, 0)


def test_segments_are_as_large_as_their_pool_wants() -> None:
    assert played((1, MIB)).reserved_bytes == 2 * MIB
    assert played((1, MIB + 1)).reserved_bytes == 20 * MIB
    assert played((1, 10 * MIB - 512)).reserved_bytes == 20 * MIB
    assert played((1, 10 * MIB)).reserved_bytes == 10 * MIB
    assert played((1, 11 * MIB)).reserved_bytes == 12 * MIB


def test_small_and_large_requests_share_no_segment() -> None:
    assert played((1, MIB), (2, 2 * MIB)).reserved_bytes == 22 * MIB


def test_what_is_left_of_a_segment_serves_the_next() -> None:
    assert played((1, 512 * KIB), (2, MIB), (3, 512 * KIB)).reserved_bytes == 2 * MIB
    assert played((1, 9 * MIB), (2, 9 * MIB)).reserved_bytes == 20 * MIB
    assert played((1, 9 * MIB), (2, 9 * MIB), (3, 3 * MIB)).reserved_bytes == 40 * MIB


def test_a_large_block_keeps_a_rest_of_one_mebibyte_or_less() -> None:
    """A segment of 12 MiB for 11 MiB is not cut, and counts as a whole."""
    assert played((1, 11 * MIB)).allocated_bytes == 12 * MIB
    assert played((1, 10 * MIB + 512 * KIB)).allocated_bytes == 10 * MIB + 512 * KIB


def test_the_smallest_block_that_is_large_enough_is_taken() -> None:
    free = [(1, 30 * MIB), (2, 20 * MIB), (3, 40 * MIB), (1, GONE), (2, GONE), (3, GONE)]
    assert played(*free, (4, 20 * MIB), (5, 30 * MIB), (6, 40 * MIB)).reserved_bytes == 90 * MIB
    assert played(*free, (4, 25 * MIB), (5, 40 * MIB), (6, 20 * MIB)).reserved_bytes == 90 * MIB


def test_neighbours_that_are_free_grow_together() -> None:
    thirds = [(n, 10 * MIB - 512 * 1024) for n in (1, 2)]
    both = [*thirds, (2, GONE), (1, GONE)]
    assert played(*both, (3, 19 * MIB)).reserved_bytes == 20 * MIB
    assert played(*both[:3], (3, 19 * MIB)).reserved_bytes == 20 * MIB + 20 * MIB


def test_free_segments_are_given_back_where_the_cap_leaves_no_room() -> None:
    events = [(1, 30 * MIB), (1, GONE), (2, 40 * MIB)]
    assert played(*events).reserved_bytes == 70 * MIB
    assert played(*events, cap=50 * MIB) == Replay(40 * MIB, 40 * MIB, retries=1)


def test_what_finds_no_room_is_named() -> None:
    found = played((1, 30 * MIB), (2, 30 * MIB), (2, GONE), cap=50 * MIB)
    assert (found.failed_bytes, found.failed_event, found.retries) == (30 * MIB, 1, 1)
    assert found.allocated_bytes == 30 * MIB


def test_a_segment_that_is_partly_used_is_not_given_back() -> None:
    """Fragments: 30 of 40 MiB are free, and cannot serve 35."""
    events = [(1, 40 * MIB), (1, GONE), (2, 12 * MIB), (3, 35 * MIB)]
    assert played(*events, cap=60 * MIB).failed_bytes == 35 * MIB
    assert not played(*events, cap=80 * MIB).failed_bytes


class Plain:
    """The same rules over lists of `[number, size, owner]`, looked through from the beginning each time."""

    def __init__(self, cap: int | None) -> None:
        self.cap = cap
        self.segments: list[tuple[bool, list[list[int]]]] = []  # whether it is small, its blocks in order
        self.numbers = count(1)
        self.most_allocated = self.most_reserved = 0

    def size(self, *, used: bool) -> int:
        return sum(block[1] for _, blocks in self.segments for block in blocks if block[2] or not used)

    def take(self, owner: int, size: int) -> bool:
        size = (size + 511) // 512 * 512
        small = size <= MIB
        found = self.find(small, size)
        if found is None:
            whole = 2 * MIB if small else 20 * MIB if size < 10 * MIB else (size + 2 * MIB - 1) // (2 * MIB) * 2 * MIB
            if self.cap is not None and self.size(used=False) + whole > self.cap:
                self.segments = [one for one in self.segments if len(one[1]) > 1 or one[1][0][2]]
                if self.size(used=False) + whole > self.cap:
                    return False
            self.segments.append((small, [[next(self.numbers), whole, 0]]))
            found = (self.segments[-1][1], 0)
        blocks, place = found
        rest = blocks[place][1] - size
        if (small and rest >= 512) or rest > MIB:
            blocks.insert(place + 1, [next(self.numbers), rest, 0])
            blocks[place][1] = size
        blocks[place][2] = owner
        self.most_allocated = max(self.most_allocated, self.size(used=True))
        self.most_reserved = max(self.most_reserved, self.size(used=False))
        return True

    def find(self, small: bool, size: int) -> tuple[list[list[int]], int] | None:
        fitting = [
            (block[1], block[0], blocks, place)
            for kind, blocks in self.segments
            if kind == small
            for place, block in enumerate(blocks)
            if not block[2] and block[1] >= size
        ]
        return min(fitting)[2:] if fitting else None

    def give_back(self, owner: int) -> None:
        for _, blocks in self.segments:
            for place, block in enumerate(blocks):
                if block[2] == owner:
                    block[2] = 0
                    around = [b for b in blocks[max(place - 1, 0) : place + 2] if not b[2]]
                    block[1] = sum(b[1] for b in around)
                    blocks[:] = [b for b in blocks if b is block or b not in around]
                    return


SIZES = st.sampled_from([1, 512, 700_000, MIB, MIB + 1, 3 * MIB, 9 * MIB, 10 * MIB, 13 * MIB, 31 * MIB])
STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 30), SIZES), max_size=60)


@given(STEPS, st.sampled_from([None, 60 * MIB, 120 * MIB]))
def test_it_is_what_a_slow_allocator_does(steps: list[tuple[bool, int, int]], cap: int | None) -> None:
    plain, live, events = Plain(cap), list[int](), list[tuple[int, int]]()
    failed = (0, -1)
    for number, (takes, which, size) in enumerate(steps, 1):
        if takes or not live:
            events.append((number, size))
            if not plain.take(number, size):
                failed = (size, len(events) - 1)
                break
            live.append(number)
        else:
            gone = live.pop(which % len(live))
            events.append((gone, GONE))
            plain.give_back(gone)
    found = replay(events, RULES, cap)
    assert (found.allocated_bytes, found.reserved_bytes) == (plain.most_allocated, plain.most_reserved)
    assert (found.failed_bytes, found.failed_event) == failed
