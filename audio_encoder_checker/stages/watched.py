"""How much something grows while something else goes on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLED_S = 0.02


class Watched:
    """A number that is read again and again, in a thread; use it as a context manager.

    Args:
        read: the number.

    Attributes:
        growth: most by which it was larger than at the beginning.
    """

    def __init__(self, read: Callable[[], int]) -> None:
        self.read = read
        self.growth = 0
        self._before = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watched")

    def __enter__(self) -> Watched:
        """Begin."""
        self._before = self.read()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLED_S):
            self.growth = max(self.growth, self.read() - self._before)
