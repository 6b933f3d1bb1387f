"""How the checker tells the launcher its plan: `name=value` words, each ended by a NUL byte; a name may come again.

Paths, arguments and numbers hold no NUL, and nothing has to be imported to read them (`json` and `base64` would take
half of the launcher's time).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Words:
    """A plan, read."""

    def __init__(self, found: dict[str, list[str]]) -> None:
        self._found = found

    def all(self, name: str) -> list[str]:
        """All values of a name, in order."""
        return self._found.get(name, [])

    def one(self, name: str) -> str:
        """The value of a name that comes once.

        Raises:
            ValueError: it comes more or less often.
        """
        (value,) = self.all(name)
        return value

    def number(self, name: str) -> int:
        """The same as a number.

        Raises:
            ValueError: it is none.
        """
        return int(self.one(name))

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """Values that are `key=value` themselves."""
        return [(key, value) for key, _, value in (text.partition("=") for text in self.all(name))]


def write(words: Iterable[tuple[str, object]]) -> bytes:
    """Names and values as bytes.

    Raises:
        ValueError: a value holds a NUL.
    """
    texts = [f"{name}={value}" for name, value in words]
    if any("\0" in text for text in texts):
        raise ValueError("a path or argument holds a NUL")
    return b"".join(os.fsencode(text) + b"\0" for text in texts)


def read(data: bytes) -> Words:
    """The other way round."""
    found: dict[str, list[str]] = {}
    for word in data.split(b"\0")[:-1]:
        name, _, value = os.fsdecode(word).partition("=")
        found.setdefault(name, []).append(value)
    return Words(found)
