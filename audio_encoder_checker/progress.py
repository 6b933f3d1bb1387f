"""Where a long run says how far it is. The library itself is silent; a front end passes something louder."""

from __future__ import annotations


class Progress:
    """Hears of every stage; this one says nothing."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def detail(self, text: str) -> None:
        """Something small within the stage begins."""

    def done(self, name: str, seconds: float) -> None:
        """A stage has ended."""
