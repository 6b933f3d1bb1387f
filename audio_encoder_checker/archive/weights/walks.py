"""What one pickle was found to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Name(NamedTuple):
    """Something that was imported."""

    module: str
    name: str


@dataclass
class Use:
    """What a pickle does with a name.

    Attributes:
        pushes: how often it is put on the stack.
        calls: how often it is called, or an object of it made.
        constructed: it is called with arguments, and not only told to make an empty object.
        blind: it may be called with something that was not looked through for pickles.
        changed: attributes are set on it.
        members: how often it is `getattr`, called to take a member of something that was imported.
    """

    pushes: int = 0
    calls: int = 0
    constructed: bool = False
    blind: bool = False
    changed: bool = False
    members: int = 0


class Storage(NamedTuple):
    """A storage that a checkpoint refers to: the name of its type, and how many numbers it holds."""

    type: str
    numbers: int


@dataclass
class Walk:
    """What one pickle does.

    Attributes:
        uses: the names it imports, and what it does with each.
        storages: the storages that it refers to, by key.
        refused: the first opcode that `weights_only=True` does not know, else empty.
        blind_calls: it calls something that it has made, which may be any of its names.
        broken: how it breaks before STOP, else empty.
        too_much: why it was not gone through to its end, else empty.
        result: what it returns if that is a number or text.
    """

    uses: dict[Name, Use] = field(default_factory=dict)
    storages: dict[str, Storage] = field(default_factory=dict)
    refused: str = ""
    blind_calls: bool = False
    broken: str = ""
    too_much: str = ""
    result: object = None
