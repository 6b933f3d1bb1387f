"""Prepare the next things while the present one is worked on."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Thing = TypeVar("Thing")


def read_ahead(things: Iterable[Thing], most: int) -> Iterator[Thing]:
    """The same things in the same order, taken by a thread that is at most `most` of them ahead.

    Decoding and resampling are done by C libraries that let other threads run. Whatever the iterable raises is
    raised here, in its place. A caller that stops early stops the thread.
    """
    ready: queue.Queue[tuple[Thing | None, BaseException | None]] = queue.Queue(maxsize=most)
    stopped = threading.Event()

    def put(thing: Thing | None, error: BaseException | None) -> None:
        while not stopped.is_set():
            try:
                ready.put((thing, error), timeout=0.1)
            except queue.Full:
                continue
            return

    def take() -> None:
        try:
            for thing in things:
                put(thing, None)
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again where the things are used
            put(None, error)
        else:
            put(None, StopIteration())

    thread = threading.Thread(target=take, name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            thing, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield thing  # type: ignore[misc]  # None comes with an error only
    finally:
        stopped.set()
        thread.join()
