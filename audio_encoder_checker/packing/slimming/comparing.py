"""Hold the written file against the checkpoint, tensor by tensor, byte by byte, without torch and without the box."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.safetensors import BrokenHeaderError, LongHeaderError, read_safetensors
from audio_encoder_checker.packing.slimming.layout import DTYPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from audio_encoder_checker.archive.weights.checkpoint import Checkpoint
    from audio_encoder_checker.archive.weights.values import Tensor
    from audio_encoder_checker.packing.slimming.layout import Layout, Placed

CHUNK_BYTES = 8 << 20


class UnequalError(Exception):
    """The two files differ; its message says where."""


def compare(layout: Layout, checkpoint: Checkpoint, source: BinaryIO, written: BinaryIO) -> None:
    """Read both files and compare all tensors.

    Args:
        layout: what should be in the written file.
        checkpoint: what is in the source, as its bytes say.
        source: the checkpoint, open for reading.
        written: the safetensors file, same.

    Raises:
        UnequalError: they differ.
        OSError: one of them cannot be read.
    """
    _compare_headers(layout, written)
    for one in layout.placed:
        written.seek(len(layout.head) + one.start)
        for piece in stored_bytes(one.tensor, checkpoint, source):
            if written.read(len(piece)) != piece:
                raise UnequalError(f"the tensor {one.name!r} has other values than in the checkpoint")


def _compare_headers(layout: Layout, written: BinaryIO) -> None:
    try:
        entries = read_safetensors(written, layout.size_bytes)
    except (BrokenHeaderError, LongHeaderError) as error:
        raise UnequalError(f"the written file cannot be read: {error}") from None
    found = {(one.name, one.dtype, one.numbers, one.start, one.end) for one in entries}
    written.seek(0)
    same = written.read(len(layout.head)) == layout.head and written.seek(0, os.SEEK_END) == layout.size_bytes
    if found != {_entry(one) for one in layout.placed} or not same:
        raise UnequalError("the written file lists other tensors than the checkpoint")


def _entry(placed: Placed) -> tuple[str, str, int, int, int]:
    return placed.name, DTYPES[placed.tensor.dtype], placed.tensor.numbers, placed.start, placed.end


def stored_bytes(tensor: Tensor, checkpoint: Checkpoint, source: BinaryIO) -> Iterator[bytes]:
    """The numbers of a tensor in order, as the checkpoint's file has them.

    Raises:
        UnequalError: the file ends before they do.
    """
    if not tensor.numbers:
        return
    before = tensor.offset * tensor.width
    first = checkpoint.places[tensor.storage.key].start + before
    if not tensor.contiguous:
        yield from _gathered(tensor, _read(source, first, tensor.reach - before))
        return
    for at in range(0, tensor.size_bytes, CHUNK_BYTES):
        yield _read(source, first + at, min(CHUNK_BYTES, tensor.size_bytes - at))


def _read(source: BinaryIO, start: int, count: int) -> bytes:
    source.seek(start)
    data = source.read(count)
    if len(data) < count:
        raise UnequalError("the checkpoint became shorter while it was read")
    return data


def _gathered(tensor: Tensor, span: bytes) -> Iterator[bytes]:
    """The numbers of a tensor that lie scattered between its first and its last, a few rows at a time."""
    import numpy as np

    strides = [step * tensor.width for step in tensor.stride]
    numbers = np.ndarray(tensor.shape, np.dtype(f"V{tensor.width}"), span, strides=strides)
    rows = max(1, CHUNK_BYTES // max(1, tensor.size_bytes // tensor.shape[0]))
    for at in range(0, tensor.shape[0], rows):
        yield numbers[at : at + rows].tobytes()
