"""Credentials that a submission holds: where they stand and what they look like, never what they are."""

from __future__ import annotations

from dataclasses import dataclass

from audio_encoder_checker.printable import place


@dataclass(frozen=True)
class Secret:
    """One credential in a text file. Its value is nowhere in here.

    Attributes:
        path: relative to the root, with `/`.
        line: from 1, where it begins.
        kind: what it looks like, in words: `a Hugging Face token`.
        masked: what may be shown of it: the prefix that every such credential has, and how long it is.
        sure: it has a form that only credentials have; else a name and a random value made it one.
    """

    path: str
    line: int
    kind: str
    masked: str
    sure: bool = True

    @property
    def at(self) -> str:
        """`file.py:12`, printable."""
        return place(self.path, self.line)


@dataclass(frozen=True)
class SecretFile:
    """A file that by its name exists to keep credentials.

    Attributes:
        path: relative to the root, with `/`.
        kind: what such a file is, in words: `a private key of SSH`.
        full: whether one was found in it.
    """

    path: str
    kind: str
    full: bool


@dataclass(frozen=True)
class SecretFacts:
    """All credentials that were found, by file and line.

    Attributes:
        secrets: in any text file.
        files: that keep credentials by their name.
        unread: text files that were too large, could not be read or came after enough was read.
    """

    secrets: tuple[Secret, ...] = ()
    files: tuple[SecretFile, ...] = ()
    unread: int = 0
