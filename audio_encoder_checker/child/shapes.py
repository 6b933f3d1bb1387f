"""Results of operations that symbolic tensors have no rule for, or one that takes far too long.

How many elements a condition picks depends on data: all of them are assumed, and it is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import _disable_current_modes

from . import kernels

if TYPE_CHECKING:
    from collections.abc import Callable

aten = torch.ops.aten
MASKS = (torch.bool, torch.uint8)


def of(func: Any, args: Any) -> tuple[Any, str] | None:
    """The results, and what was guessed for them, if anything; None where torch's own rule serves.

    Args:
        func: the operation.
        args: its arguments, symbolic.
    """
    if func.overloadpacket in kernels.RECURRENT:
        return recurrent(func, args), ""
    rule = RULES.get(func.overloadpacket)
    return rule(func, args) if rule else None


def recurrent(func: Any, args: Any) -> Any:
    """Output and last states of a recurrent layer: torch would go through it step by step."""
    data = args[0]
    packed = func._schema.overload_name == "data"  # noqa: SLF001 - nothing public tells it
    states = args[2 if packed else 1]
    first = states[0] if isinstance(states, list | tuple) else states
    bidirectional = args[8 if packed else 7]
    output = data.new_empty(*data.shape[:-1], first.shape[-1] * (2 if bidirectional else 1))
    if isinstance(states, list | tuple):
        return (output, *(state.clone() for state in states))
    return output, first.clone()


def _nonzero(_func: Any, args: Any) -> tuple[Any, str]:
    return args[0].new_empty(args[0].numel(), args[0].ndim, dtype=torch.int64), "nonzero"


def _masked_select(_func: Any, args: Any) -> tuple[Any, str]:
    whole = (args[0].new_empty(args[0].shape, dtype=torch.bool) | args[1].bool()).numel()
    return args[0].new_empty(whole), "masked_select"


def _index(func: Any, args: Any) -> tuple[Any, str] | None:
    if all(index is None or index.dtype not in MASKS for index in args[1]):
        return None
    indices: list[Any] = []
    for index in args[1]:
        if index is not None and index.dtype in MASKS:
            indices += [index.new_empty(index.numel(), dtype=torch.int64) for _ in range(index.ndim)]
        else:
            indices.append(index)
    return func(args[0], indices), "a mask as index"


def _pack(_func: Any, args: Any) -> tuple[Any, str]:
    data, _lengths, batch_first = args
    steps, batch = (data.shape[1], data.shape[0]) if batch_first else data.shape[:2]
    with _disable_current_modes():
        sizes = torch.full((steps,), batch, dtype=torch.int64)
    return (data.new_empty(batch * steps, *data.shape[2:]), sizes), "packed sequences"


def _unpack(_func: Any, args: Any) -> tuple[Any, str]:
    data, sizes, batch_first = args[:3]
    steps = sizes.shape[0]
    batch = data.shape[0] // steps
    shape = (batch, steps) if batch_first else (steps, batch)
    with _disable_current_modes():
        lengths = torch.full((batch,), steps, dtype=torch.int64)
    return (data.new_empty(*shape, *data.shape[1:]), lengths), "packed sequences"


def _unique(_func: Any, args: Any) -> tuple[Any, str]:
    data = args[0]
    places = data.new_empty(data.shape, dtype=torch.int64)
    return (data.new_empty(data.numel()), places, data.new_empty(data.numel(), dtype=torch.int64)), "unique"


RULES: dict[Any, Callable[[Any, Any], tuple[Any, str] | None]] = {
    aten.nonzero: _nonzero,
    aten.masked_select: _masked_select,
    aten.index: _index,
    aten._unique2: _unique,  # noqa: SLF001 - its name
    aten._pack_padded_sequence: _pack,  # noqa: SLF001 - its name
    kernels.UNPACKING: _unpack,
}
