"""Call the encoder in the manner asked for, and send what it returns as raw bytes.

A question may say how the call is made (all optional; without any it is made as X-ARES makes it):

    grad      autograd on, as in the official checker; X-ARES encodes in inference mode
    dtype     of the audio, `float32`
    flat      the first clip alone, without a batch axis
    train     call `train()` first; statistics of batch norms are not what they were after it
    move      call `encoder.to(device)` once more first
    back      send the audio after the call in place of the embeddings
    observe   note `layers` (what submodules return) or `chunks` (lengths that the audio is cut into)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from . import observe

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL_SCALE = 32767
FIELDS = 12


def waveforms(payload: memoryview, shape: list[int], device: str) -> torch.Tensor:
    """Audio `[B, samples]`, float32, as X-ARES hands it to an encoder."""
    audio = np.frombuffer(payload, dtype=np.float32).reshape(shape)
    return torch.from_numpy(audio).to(device)


def call(
    encoder: Any, audio: torch.Tensor, limit: int, manner: dict[str, Any]
) -> tuple[dict[str, Any], bytes | memoryview]:
    """Call `encoder(audio)`, then `.to("cpu").detach().numpy()` as X-ARES does.

    Args:
        encoder: the participant's.
        audio: `[B, samples]`.
        limit: most bytes that may leave the box.
        manner: how the call is made, see above.

    Returns:
        A header that describes the output, and its bytes.
    """
    audio = _as_asked(audio, manner)
    if manner.get("train"):
        encoder.train()
    with torch.enable_grad() if manner.get("grad") else torch.inference_mode():
        output, seen = observe.watched(encoder, audio, manner.get("observe", ""))
    if manner.get("back"):
        output = audio
    if not isinstance(output, torch.Tensor):
        return {**seen, "kind": type(output).__name__[:100], "fields": fields(output)}, b""
    header, payload = as_bytes(output, limit)
    return {**seen, **header}, payload


def _as_asked(audio: torch.Tensor, manner: dict[str, Any]) -> torch.Tensor:
    dtype = getattr(torch, manner.get("dtype", "float32"))
    if not dtype.is_floating_point:
        audio = audio * FULL_SCALE
    return (audio[0] if manner.get("flat") else audio).to(dtype)


def as_bytes(output: torch.Tensor, limit: int) -> tuple[dict[str, Any], bytes | memoryview]:
    """A tensor as header and bytes; a dtype that `.numpy()` refuses is sent as it lies in memory."""
    tensor = output.to("cpu").detach()
    if type(tensor) is not torch.Tensor:
        tensor = tensor.as_subclass(torch.Tensor)  # what a subclass says of its shape counts for nothing
    header: dict[str, Any] = {
        "kind": "tensor",
        "shape": list(tensor.shape)[:16],
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "requires_grad": bool(output.requires_grad),
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


def fields(output: Any) -> list[list[str]]:
    """What a tuple, list or output object holds, for the hint: names, and shapes in words."""
    found: list[list[str]] = []
    for key, value in _items(output):
        words = str(tuple(value.shape)) if isinstance(value, torch.Tensor) else type(value).__name__
        found.append([str(key)[:60], words[:100]])
        if len(found) == FIELDS:
            break
    return found


def _items(output: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(output, tuple | list) and not hasattr(output, "_fields"):
        yield from enumerate(output)
    elif hasattr(output, "_asdict"):
        yield from output._asdict().items()
    elif hasattr(output, "items"):
        yield from output.items()
    else:
        yield from getattr(output, "__dict__", {}).items()
