"""Tensors that are views of one storage: how much of it they use, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audio_encoder_checker.archive.weights.values import Tensor


def by_storage(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The tensors by the key of their storage, and by name."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        groups.setdefault(tensor.storage.key, {})[name] = tensor
    return groups


def spanned_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes of one storage from the first to the last number of each of its tensors; a byte counts once."""
    spans = sorted((one.offset * one.width, one.reach) for one in tensors if one.numbers)
    total = at = 0
    for start, end in spans:
        total += max(0, end - max(start, at))
        at = max(at, end)
    return total
