"""Prepare the next things while the present one is worked on."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Thing = TypeVar("Thing")
END: Any = object()
NICE = 19
"""The encoder's own threads, which wait for one another, go first."""


def read_ahead(things: Iterable[Thing], most: int) -> Iterator[Thing]:
    """The same things in the same order, taken by a thread that is at most `most` of them ahead.

    Decoding and resampling are done by C libraries that let other threads run. Whatever the iterable raises is
    raised here, in its place.
    """
    source = iter(things)
    with ThreadPoolExecutor(1, "read-ahead", _give_way) as thread:
        ahead = deque(thread.submit(next, source, END) for _ in range(most))
        try:
            while (thing := ahead.popleft().result()) is not END:
                ahead.append(thread.submit(next, source, END))
                yield thing
        finally:
            thread.shutdown(cancel_futures=True)


def _give_way() -> None:
    """On Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
