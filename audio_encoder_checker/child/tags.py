"""Which device a tensor is pretended to be on, and where it came from: books kept by storage, not by tensor.

A view or an in-place operation keeps the storage, and so the device, as on a real card.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from .ledger import ACTIVATION, ON_CPU, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

CUDA, CPU = "cuda", "cpu"


@dataclass(frozen=True)
class Origin:
    """How a tensor came to be on the CPU: made by a function at a line, or held by the encoder under a name."""

    function: str = ""
    file: str = ""
    line: int = 0
    attribute: str = ""


@dataclass(frozen=True)
class Tag:
    """What is known of one storage."""

    device: str
    origin: Origin = Origin()


class Tags:
    """The books. An entry goes with its storage.

    Attributes:
        ledger: is told of every storage that is entered, changes its device, or goes.
    """

    def __init__(self) -> None:
        self._entries: dict[int, tuple[Tag, weakref.ref[Any]]] = {}
        self.ledger = Ledger()

    def of(self, tensor: torch.Tensor) -> Tag | None:
        """The tag of a tensor's storage; None where the storage was made out of sight."""
        entry = self._entries.get(id(storage(tensor)))
        return entry[0] if entry else None

    def device(self, tensor: torch.Tensor) -> str:
        """`cuda` or `cpu`: what nobody moved is on the CPU."""
        tag = self.of(tensor)
        return tag.device if tag else CPU

    def put(self, tensor: torch.Tensor, tag: Tag) -> None:
        """Enter a tensor's storage, or change its tag."""
        self.put_storage(storage(tensor), tag)

    def put_storage(self, held: Any, tag: Tag) -> None:
        """The same for a storage of its own."""
        key = id(held)
        known = self._entries.get(key)
        self.alias(held, tag)
        if known is None or known[0].device != tag.device:
            size = held.nbytes() if isinstance(held, torch.UntypedStorage) else 0
            self.ledger.enter(key, size, ACTIVATION + (0 if tag.device == CUDA else ON_CPU))

    def alias(self, held: Any, tag: Tag) -> None:
        """Enter a storage that takes no memory: it stands for another one."""
        key = id(held)
        self._entries[key] = (tag, weakref.ref(held, lambda _gone: self._forget(key)))

    def _forget(self, key: int) -> None:
        self._entries.pop(key, None)
        self.ledger.leave(key)


def storage(tensor: torch.Tensor) -> Any:
    """What the books go by; torch gives the same object each time. A tensor that has none stands for itself."""
    try:
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):
        return tensor


def telling(origins: list[Origin]) -> Origin:
    """The origin that says most."""
    return max(origins, key=lambda one: (bool(one.attribute), bool(one.file), bool(one.function)), default=Origin())


def tensors_in(value: Any, depth: int = 4) -> Iterator[torch.Tensor]:
    """The tensors in an argument or a result, itself or inside lists, tuples and dicts; meta tensors have no device."""
    if isinstance(value, torch.Tensor):
        if not value.is_meta:
            yield value
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item, depth - 1)
