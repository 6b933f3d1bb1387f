"""What the encoder returns leaves the box as a header and raw bytes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from audio_encoder_checker.child import encode
from audio_encoder_checker.stages.asking import decode

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.contract import Returned

LIMIT = 1 << 20


def there_and_back(output: object) -> tuple[Returned, Any]:
    header, payload = encode.call(lambda _audio: output, torch.zeros(1, 10), LIMIT)
    return decode(header, memoryview(payload))


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.float16, torch.int64, torch.complex64, torch.bool]
)
def test_values_arrive_bit_for_bit(dtype: torch.dtype) -> None:
    tensor = (torch.randn(2, 3, 4) * 9).to(dtype)
    returned, values = there_and_back(tensor)
    assert returned.shape == (2, 3, 4)
    np.testing.assert_array_equal(values, tensor.numpy())


def test_bfloat16_is_read_although_numpy_refuses_it() -> None:
    tensor = torch.tensor([[[1.5, float("nan"), -2.0]]], dtype=torch.bfloat16)
    returned, values = there_and_back(tensor)
    assert "BFloat16" in returned.numpy_error
    assert returned.nonfinite == 1
    np.testing.assert_array_equal(values, tensor.float().numpy())


def test_strides_gradients_and_subclasses_do_not_matter() -> None:
    tensor = torch.nn.Parameter(torch.arange(24.0).reshape(2, 3, 4)).transpose(1, 2)
    np.testing.assert_array_equal(there_and_back(tensor)[1], tensor.detach().numpy())


def test_zero_frames_are_a_shape() -> None:
    returned, values = there_and_back(torch.zeros(2, 0, 8))
    assert returned.shape == (2, 0, 8)
    assert values.size == 0


@pytest.mark.parametrize(
    ("output", "kind", "contains"),
    [
        ((torch.zeros(1, 2, 3), None), "tuple", "0: (1, 2, 3), 1: NoneType"),
        ({"last_hidden_state": torch.zeros(1, 2, 3)}, "dict", "last_hidden_state: (1, 2, 3)"),
        (SimpleNamespace(), "SimpleNamespace", ""),
        (None, "NoneType", ""),
    ],
)
def test_what_is_no_tensor_is_named(output: object, kind: str, contains: str) -> None:
    returned, values = there_and_back(output)
    assert values is None
    assert (returned.kind, returned.contains) == (kind, contains)


def test_an_expanded_tensor_larger_than_allowed_does_not_leave_the_box() -> None:
    returned, values = there_and_back(torch.zeros(1, 1, 1).expand(1, 10_000, 1000))
    assert values is None
    assert "40000000 bytes" in returned.numpy_error


def test_a_sparse_tensor_is_refused_as_x_ares_would() -> None:
    returned, values = there_and_back(torch.eye(3).to_sparse())
    assert values is None
    assert returned.numpy_error


@pytest.mark.parametrize(
    "header",
    [
        {"kind": "tensor", "shape": [2, 3], "dtype": "float32"},
        {"kind": "tensor", "shape": [-1, 3], "dtype": "float32"},
        {"kind": "tensor", "shape": "2", "dtype": "float32"},
        {"kind": "tensor", "dtype": "float32"},
        {},
    ],
)
def test_a_header_that_lies_about_its_bytes_is_caught(header: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        decode(header, memoryview(bytearray(8)))
