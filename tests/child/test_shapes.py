"""What is assumed of operations whose results depend on values, held to torch's where every element is picked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import _disable_current_modes

from audio_encoder_checker.child import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

aten = torch.ops.aten


@pytest.fixture(autouse=True)
def _mode() -> Iterator[None]:
    with FakeTensorMode(static_shapes=True):
        yield


def mask(*shape: int) -> Tensor:
    return torch.ones(*shape, dtype=torch.bool)


def told(func: Any, *args: Any) -> tuple[Any, str]:
    found = shapes.of(func, args)
    assert found
    return found


class TestPicking:
    @pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4)])
    def test_nonzero_finds_every_element(self, shape: tuple[int, ...]) -> None:
        result, guessed = told(aten.nonzero.default, torch.ones(*shape))
        assert (tuple(result.shape), result.dtype) == ((torch.Size(shape).numel(), len(shape)), torch.int64)
        assert guessed == "nonzero"

    @pytest.mark.parametrize(("data", "picks"), [((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 4))])
    def test_masked_select_takes_every_element(self, data: tuple[int, ...], picks: tuple[int, ...]) -> None:
        result, guessed = told(aten.masked_select.default, torch.ones(data, dtype=torch.float16), mask(*picks))
        assert (tuple(result.shape), result.dtype) == ((12,), torch.float16)
        assert guessed == "masked_select"

    @pytest.mark.parametrize(
        ("indices", "shape"),
        [
            ([(5,)], (5, 2, 3)),
            ([(5, 2)], (10, 3)),
            ([(5, 2, 3)], (30,)),
            ([None, (2, 3)], (5, 6)),
            ([None, None, (3,)], (5, 2, 3)),
        ],
    )
    def test_a_mask_as_index_takes_every_element(self, indices: list[Any], shape: tuple[int, ...]) -> None:
        result, guessed = told(aten.index.Tensor, torch.empty(5, 2, 3), [one and mask(*one) for one in indices])
        assert tuple(result.shape) == shape
        assert guessed == "a mask as index"

    def test_bytes_are_a_mask_too(self) -> None:
        result, guessed = told(aten.index.Tensor, torch.empty(5, 2), [torch.ones(5, dtype=torch.uint8)])
        assert tuple(result.shape) == (5, 2)
        assert guessed

    def test_numbers_as_index_need_no_guess(self) -> None:
        places = torch.zeros(9, dtype=torch.int64)
        assert shapes.of(aten.index.Tensor, (torch.empty(5, 2), [places])) is None
        assert shapes.of(aten.index.Tensor, (torch.empty(5, 2), [None, places])) is None

    def test_all_numbers_are_different(self) -> None:
        (values, places, counts), guessed = told(aten._unique2.default, torch.empty(3, 4))
        assert (tuple(values.shape), values.dtype) == ((12,), torch.float32)
        assert (tuple(places.shape), places.dtype) == ((3, 4), torch.int64)
        assert (tuple(counts.shape), counts.dtype) == ((12,), torch.int64)
        assert guessed == "unique"


class TestPacking:
    @pytest.mark.parametrize(("shape", "first"), [((3, 20, 8), True), ((20, 3, 8), False)])
    def test_clips_are_all_of_full_length(self, shape: tuple[int, ...], first: bool) -> None:
        (data, sizes), guessed = told(
            aten._pack_padded_sequence.default, torch.empty(shape), torch.full((3,), 9), first
        )
        assert tuple(data.shape) == (60, 8)
        assert sizes.tolist() == [3] * 20
        assert guessed == "packed sequences"

    @pytest.mark.parametrize(("first", "shape"), [(True, (3, 20, 8)), (False, (20, 3, 8))])
    def test_and_are_unpacked_so(self, first: bool, shape: tuple[int, ...]) -> None:
        sizes = torch.full((20,), 3)
        (data, lengths), guessed = told(aten._pad_packed_sequence.default, torch.empty(60, 8), sizes, first)
        assert tuple(data.shape) == shape
        assert lengths.tolist() == [20, 20, 20]
        assert guessed == "packed sequences"

    def test_sizes_of_batches_have_values_and_the_data_has_none(self) -> None:
        (data, sizes), _ = told(aten._pack_padded_sequence.default, torch.empty(3, 20, 8), torch.full((3,), 9), True)
        assert isinstance(data, FakeTensor)
        assert not isinstance(sizes, FakeTensor)


LAYERS: dict[str, nn.Module] = {
    "gru": nn.GRU(8, 16, 2, batch_first=True),
    "gru both ways": nn.GRU(8, 16, 2, batch_first=True, bidirectional=True),
    "lstm": nn.LSTM(8, 16, batch_first=True),
    "lstm both ways": nn.LSTM(8, 16, batch_first=True, bidirectional=True),
    "lstm projected": nn.LSTM(8, 16, batch_first=True, proj_size=5),
    "rnn": nn.RNN(8, 16),
}


class TestRecurrent:
    def said(self, name: str, *args: Any) -> list[tuple[int, ...]]:
        func = {"g": aten.gru.input, "l": aten.lstm.input, "r": aten.rnn_tanh.input}[name[0]]
        result, guessed = told(func, *args)
        assert not guessed
        return [tuple(one.shape) for one in result]

    @pytest.mark.filterwarnings("ignore:LSTM with projections")
    @pytest.mark.parametrize("name", LAYERS)
    def test_output_and_states_are_as_torch_makes_them(self, name: str) -> None:
        layer: Any = LAYERS[name]
        ways, layers = 1 + layer.bidirectional, layer.num_layers
        width, data = layer.proj_size or 16, torch.empty(3, 20, 8)
        batch = 3 if layer.batch_first else 20
        states = [torch.empty(ways * layers, batch, size) for size in ((width, 16) if name[0] == "l" else (width,))]
        first = states if name[0] == "l" else states[0]
        found = self.said(
            name, data, first, [], True, layers, 0.0, False, layer.bidirectional, layer.batch_first
        )  # fmt: skip
        assert found == [(3, 20, ways * width), *(tuple(state.shape) for state in states)]
        assert found == _truth(layer, (3, 20, 8))

    def test_packed_data_has_its_steps_and_clips_in_one(self) -> None:
        first = torch.empty(2, 3, 16)
        args: tuple[Any, ...] = (torch.empty(60, 8), torch.full((20,), 3), first, [], True, 1, 0.0, False, True)
        (output, last), _ = told(aten.gru.data, *args)
        assert (tuple(output.shape), tuple(last.shape)) == ((60, 32), (2, 3, 16))

    def test_states_are_no_views_of_the_first_ones(self) -> None:
        first = torch.empty(1, 3, 16)
        (_, last), _ = told(aten.gru.input, torch.empty(3, 20, 8), first, [], True, 1, 0.0, False, False, True)
        assert last.untyped_storage() is not first.untyped_storage()


def _truth(layer: nn.Module, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The same by the layer itself, with real tensors."""
    with _disable_current_modes(), torch.inference_mode():
        output, states = layer(torch.zeros(shape))
    return [tuple(one.shape) for one in (output, *(states if isinstance(states, tuple) else (states,)))]


@pytest.mark.parametrize("func", [aten.add.Tensor, aten.mm.default, aten.unique_consecutive.default])
def test_there_is_no_rule_where_torch_has_one_or_nobody_knows(func: Any) -> None:
    assert shapes.of(func, (torch.empty(2, 2), torch.empty(2, 2))) is None
