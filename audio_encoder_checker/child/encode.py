"""Call the encoder, and send what it returns as raw bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def waveforms(payload: memoryview, shape: list[int], device: str) -> torch.Tensor:
    """Audio `[B, samples]`, float32, as X-ARES hands it to an encoder."""
    audio = np.frombuffer(payload, dtype=np.float32).reshape(shape)
    return torch.from_numpy(audio).to(device)


def call(encoder: Any, audio: torch.Tensor, limit: int) -> tuple[dict[str, Any], bytes | memoryview]:
    """Call `encoder(audio)` as X-ARES does (autograd on, then `.to("cpu").detach().numpy()`).

    Args:
        encoder: the participant's.
        audio: `[B, samples]`.
        limit: most bytes that may leave the box.

    Returns:
        A header that describes the output, and its bytes.
    """
    output = encoder(audio)
    if not isinstance(output, torch.Tensor):
        return {"kind": type(output).__name__[:100], "contains": contents(output)}, b""
    return as_bytes(output, limit)


def as_bytes(output: torch.Tensor, limit: int) -> tuple[dict[str, Any], bytes | memoryview]:
    """A tensor as header and bytes; a dtype that `.numpy()` refuses is sent as it lies in memory."""
    tensor = output.to("cpu").detach()
    if type(tensor) is not torch.Tensor:
        tensor = tensor.as_subclass(torch.Tensor)  # what a subclass says of its shape counts for nothing
    header: dict[str, Any] = {
        "kind": "tensor",
        "shape": list(tensor.shape)[:16],
        "dtype": str(tensor.dtype).removeprefix("torch."),
    }
    size = tensor.numel() * tensor.element_size()
    if size > limit:
        return {**header, "too_large": size}, b""
    try:
        array = np.ascontiguousarray(tensor.numpy())
    except (TypeError, RuntimeError) as error:
        header["numpy_error"] = f"{type(error).__name__}: {error}"[:300]
        if tensor.layout is not torch.strided or tensor.dtype is not torch.bfloat16:
            return header, b""
        array = tensor.contiguous().view(torch.int16).numpy()
    return header, array.data.cast("B") if array.size else b""


def contents(output: Any) -> str:
    """What a tuple, list or output object holds, for the hint: names and shapes."""
    items = (
        output.items() if hasattr(output, "items") else enumerate(output) if isinstance(output, tuple | list) else ()
    )
    parts = [f"{key}: {tuple(v.shape) if isinstance(v, torch.Tensor) else type(v).__name__}" for key, v in items]
    return ", ".join(parts[:8])[:300]
