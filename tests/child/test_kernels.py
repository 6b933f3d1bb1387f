"""What CUDA's kernels take beside their results on compute capability 7.5, and what they compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from audio_encoder_checker.child.kernels import EFFICIENT, MATH, attention_backend, attention_bytes, temporaries, work
from audio_encoder_checker.child.truth import observed

aten = torch.ops.aten


def heads(width: int = 64, frames: int = 100, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(2, 4, frames, width, dtype=dtype)


class TestAttention:
    @pytest.mark.parametrize(
        ("query", "backend"),
        [
            (heads(), EFFICIENT),
            (heads(50), EFFICIENT),
            (heads(dtype=torch.float16), EFFICIENT),
            (heads(50, dtype=torch.float16), MATH),
            (heads(dtype=torch.bfloat16), MATH),
            (heads(dtype=torch.float64), MATH),
            (heads()[0], MATH),
            (heads(100, 64).transpose(-1, -2), MATH),
        ],
    )
    def test_the_fast_kernel_is_taken_where_a_t4_has_one(self, query: torch.Tensor, backend: str) -> None:
        assert attention_backend(query, query, query) == backend

    def test_values_of_another_width_are_multiplied_by_the_slow_one_only_if_they_have_to(self) -> None:
        assert attention_backend(heads(64), heads(64), heads(32)) == EFFICIENT
        assert attention_backend(heads(64), heads(32), heads(64)) == MATH

    def test_the_fast_kernel_takes_nothing(self) -> None:
        assert attention_bytes([heads()] * 3, {}) == 0

    def test_the_slow_one_holds_the_scores_twice_and_which_are_minus_infinity(self) -> None:
        scores, argument = 2 * 4 * 100 * 100, 2 * 4 * 100 * 64
        assert attention_bytes([heads(dtype=torch.bfloat16)] * 3, {}) == 9 * scores + (4 * 4 - 2) * argument
        assert attention_bytes([heads(dtype=torch.float64)] * 3, {}) == 17 * scores

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
    @pytest.mark.parametrize("causal", [False, True])
    def test_it_is_what_torch_s_own_takes(self, dtype: torch.dtype, causal: bool) -> None:
        query = heads(64, 300, dtype)
        with torch.inference_mode(), observed() as seen:
            result = aten._scaled_dot_product_attention_math(query, query, query, None, 0.0, causal)
        strange = [query.transpose(-1, -2).contiguous().transpose(-1, -2)] * 3  # so that no fast kernel takes them
        forecast = attention_bytes([*strange, None, 0.0, causal], {})
        assert forecast + result[0].nbytes == pytest.approx(seen.peak(())[0], rel=0.01)

    def test_fewer_heads_of_keys_are_repeated(self) -> None:
        query, key = heads(), torch.empty(2, 1, 100, 64)
        assert attention_backend(query, key, key) == MATH
        scores = 2 * 4 * 100 * 100
        assert attention_bytes([query, key, key], {"enable_gqa": True}) == 9 * scores + 2 * query.nbytes

    def test_a_mask_is_made_numbers_and_padded_to_sixteen(self) -> None:
        numbers = torch.empty(2, 1, 100, 100)
        padded = 2 * 100 * 112 * 4
        assert attention_bytes([heads()] * 3, {"attn_mask": numbers}) == padded
        assert attention_bytes([heads(), heads(), heads(), numbers > 0], {}) == padded + 2 * 100 * 100 * 4
        assert attention_bytes([heads(frames=96)] * 3, {"attn_mask": torch.empty(1, 1, 96, 96)}) == 0


class TestTemporaries:
    def taken(self, func: Any, *args: Any, **kwargs: Any) -> tuple[int, int]:
        return temporaries(func, args, kwargs)

    def test_some_kernels_begin_with_a_copy_in_order(self) -> None:
        x = torch.empty(4, 8, 16)
        norm = aten.native_layer_norm.default
        assert self.taken(norm, x, [16], None, None, 1e-5) == (0, 0)
        assert self.taken(norm, x.transpose(0, 1), [16], None, None, 1e-5) == (4 * 8 * 16 * 4, 0)
        assert self.taken(aten.add.Tensor, x.transpose(0, 1), 1) == (0, 0)

    def test_images_with_channels_last_are_in_order(self) -> None:
        x = torch.empty(2, 3, 8, 8).to(memory_format=torch.channels_last)
        assert self.taken(aten.convolution.default, x) == (0, 0)
        assert self.taken(aten.convolution.default, x[:, :, ::2]) == (2 * 3 * 4 * 8 * 4, 0)

    def test_products_copy_what_has_neither_rows_nor_columns_in_order(self) -> None:
        x = torch.empty(6, 8)
        assert self.taken(aten.mm.default, x, x.t()) == (0, 0)
        assert self.taken(aten.mm.default, torch.empty(6, 16)[:, ::2], x.t()) == (6 * 8 * 4, 0)
        assert self.taken(aten.addmm.default, torch.empty(6), torch.empty(6, 16)[:, ::2], x.t()) == (6 * 8 * 4, 0)

    def test_the_magnitude_of_complex_numbers_is_complex_first(self) -> None:
        assert self.taken(aten.abs.default, torch.empty(10, dtype=torch.complex64)) == (80, 0)
        assert self.taken(aten.abs.default, torch.empty(10)) == (0, 0)

    def test_sorting_and_fourier_transforms_perhaps_take_buffers(self) -> None:
        assert self.taken(aten.sort.default, torch.empty(100)) == (0, 800)
        assert self.taken(aten._fft_r2c.default, torch.empty(4, 100), [1], 0, True) == (0, 1600)

    def test_autocasting_perhaps_widens_norms_and_softmax(self) -> None:
        x = torch.empty(4, 16, dtype=torch.float16)
        with torch.autocast("cpu", torch.float16):
            assert self.taken(aten._softmax.default, x, -1, False) == (0, 4 * 4 * 16 * 2)
            assert self.taken(aten._softmax.default, x.float(), -1, False) == (0, 0)
        assert self.taken(aten._softmax.default, x, -1, False) == (0, 0)

    def test_a_recurrent_layer_takes_the_gates_of_all_steps(self) -> None:
        gru = torch.nn.GRU(8, 16, bidirectional=True)
        x, first = torch.empty(20, 3, 8), torch.empty(2, 3, 16)
        found = self.taken(aten.gru.input, x, first, list(gru.parameters()), True, 1, 0.0, False, True, False)
        assert found == (2 * 20 * 3 * 48 * 4,) * 2


class TestWork:
    def done(self, func: Any, *args: Any, result: torch.Tensor) -> tuple[float, float, float, int]:
        tensors = [one for one in args if isinstance(one, torch.Tensor)]
        return work(func, args, {}, result, [*tensors, result])

    def test_a_product(self) -> None:
        a, b = torch.empty(10, 20), torch.empty(20, 30)
        found = self.done(aten.mm.default, a, b, result=torch.empty(10, 30))
        assert found == (2 * 10 * 20 * 30, 4 * (200 + 600 + 300), 1, 0)

    def test_the_arithmetic_is_the_first_argument_s(self) -> None:
        for kind, dtype in enumerate((torch.float32, torch.float16, torch.bfloat16, torch.float64)):
            x = torch.empty(4, 4, dtype=dtype)
            assert self.done(aten.mm.default, x, x, result=x)[3] == kind

    def test_a_convolution(self) -> None:
        x, weight = torch.empty(2, 3, 100), torch.empty(5, 3, 7)
        args = (x, weight, None, [1], [0], [1], False, [0], 1)
        assert self.done(aten.convolution.default, *args, result=torch.empty(2, 5, 94))[0] == 2 * 2 * 5 * 94 * 3 * 7

    def test_attention_multiplies_twice(self) -> None:
        q = heads()
        found = self.done(aten.scaled_dot_product_attention.default, q, q, q, result=q)
        assert found[0] == 2 * 2 * 4 * 100 * 100 * (64 + 64)

    def test_steps_of_a_recurrent_layer_are_counted(self) -> None:
        lstm = torch.nn.LSTM(8, 16, num_layers=2)
        x = torch.empty(50, 3, 8)
        first = [torch.empty(2, 3, 16)] * 2
        args = (x, first, list(lstm.parameters()), True, 2, 0.0, False, False, False)
        flop, _, steps, _ = work(aten.lstm.input, args, {}, x, [x])
        assert flop == 2 * 150 * sum(w.numel() for w in lstm.parameters() if w.ndim == 2)
        assert steps == 50 * 2

    def test_what_the_counter_does_not_know_costs_its_memory(self) -> None:
        x = torch.empty(1000)
        assert self.done(aten.tanh.default, x, result=x) == (0, 8000, 1, 0)
