"""Look over the encoder's shoulder during one call: what its submodules return, how it cuts the audio.

What is seen here only helps to choose further lengths and to word a hint; no verdict rests on it.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable

LAYERS = 80
CUTTING = {
    *("__getitem__", "narrow", "split", "split_with_sizes", "chunk", "tensor_split"),
    *("unfold", "pad", "_pad", "index_select"),
}
"""Functions of torch that cut a signal into pieces, or pad it to a fixed length."""
SHORTEST_PART = 1 / 200
"""Of the whole: shorter pieces are frames, no chunks."""
LONGEST_PART = 0.9
"""Longer pieces are the signal with its edges trimmed."""


class Cuts(TorchFunctionMode):
    """Counts the lengths of the pieces that functions in `CUTTING` give."""

    def __init__(self, samples: int) -> None:
        super().__init__()
        self.samples = samples
        self.found: Counter[int] = Counter()

    def __torch_function__(
        self, func: Callable[..., Any], _types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the function, and note the length of what comes of it."""
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in CUTTING:
            pieces = result if isinstance(result, tuple | list) else [result]
            for piece in pieces:
                if isinstance(piece, torch.Tensor) and piece.ndim:
                    size = piece.shape[-1]
                    self.found[size] += SHORTEST_PART < size / self.samples < LONGEST_PART
        return result


def watched(encoder: Any, audio: torch.Tensor, what: str) -> tuple[Any, dict[str, Any]]:
    """Call the encoder and note what was asked for.

    Args:
        encoder: the participant's.
        audio: `[B, samples]`.
        what: `layers`, `chunks`, or empty for nothing.

    Returns:
        What the encoder returned, and `{"layers": [[name, shape], ...]}` or `{"chunks": [samples, ...]}`, the most
        frequent length first.
    """
    if what == "layers":
        return _layers(encoder, audio)
    if what == "chunks":
        cuts = Cuts(audio.shape[-1])
        with cuts:
            output = encoder(audio)
        return output, {"chunks": [size for size, count in cuts.found.most_common(5) if count]}
    return encoder(audio), {}


def _layers(encoder: Any, audio: torch.Tensor) -> tuple[Any, dict[str, Any]]:
    seen: dict[str, list[int]] = {}

    def note(name: str) -> Callable[..., None]:
        def hook(_module: Any, _args: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple | list) and output else output
            if isinstance(first, torch.Tensor) and len(seen) < LAYERS:
                seen[name] = list(first.shape)[:8]

        return hook

    with ExitStack() as stack:
        for name, module in encoder.named_modules():
            with suppress(RuntimeError):  # script modules take no hook of ours
                stack.callback(module.register_forward_hook(note(name[:100])).remove) if name else None
        output = encoder(audio)
    return output, {"layers": [[name, shape] for name, shape in seen.items()]}
