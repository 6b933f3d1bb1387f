"""The tensors of a checkpoint as raw bytes, as torch reads them. Nothing of a participant runs: no code is in the file.

`weights_only=True` makes nothing but numbers; it runs in the box because torch's reader has had holes.
"""

from __future__ import annotations

import json
import zipfile
from typing import Any

import torch


class Conversion:
    """A checkpoint, loaded.

    Args:
        file: as the box shows it.
        path: the keys that lead to the state dict, from the top.
    """

    def __init__(self, file: str, path: list[str]) -> None:
        found = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
        for key in path:
            found = found[key]
        self._tensors = [(key, one) for key, one in found.items() if isinstance(key, str) and _is_tensor(one)]
        self._at = -1
        self._bytes = memoryview(b"")

    def listed(self) -> bytes:
        """Name, number format and shape of every tensor, as JSON."""
        rows = [[key, str(one.dtype).removeprefix("torch."), list(one.shape)] for key, one in self._tensors]
        return json.dumps(rows).encode()

    def piece(self, index: int, start: int, stop: int) -> memoryview:
        """Some bytes of one tensor, its numbers one behind the other."""
        if index != self._at:
            self._at, self._bytes = index, _raw(self._tensors[index][1])
        return self._bytes[start:stop]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor)


def _raw(tensor: torch.Tensor) -> memoryview:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data
