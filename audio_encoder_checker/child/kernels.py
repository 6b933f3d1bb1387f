"""What an operation costs on a card of compute capability 7.5: memory that its kernel takes meanwhile, and arithmetic.

Dispatch shows what goes into an operation and what comes out. What a CUDA kernel takes in between was read in torch's
sources (`aten/src/ATen/native/cuda`, `.../transformers/cuda/sdp_utils.cpp`); a test holds each rule to its numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.flop_counter import flop_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

aten = torch.ops.aten

ATTENTION = aten.scaled_dot_product_attention
ATTENTION_CPU = aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001 - what autograd makes of it here
RECURRENT = frozenset({aten.gru, aten.lstm, aten.rnn_tanh, aten.rnn_relu})
CONVOLUTIONS = frozenset({aten.convolution, aten._convolution, aten.convolution_overrideable})  # noqa: SLF001 - names
OF_DEVICE = RECURRENT | CONVOLUTIONS | {ATTENTION, ATTENTION_CPU}
"""Operations for which the CPU's kernels take memory that CUDA's do not."""
UNPACKING = aten._pad_packed_sequence  # noqa: SLF001 - its name
WHOLE = frozenset({ATTENTION.default, UNPACKING.default}) | {
    op for packet in RECURRENT for op in (packet.input, packet.data)
}
"""Composite operations that are one kernel on CUDA, or want to see values: they are not taken apart."""
PLAIN_INPUT = CONVOLUTIONS | {
    *(aten.native_layer_norm, aten.native_group_norm, aten._softmax, aten._log_softmax),  # noqa: SLF001 - names
    *(aten.avg_pool2d, aten.max_pool2d_with_indices, aten.cumsum, aten._fft_r2c, aten._fft_c2c),  # noqa: SLF001 - names
}
"""Their kernels begin with `input.contiguous()` (`expect_contiguous`, cuDNN's descriptors)."""
TO_REAL = frozenset({aten.abs, aten.angle})
"""Of complex numbers they are computed as complex numbers first (`unary_op_impl_with_complex_to_float_out`)."""
WIDENED = frozenset({aten.native_layer_norm, aten.native_group_norm, aten._softmax, aten._log_softmax})  # noqa: SLF001 - names
NARROW = (torch.float16, torch.bfloat16)
"""Autocasting for CUDA computes those in float32; for the CPU, which stands in for it, it does not."""
SORTING = frozenset({aten.sort, aten.topk, aten.argsort, aten._unique2, aten.unique_dim})  # noqa: SLF001 - names
FOURIER = frozenset({aten._fft_r2c, aten._fft_c2c, aten._fft_c2r})  # noqa: SLF001 - names
PRODUCTS = frozenset({aten.mm, aten.addmm, aten.bmm, aten.baddbmm})

ARITHMETIC = {torch.float32: 0, torch.float16: 1, torch.bfloat16: 2, torch.float64: 3}
OTHER_ARITHMETIC = 0
HALF_ALIGNMENT = 8
BIAS_ALIGNMENT = 16
EFFICIENT, MATH = "efficient", "math"


def temporaries(func: Any, args: Any, kwargs: Any) -> tuple[int, int]:
    """Bytes that the kernel takes and gives back: surely, and perhaps more."""
    packet = func.overloadpacket
    if packet in (ATTENTION, ATTENTION_CPU):
        return attention_bytes(args, kwargs), 0
    if packet in RECURRENT:
        return gates(args), gates(args)
    if packet in TO_REAL and args[0].is_complex():
        return nbytes(args[0]), 0
    return sum(nbytes(tensor) for tensor in _copied(packet, args)), _possible(packet, args)


def _possible(packet: Any, args: Any) -> int:
    """What depends on sizes and libraries."""
    if packet in WIDENED and args[0].dtype in NARROW and torch.is_autocast_enabled("cpu"):
        return 4 * nbytes(args[0])  # argument and result in float32
    if packet in SORTING:
        return 2 * nbytes(args[0])
    return nbytes(args[0]) if packet in FOURIER else 0


def _copied(packet: Any, args: Any) -> Iterator[torch.Tensor]:
    """Arguments of which the kernel makes a copy in another order."""
    if packet in PLAIN_INPUT and not _contiguous(args[0]):
        yield args[0]
    if packet is aten._pack_padded_sequence and args[2]:  # noqa: SLF001 - clips first: each step is copied
        yield args[0]
    if packet in PRODUCTS:
        for matrix in args[-2:] if packet in (aten.mm, aten.bmm) else args[1:3]:
            if not _for_cublas(matrix):
                yield matrix


def _contiguous(tensor: torch.Tensor) -> bool:
    channels_last = tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    return channels_last or tensor.is_contiguous()


def _for_cublas(matrix: torch.Tensor) -> bool:
    """Whether rows or columns lie one after the other (`prepare_batch_matrix_for_cublas`)."""
    (rows, columns), (down, right) = matrix.shape[-2:], matrix.stride()[-2:]
    return (right == 1 and down >= max(1, columns)) or (down == 1 and right >= max(1, rows)) or min(rows, columns) <= 1


def attention_backend(query: Any, key: Any, value: Any) -> str:
    """What `scaled_dot_product_attention` takes on compute capability 7.5.

    FlashAttention and cuDNN want 8.0; the memory-efficient kernel takes float16 and float32 with rows that lie one
    after the other, and float16 heads of a multiple of 8. All else is computed with the whole matrix of scores.
    """
    heads = (query.shape[-1], key.shape[-1], value.shape[-1])
    aligned = query.dtype is torch.float32 or all(width % HALF_ALIGNMENT == 0 for width in heads)
    plain = all(tensor.ndim == 4 and tensor.stride(-1) == 1 for tensor in (query, key, value))
    known = query.dtype in (torch.float16, torch.float32)
    dense = query.shape[:2] == key.shape[:2] == value.shape[:2] and heads[0] == heads[1]
    return EFFICIENT if known and aligned and plain and dense else MATH


def attention_bytes(args: Any, kwargs: Any) -> int:
    """What attention takes beside its output: scores and casts on the slow path, the padded mask on the fast one."""
    query, key, value = args[:3]
    mask = args[3] if len(args) > 3 and isinstance(args[3], torch.Tensor) else kwargs.get("attn_mask")
    if attention_backend(query, key, value) == MATH:
        return _slow_attention(
            query, key, value, causal=kwargs.get("is_causal") or any(one is True for one in args[3:])
        )
    if mask is None:
        return 0
    size: int = mask.numel() * query.element_size()
    converted = size if mask.dtype is torch.bool else 0
    width = mask.shape[-1]
    padded: int = size // width * -(-width // BIAS_ALIGNMENT) * BIAS_ALIGNMENT if width % BIAS_ALIGNMENT else 0
    return converted + padded


def _slow_attention(query: Any, key: Any, value: Any, *, causal: bool) -> int:
    """`_scaled_dot_product_attention_math`, when its softmax is done: the result is not there yet.

    Scores before and after, which of them are minus infinity, what is scaled and cast to single precision, the causal
    mask; keys and values of fewer heads are repeated for all.
    """
    size = query.element_size()
    wide = max(4, size)
    repeated = math.prod(query.shape[:-2]) / max(math.prod(key.shape[:-2]), 1)
    scores = query.numel() // query.shape[-1] * key.shape[-2]
    cast = query.numel() + repeated * (key.numel() + value.numel()) if size < wide else 0
    taken = (2 * wide + 1) * scores + wide * (query.numel() + cast)
    taken += wide * query.shape[-2] * key.shape[-2] if causal else 0
    taken += (nbytes(key) + nbytes(value)) * repeated if repeated > 1 else 0
    result = query.numel() // query.shape[-1] * value.shape[-1] * size
    return int(taken - result)


def gates(args: Any) -> int:
    """CuDNN's buffer for the gates of one layer, all steps, both directions."""
    weights = _matrices(args)
    widest = max((weight.shape[0] for weight in weights), default=0)
    data = args[0]
    return int(2 * data.numel() // data.shape[-1] * widest * data.element_size())


def _matrices(args: Any) -> list[torch.Tensor]:
    """The weight matrices among the arguments of a recurrent layer."""
    lists = [one for one in args if isinstance(one, list | tuple)]
    return [t for one in lists for t in one if isinstance(t, torch.Tensor) and t.ndim == 2]


def work(
    func: Any, args: Any, kwargs: Any, result: Any, tensors: list[torch.Tensor]
) -> tuple[float, float, float, int]:
    """What an operation has to do.

    Args:
        func: the operation.
        args: its arguments.
        kwargs: the same, by name.
        result: what it returned.
        tensors: all tensors among arguments and results.

    Returns:
        FLOP, bytes read and written, steps that wait for one another, and the kind of arithmetic (`ARITHMETIC`).
    """
    moved = sum(nbytes(tensor) for tensor in tensors)
    arithmetic = ARITHMETIC.get(tensors[0].dtype, OTHER_ARITHMETIC) if tensors else OTHER_ARITHMETIC
    packet = func.overloadpacket
    if packet in RECURRENT:
        data, weights = args[0], _matrices(args)
        rows = data.numel() // data.shape[-1]
        flop = 2.0 * rows * sum(weight.numel() for weight in weights)
        sizes = args[1] if func._schema.overload_name == "data" else None  # noqa: SLF001 - nothing public tells it
        steps = (len(sizes) if sizes is not None else max(data.shape[:-1])) * max(1, len(weights) // 2)
        return flop, moved, float(steps), arithmetic
    return _flop(packet, args, kwargs, result), moved, 1.0, arithmetic


def _flop(packet: Any, args: Any, kwargs: Any, result: Any) -> float:
    if packet in (ATTENTION, ATTENTION_CPU):
        query, key, value = args[:3]
        return float(2 * math.prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1]))
    count = flop_registry.get(packet)
    try:
        return float(count(*args, **kwargs, out_val=result)) if count else 0.0
    except (TypeError, ValueError, AssertionError, IndexError):  # an overload that torch's counter does not know
        return 0.0


def nbytes(tensor: torch.Tensor) -> int:
    """Bytes of a tensor's elements."""
    return tensor.numel() * tensor.element_size()
