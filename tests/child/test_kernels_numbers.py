"""More rules of what CUDA's kernels take and do on compute capability 7.5, each held to numbers made by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from audio_encoder_checker.child.kernels import (
    ARITHMETIC,
    EFFICIENT,
    MATH,
    attention_backend,
    attention_bytes,
    gates,
    nbytes,
    temporaries,
    work,
)
from audio_encoder_checker.child.truth import observed

aten = torch.ops.aten
HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64


def states(width: int = 64, frames: int = 100, dtype: torch.dtype = SINGLE, heads: int = 4) -> Tensor:
    return torch.zeros(2, heads, frames, width, dtype=dtype)


class TestFastAttention:
    @pytest.mark.parametrize("width", [8, 40, 64, 80, 96, 128])
    def test_half_precision_wants_heads_of_whole_eights(self, width: int) -> None:
        aligned, other = states(width, dtype=HALF), states(width + 4, dtype=HALF)
        assert attention_backend(aligned, aligned, aligned) == EFFICIENT
        assert attention_backend(other, other, other) == MATH

    @pytest.mark.parametrize("width", [1, 7, 50, 64])
    def test_single_precision_takes_any_heads(self, width: int) -> None:
        assert attention_backend(*[states(width)] * 3) == EFFICIENT

    def test_values_of_half_precision_have_to_be_aligned_as_well(self) -> None:
        q = states(64, dtype=HALF)
        assert attention_backend(q, q, states(32, dtype=HALF)) == EFFICIENT
        assert attention_backend(q, q, states(36, dtype=HALF)) == MATH

    def test_heads_split_from_one_matrix_are_fine(self) -> None:
        q, k, v = torch.zeros(2, 100, 3 * 4 * 64).view(2, 100, 3, 4, 64).permute(2, 0, 3, 1, 4)
        assert attention_backend(q, k, v) == EFFICIENT

    @pytest.mark.parametrize("dtype", [SINGLE, HALF])
    def test_it_takes_nothing_with_or_without_causality(self, dtype: torch.dtype) -> None:
        args = [states(dtype=dtype)] * 3
        assert attention_bytes(args, {}) == 0
        assert attention_bytes([*args, None, 0.0, True], {}) == 0
        assert attention_bytes(args, {"is_causal": True}) == 0

    def test_it_takes_nothing_for_keys_of_another_length(self) -> None:
        assert attention_bytes([states(), states(frames=37), states(frames=37)], {}) == 0

    @pytest.mark.parametrize(
        ("shape", "dtype", "bytes_"),
        [
            ((2, 4, 100, 100), HALF, 2 * 4 * 100 * 112 * 2),
            ((2, 1, 100, 112), HALF, 0),
            ((2, 1, 1, 100), HALF, 2 * 112 * 2),
            ((100, 100), HALF, 100 * 112 * 2),
            ((100, 96), SINGLE, 0),
            ((100, 97), SINGLE, 100 * 112 * 4),
        ],
    )
    def test_a_mask_of_numbers_is_padded(self, shape: tuple[int, ...], dtype: torch.dtype, bytes_: int) -> None:
        q, k = states(dtype=dtype), states(frames=shape[-1], dtype=dtype)
        assert attention_bytes([q, k, k, torch.zeros(shape, dtype=dtype)], {}) == bytes_

    @pytest.mark.parametrize("dtype", [SINGLE, HALF])
    def test_a_mask_of_truths_is_made_numbers_of_the_query_s_kind(self, dtype: torch.dtype) -> None:
        size = dtype.itemsize
        for frames, padded in ((96, 0), (100, 100 * 112)):
            q = states(frames=frames, dtype=dtype)
            mask = torch.ones(frames, frames, dtype=torch.bool)
            assert attention_bytes([q, q, q], {"attn_mask": mask}) == (frames * frames + padded) * size


class TestSlowAttention:
    @pytest.mark.parametrize(("dtype", "width"), [(HALF, 52), (BRAIN, 64), (DOUBLE, 64)])
    @pytest.mark.parametrize("causal", [False, True])
    def test_it_takes_about_what_torch_s_own_composite_takes(
        self, dtype: torch.dtype, width: int, causal: bool
    ) -> None:
        q = states(width, 300, dtype, heads=8)
        with torch.inference_mode(), observed() as seen:
            aten._scaled_dot_product_attention_math(q, q, q, None, 0.0, causal)
        forecast = attention_bytes([q, q, q, None, 0.0, causal], {}) + q.nbytes
        assert forecast == pytest.approx(seen.peak(())[0], rel=0.02)


def taken(func: Any, *args: Any, **kwargs: Any) -> tuple[int, int]:
    return temporaries(func, args, kwargs)


class TestCopies:
    @pytest.mark.parametrize(
        "func",
        [
            aten.native_layer_norm.default,
            aten.native_group_norm.default,
            aten._softmax.default,
            aten._log_softmax.default,
            aten.avg_pool2d.default,
            aten.max_pool2d_with_indices.default,
            aten.cumsum.default,
            aten.convolution.default,
        ],
    )
    def test_kernels_that_want_rows_in_order_copy_what_is_not(self, func: Any) -> None:
        x = torch.zeros(3, 5, 7)
        assert taken(func, x) == (0, 0)
        assert taken(func, x.transpose(1, 2)) == (3 * 5 * 7 * 4, 0)
        assert taken(func, x[:, :, ::2]) == (3 * 5 * 4 * 4, 0)

    @pytest.mark.parametrize("func", [aten.mul.Tensor, aten.sum.default, aten.gelu.default, aten.clone.default])
    def test_others_read_in_any_order(self, func: Any) -> None:
        assert taken(func, torch.zeros(3, 5, 7).transpose(1, 2)) == (0, 0)

    def test_channels_last_is_order_enough_for_images_alone(self) -> None:
        image = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)
        video = torch.zeros(2, 3, 4, 5, 6).to(memory_format=torch.channels_last_3d)
        assert taken(aten.convolution.default, image) == (0, 0)
        assert taken(aten.convolution.default, video) == (2 * 3 * 4 * 5 * 6 * 4, 0)

    def test_a_fourier_transform_copies_and_perhaps_takes_a_buffer(self) -> None:
        frames = torch.zeros(2, 50, 400)
        assert taken(aten._fft_r2c.default, frames, [2], 0, True) == (0, 2 * 50 * 400 * 4)
        assert taken(aten._fft_r2c.default, frames.transpose(1, 2), [1], 0, True) == (2 * 50 * 400 * 4,) * 2
        spectrum = torch.zeros(2, 50, 201, dtype=torch.complex64)
        assert taken(aten._fft_c2r.default, spectrum, [2], 0, 400) == (0, 2 * 50 * 201 * 8)

    @pytest.mark.parametrize(("clips_first", "bytes_"), [(True, 3 * 20 * 8 * 4), (False, 0)])
    def test_packing_clips_first_copies_each_step(self, clips_first: bool, bytes_: int) -> None:
        assert taken(aten._pack_padded_sequence.default, torch.zeros(3, 20, 8), [20] * 3, clips_first) == (bytes_, 0)

    @pytest.mark.parametrize("func", [aten.abs.default, aten.angle.default])
    @pytest.mark.parametrize(("dtype", "bytes_"), [(torch.complex64, 240), (torch.complex128, 480), (SINGLE, 0)])
    def test_what_is_real_of_complex_numbers_is_complex_first(self, func: Any, dtype: torch.dtype, bytes_: int) -> None:
        assert taken(func, torch.zeros(5, 6, dtype=dtype)) == (bytes_, 0)

    def test_products_of_stacks_copy_both_sides_where_they_have_to(self) -> None:
        a, b = torch.zeros(2, 5, 6), torch.zeros(2, 6, 7)
        wide = torch.zeros(2, 5, 12)[:, :, ::2]
        assert taken(aten.bmm.default, a, b) == (0, 0)
        assert taken(aten.bmm.default, a, torch.zeros(2, 7, 6).transpose(1, 2)) == (0, 0)
        assert taken(aten.bmm.default, wide, torch.zeros(2, 6, 14)[:, :, ::2]) == (2 * (5 * 6 + 6 * 7) * 4, 0)
        assert taken(aten.baddbmm.default, torch.zeros(2, 5, 14)[:, :, ::2], wide, b) == (2 * 5 * 6 * 4, 0)

    def test_a_column_is_in_order_in_any_case(self) -> None:
        column = torch.zeros(6, 8)[:, ::8]
        assert taken(aten.mm.default, torch.zeros(5, 6), column) == (0, 0)

    def test_rows_that_lie_one_over_the_other_are_copied(self) -> None:
        frames = torch.zeros(1000).unfold(0, 400, 160)
        assert taken(aten.mm.default, frames, torch.zeros(400, 8)) == (4 * 400 * 4, 0)

    @pytest.mark.parametrize("func", [aten.sort.default, aten.topk.default, aten.argsort.default])
    def test_sorting_perhaps_takes_twice_its_argument(self, func: Any) -> None:
        assert taken(func, torch.zeros(10, 10, dtype=HALF)) == (0, 400)


class TestGates:
    def args(self, layer: nn.RNNBase, data: Tensor) -> tuple[Any, ...]:
        return (data, torch.zeros(1), list(layer.parameters()), True, layer.num_layers, 0.0, False, False)

    @pytest.mark.parametrize(("kind", "count"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
    def test_there_are_so_many_for_each_step(self, kind: Any, count: int) -> None:
        assert gates(self.args(kind(8, 16), torch.zeros(20, 3, 8))) == 2 * 20 * 3 * count * 16 * 4

    def test_half_precision_halves_them(self) -> None:
        layer = nn.LSTM(8, 16).half()
        assert gates(self.args(layer, torch.zeros(20, 3, 8, dtype=HALF))) == 2 * 20 * 3 * 64 * 2

    def test_layers_take_them_one_after_the_other(self) -> None:
        one, five = (self.args(nn.GRU(8, 16, layers), torch.zeros(20, 3, 8)) for layers in (1, 5))
        assert gates(one) == gates(five)

    @pytest.mark.parametrize("func", [aten.gru.input, aten.lstm.input, aten.rnn_tanh.input, aten.rnn_relu.input])
    def test_they_are_surely_taken_and_perhaps_once_more(self, func: Any) -> None:
        args = self.args(nn.GRU(8, 16), torch.zeros(20, 3, 8))
        assert taken(func, *args) == (2 * 20 * 3 * 48 * 4,) * 2


def flop(func: Any, *args: Any, result: Tensor, **kwargs: Any) -> float:
    return work(func, args, kwargs, result, [one for one in args if isinstance(one, Tensor)])[0]


class TestWork:
    def test_products(self) -> None:
        a, b = torch.zeros(10, 20), torch.zeros(20, 30)
        assert flop(aten.mm.default, a, b, result=a @ b) == 2 * 10 * 20 * 30
        assert flop(aten.addmm.default, torch.zeros(30), a, b, result=a @ b) == 2 * 10 * 20 * 30

    def test_products_of_stacks(self) -> None:
        a, b = torch.zeros(7, 10, 20), torch.zeros(7, 20, 30)
        assert flop(aten.bmm.default, a, b, result=a @ b) == 7 * 2 * 10 * 20 * 30
        assert flop(aten.baddbmm.default, torch.zeros(7, 10, 30), a, b, result=a @ b) == 7 * 2 * 10 * 20 * 30

    @pytest.mark.parametrize("groups", [1, 2, 4])
    def test_convolutions_in_groups(self, groups: int) -> None:
        x, weight = torch.zeros(2, 4, 50), torch.zeros(8, 4 // groups, 5)
        args = (x, weight, None, [2], [2], [1], False, [0], groups)
        result = aten.convolution.default(*args)
        assert tuple(result.shape) == (2, 8, 25)
        assert flop(aten.convolution.default, *args, result=result) == 2 * (2 * 8 * 25) * (4 // groups) * 5

    def test_convolutions_of_images(self) -> None:
        x, weight = torch.zeros(2, 3, 20, 30), torch.zeros(6, 3, 5, 7)
        args = (x, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)
        result = aten.convolution.default(*args)
        assert flop(aten.convolution.default, *args, result=result) == 2 * (2 * 6 * 16 * 24) * 3 * 5 * 7

    def test_transposed_convolutions_work_for_each_of_their_inputs(self) -> None:
        x, weight = torch.zeros(2, 4, 50), torch.zeros(4, 6, 5)
        args = (x, weight, None, [2], [0], [1], True, [0], 1)
        result = aten.convolution.default(*args)
        assert flop(aten.convolution.default, *args, result=result) == 2 * (2 * 4 * 50) * 6 * 5

    def test_attention_with_keys_of_another_length(self) -> None:
        q, k, v = states(), states(frames=30), states(32, 30)
        found = flop(aten.scaled_dot_product_attention.default, q, k, v, result=states(32))
        assert found == 2 * (2 * 4 * 100 * 30) * (64 + 32)

    def test_a_recurrent_layer_multiplies_each_frame_with_all_weights(self) -> None:
        layer, x = nn.LSTM(8, 16, bidirectional=True), torch.zeros(20, 3, 8)
        args = (x, [torch.zeros(2, 3, 16)] * 2, list(layer.parameters()), True, 1, 0.0, False, True, False)
        assert flop(aten.lstm.input, *args, result=x) == 2 * 20 * 3 * 2 * (64 * 8 + 64 * 16)

    @pytest.mark.parametrize("func", [aten.add.Tensor, aten.gelu.default, aten._fft_r2c.default])
    def test_what_no_counter_knows_is_none(self, func: Any) -> None:
        x = torch.zeros(4, 4)
        assert work(func, (x,), {}, x, [x, x]) == (0.0, 128.0, 1.0, 0)

    def test_arguments_that_a_counter_does_not_understand_are_none(self) -> None:
        x = torch.zeros(4)
        assert flop(aten.mm.default, x, x, result=x) == 0.0

    def test_each_kind_of_numbers_has_its_arithmetic(self) -> None:
        found = [work(aten.mm.default, (), {}, None, [torch.zeros(1, dtype=dtype)])[3] for dtype in ARITHMETIC]
        assert found == [0, 1, 2, 3]
        assert work(aten.mm.default, (), {}, None, [torch.zeros(1, dtype=torch.int64)])[3] == 0
        assert work(aten.mm.default, (), {}, None, [])[3] == 0


@pytest.mark.parametrize(("dtype", "size"), [(torch.bool, 1), (HALF, 2), (SINGLE, 4), (torch.complex64, 8)])
def test_bytes_are_of_the_elements_and_not_of_the_storage(dtype: torch.dtype, size: int) -> None:
    x = torch.zeros(10, 10, dtype=dtype)
    assert nbytes(x) == 100 * size
    assert nbytes(x[:, :3]) == 30 * size
    assert nbytes(x[0].expand(5, 10)) == 50 * size
