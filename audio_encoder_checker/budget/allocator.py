"""What torch's CUDA caching allocator makes of a sequence of requests: one stream, no expandable segments.

After `c10/cuda/CUDACachingAllocator.cpp`: requests are rounded up; blocks are cut from segments of two pools, the best
fit first; freed neighbours of one segment grow together; where a new segment would pass the cap, segments that are
wholly free are given back, and it is tried once more.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audio_encoder_checker.machines import AllocatorRules


@dataclass(frozen=True)
class Replay:
    """What came of it.

    Attributes:
        allocated_bytes: most in use at once, rounded blocks.
        reserved_bytes: most that segments took at once.
        retries: how often free segments were given back to make room.
        failed_bytes: size of the request for which there was no room, 0 if there was for all.
        failed_event: its index, -1 if there is none.
    """

    allocated_bytes: int
    reserved_bytes: int
    retries: int = 0
    failed_bytes: int = 0
    failed_event: int = -1


class _Block:
    __slots__ = ("after", "before", "free", "number", "pool", "size")

    def __init__(self, size: int, pool: _Pool, number: int) -> None:
        self.size = size
        self.pool = pool
        self.number = number
        self.free = False
        self.before: _Block | None = None
        self.after: _Block | None = None


class _Pool:
    """The free blocks of one kind of segment, by size."""

    def __init__(self, *, small: bool) -> None:
        self.small = small
        self.order: list[tuple[int, int]] = []
        self.blocks: dict[int, _Block] = {}
        self.whole: dict[int, _Block] = {}  # those that are all of a segment

    def add(self, block: _Block) -> None:
        block.free = True
        self.blocks[block.number] = block
        if block.before is None and block.after is None:
            self.whole[block.number] = block
        insort(self.order, (block.size, block.number))

    def remove(self, block: _Block) -> None:
        block.free = False
        del self.blocks[block.number]
        self.whole.pop(block.number, None)
        del self.order[bisect_left(self.order, (block.size, block.number))]

    def best(self, size: int) -> _Block | None:
        place = bisect_left(self.order, (size, 0))
        return self.blocks[self.order[place][1]] if place < len(self.order) else None


class _Allocator:
    def __init__(self, rules: AllocatorRules, cap_bytes: int | None) -> None:
        self.rules = rules
        self.cap_bytes = cap_bytes
        self.pools = (_Pool(small=True), _Pool(small=False))
        self.used: dict[int, _Block] = {}
        self.allocated = self.reserved = self.most_allocated = self.most_reserved = self.retries = 0
        self._numbers = 0

    def take(self, number: int, size: int) -> bool:
        """Serve a request; False if there is no room."""
        rounded = -(-size // self.rules.round_bytes) * self.rules.round_bytes
        pool = self.pools[rounded > self.rules.small_bytes]
        block = pool.best(rounded)
        if block:
            pool.remove(block)
        else:
            block = self._segment(rounded, pool)
            if block is None:
                return False
        self._split(block, rounded)
        self.used[number] = block
        self.allocated += block.size
        self.most_allocated = max(self.most_allocated, self.allocated)
        return True

    def give_back(self, number: int) -> None:
        block = self.used.pop(number, None)
        if block is None:
            return
        self.allocated -= block.size
        for neighbour in (block.before, block.after):
            if neighbour and neighbour.free:
                self._join(block, neighbour)
        block.pool.add(block)

    def _segment(self, size: int, pool: _Pool) -> _Block | None:
        rules = self.rules
        if pool.small:
            whole = rules.small_segment_bytes
        elif size < rules.middle_bytes:
            whole = rules.large_segment_bytes
        else:
            whole = -(-size // rules.large_round_bytes) * rules.large_round_bytes
        if self.cap_bytes is not None and self.reserved + whole > self.cap_bytes:
            self.retries += 1
            self._release()
            if self.reserved + whole > self.cap_bytes:
                return None
        self.reserved += whole
        self.most_reserved = max(self.most_reserved, self.reserved)
        return self._new(whole, pool)

    def _new(self, size: int, pool: _Pool) -> _Block:
        self._numbers += 1
        return _Block(size, pool, self._numbers)

    def _split(self, block: _Block, size: int) -> None:
        rest = block.size - size
        enough = rest >= self.rules.round_bytes if block.pool.small else rest > self.rules.large_rest_bytes
        if not enough:
            return
        remainder = self._new(rest, block.pool)
        remainder.before, remainder.after = block, block.after
        if block.after:
            block.after.before = remainder
        block.after, block.size = remainder, size
        block.pool.add(remainder)

    def _join(self, block: _Block, neighbour: _Block) -> None:
        block.pool.remove(neighbour)
        block.size += neighbour.size
        if neighbour is block.after:
            block.after = neighbour.after
            if block.after:
                block.after.before = block
        else:
            block.before = neighbour.before
            if block.before:
                block.before.after = block

    def _release(self) -> None:
        """Give back the segments that are one free block."""
        for pool in self.pools:
            for block in list(pool.whole.values()):
                pool.remove(block)
                self.reserved -= block.size


def replay(events: Iterable[tuple[int, int]], rules: AllocatorRules, cap_bytes: int | None = None) -> Replay:
    """Play requests through the allocator.

    Args:
        events: `(storage, bytes)`, bytes -1 where the storage goes; storages that nobody knows are passed over.
        rules: its constants.
        cap_bytes: what all segments together may take, None for any amount.
    """
    allocator = _Allocator(rules, cap_bytes)
    for index, (number, size) in enumerate(events):
        if size < 0:
            allocator.give_back(number)
        elif size and not allocator.take(number, size):
            return Replay(allocator.most_allocated, allocator.most_reserved, allocator.retries, size, index)
    return Replay(allocator.most_allocated, allocator.most_reserved, allocator.retries)
