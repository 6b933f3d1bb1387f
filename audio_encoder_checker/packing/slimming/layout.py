"""Where each tensor lies in a safetensors file, and the header that says so.

https://huggingface.co/docs/safetensors: eight bytes of length, JSON of that length, and the tensors without a gap.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.safetensors import MAX_HEADER_BYTES, METADATA
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audio_encoder_checker.archive.weights.checkpoint import Checkpoint
    from audio_encoder_checker.archive.weights.values import Tensor

DTYPES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "uint16": "U16",
    "uint32": "U32", "uint64": "U64", "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64",
    "complex64": "C64", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip
"""The format's names of torch's number formats."""
ALIGNMENT = 8
MOST_GROWTH, FREE_BYTES = 4, 256 << 20
"""So many times the checkpoint's size the tensors may take, and so much more: views of one storage are copied."""


@dataclass(frozen=True)
class Placed:
    """A tensor and the bytes behind the header that are its own."""

    name: str
    tensor: Tensor
    start: int
    end: int


@dataclass(frozen=True)
class Layout:
    """A safetensors file to be written: its first bytes, and its tensors in order."""

    head: bytes
    placed: tuple[Placed, ...]

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return len(self.head) + (self.placed[-1].end if self.placed else 0)


def lay_out(tensors: Mapping[str, Tensor], checkpoint: Checkpoint, size_bytes: int) -> Layout:
    """Give every tensor its place: wide numbers first, so that all are aligned, then by name.

    Args:
        tensors: by name.
        checkpoint: that they are in.
        size_bytes: of its file.

    Raises:
        UsageError: the format has no such numbers or names, a tensor reaches beyond its storage, or they take too much.
    """
    placed, at = [], 0
    for name, tensor in sorted(tensors.items(), key=lambda one: (-one[1].width, one[0])):
        _refuse_odd(name, tensor, checkpoint)
        placed.append(Placed(name, tensor, at, at + tensor.size_bytes))
        at += tensor.size_bytes
    if at > MOST_GROWTH * size_bytes + FREE_BYTES:
        message = f"the tensors would take {size_words(at)}, the checkpoint has {size_words(size_bytes)}"
        raise UsageError(message, "save the tensors that are views of others as `t.clone()`, or leave them out")
    return Layout(_head(placed), tuple(placed))


def _refuse_odd(name: str, tensor: Tensor, checkpoint: Checkpoint) -> None:
    shown = printable(repr(name))
    if tensor.dtype not in DTYPES:
        hint = "save it in another number format, such as `t.float()`"
        raise UsageError(f"the tensor {shown} is {tensor.dtype}, which safetensors cannot hold", hint)
    if tensor.reach > checkpoint.size_of(tensor.storage):
        raise UsageError(f"the checkpoint is damaged: the tensor {shown} reaches beyond its storage", "save it again")
    if name == METADATA or not _is_text(name):
        raise UsageError(f"safetensors cannot hold a tensor of the name {shown}", "rename it in the model")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _head(placed: list[Placed]) -> bytes:
    """The length of the header, and the header, filled up with spaces."""
    header: dict[str, object] = {METADATA: {"format": "pt"}}  # transformers asks for it
    for one in placed:
        offsets = [one.start, one.end]
        header[one.name] = {
            "dtype": DTYPES[one.tensor.dtype], "shape": list(one.tensor.shape), "data_offsets": offsets,
        }  # fmt: skip
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    if len(text) > MAX_HEADER_BYTES:
        raise UsageError(
            f"{len(placed)} tensors are more than a safetensors file that is checked may list", "join some"
        )
    return len(text).to_bytes(8, "little") + text
