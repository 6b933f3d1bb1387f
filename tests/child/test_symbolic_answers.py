"""What symbolic tensors are made to say: of values that they do not have, and of the device that they are on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from audio_encoder_checker.child.symbolic import LOUDNESS, StandIns, devices_told_by, stand_in

if TYPE_CHECKING:
    from collections.abc import Callable


def asked(ask: Callable[[Tensor], Any]) -> tuple[Any, set[str]]:
    """What a symbolic tensor of twelve numbers says, and which functions wanted data."""
    with FakeTensorMode(static_shapes=True), StandIns() as stand_ins:
        return ask(torch.empty(3, 4)), stand_ins.asked


class TestValues:
    @pytest.mark.parametrize(
        ("name", "ask", "kind"),
        [
            ("item", lambda x: x.sum().item(), float),
            ("__float__", lambda x: float(x.sum()), float),
            ("__int__", lambda x: int(x.sum()), int),
            ("__bool__", lambda x: bool(x.sum() > 0), bool),
            ("__index__", lambda x: [7].index(7, x.long().sum()), int),
            ("__contains__", lambda x: 3.0 in x, bool),
            ("tolist", torch.Tensor.tolist, list),
            ("numpy", lambda x: x.numpy(), np.ndarray),
            ("numpy", lambda x: np.asarray(x), np.ndarray),  # noqa: PLW0108 - is called inside
        ],
    )
    def test_who_asks_for_them_is_answered_and_told(self, name: str, ask: Callable[[Tensor], Any], kind: type) -> None:
        answer, wanted = asked(ask)
        assert isinstance(answer, kind)
        assert name in wanted

    def test_all_of_them_have_the_tensor_s_shape(self) -> None:
        assert asked(lambda x: x.numpy())[0].shape == (3, 4)
        assert np.shape(asked(torch.Tensor.tolist)[0]) == (3, 4)

    def test_they_are_printed(self) -> None:
        answer, wanted = asked(lambda x: f"{x.sum():.3f}")
        assert float(answer) == pytest.approx(0, abs=5 * LOUDNESS)
        assert wanted == {"item"}

    @pytest.mark.parametrize("compare", [torch.equal, torch.allclose])
    def test_two_tensors_are_the_same(self, compare: Callable[..., bool]) -> None:
        answer, wanted = asked(lambda x: compare(x, x + 1))
        assert answer is True
        assert wanted == {compare.__name__}

    def test_what_torch_kept_is_not_made_up(self) -> None:
        assert asked(lambda _: torch.tensor([3]).numpy())[0].tolist() == [3]
        assert asked(lambda _: torch.tensor(4.5).item())[0] == 4.5

    def test_nobody_who_asks_for_shapes_is_told(self) -> None:
        answer, wanted = asked(lambda x: (x.shape, x.dim(), len(x), (x * 2).dtype))
        assert answer == ((3, 4), 2, 3, torch.float32)
        assert wanted == set()

    def test_an_error_of_other_functions_stays_one(self) -> None:
        with pytest.raises(RuntimeError):
            asked(lambda x: x @ x)

    def test_real_tensors_answer_for_themselves(self) -> None:
        with StandIns() as stand_ins:
            assert torch.tensor([5.0]).item() == 5
            assert not torch.equal(torch.zeros(2), torch.ones(2))
            assert torch.tensor([1, 2]).tolist() == [1, 2]
        assert stand_ins.asked == set()


class TestStandIn:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
    def test_of_audio_is_noise_as_loud_as_speech(self, dtype: torch.dtype) -> None:
        with FakeTensorMode():
            asked_of = torch.empty(100, 100, dtype=dtype)
            found = stand_in(asked_of)
        assert not isinstance(found, FakeTensor)
        assert (tuple(found.shape), found.dtype) == ((100, 100), dtype)
        assert found.float().std().item() == pytest.approx(LOUDNESS, rel=0.1)

    @pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
    def test_of_anything_else_is_nothing(self, dtype: torch.dtype) -> None:
        with FakeTensorMode():
            found = stand_in(torch.empty(3, dtype=dtype))
        assert found.dtype is dtype
        assert not found.any()


class TestDevices:
    def test_a_symbol_says_what_it_is_told_to(self) -> None:
        with FakeTensorMode():
            one, other = torch.empty(1), torch.empty(2)
            card = torch.device("cuda", 0)
            with devices_told_by(lambda tensor: card if len(tensor) == 1 else torch.device("cpu")):
                assert (one.device, other.device) == (card, torch.device("cpu"))

    def test_it_says_its_own_where_nobody_tells(self) -> None:
        with FakeTensorMode():
            one = torch.empty(1)
            with devices_told_by(lambda _: None):
                assert one.device == torch.device("cpu")

    def test_torch_can_still_compute_with_it(self) -> None:
        with FakeTensorMode(), devices_told_by(lambda _: None):
            assert tuple((torch.empty(3, 4) @ torch.empty(4, 5)).shape) == (3, 5)

    def test_real_tensors_are_left_alone(self) -> None:
        with devices_told_by(lambda _: torch.device("cuda", 0)):
            assert torch.zeros(1).device == torch.device("cpu")

    def test_it_is_over_afterwards_even_after_an_error(self) -> None:
        before = (FakeTensor.device, FakeTensor.tolist)
        told = devices_told_by(lambda _: None)
        with told:
            assert (FakeTensor.device, FakeTensor.tolist) != before
        assert (FakeTensor.device, FakeTensor.tolist) == before
        with pytest.raises(ZeroDivisionError), devices_told_by(lambda _: None):
            raise ZeroDivisionError
        assert (FakeTensor.device, FakeTensor.tolist) == before
