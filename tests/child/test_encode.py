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
    header, payload = encode.call(lambda _audio: output, torch.zeros(1, 10), LIMIT, {})
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
    ("output", "kind", "fields"),
    [
        ((torch.zeros(1, 2, 3), None), "tuple", (("0", "(1, 2, 3)"), ("1", "NoneType"))),
        ({"last_hidden_state": torch.zeros(1, 2, 3)}, "dict", (("last_hidden_state", "(1, 2, 3)"),)),
        (SimpleNamespace(mean=torch.zeros(2)), "SimpleNamespace", (("mean", "(2,)"),)),
        (torch.zeros(3, 2).max(dim=0), "max", (("0", "(2,)"), ("1", "(2,)"))),
        (None, "NoneType", ()),
    ],
)
def test_what_is_no_tensor_is_named(output: object, kind: str, fields: tuple[tuple[str, str], ...]) -> None:
    returned, values = there_and_back(output)
    assert values is None
    assert (returned.kind, returned.fields) == (kind, fields)


def test_a_call_is_made_in_inference_mode_unless_autograd_is_asked_for() -> None:
    layer = torch.nn.Linear(10, 4)
    plain, _ = encode.call(lambda audio: layer(audio)[None], torch.zeros(2, 10), LIMIT, {})
    graded, _ = encode.call(lambda audio: layer(audio)[None], torch.zeros(2, 10), LIMIT, {"grad": True})
    assert (plain["requires_grad"], graded["requires_grad"]) == (False, True)


@pytest.mark.parametrize(
    ("manner", "dtype", "shape"),
    [
        ({}, torch.float32, (2, 10)),
        ({"dtype": "float64"}, torch.float64, (2, 10)),
        ({"dtype": "int16"}, torch.int16, (2, 10)),
        ({"flat": True}, torch.float32, (10,)),
    ],
)
def test_audio_comes_in_the_manner_asked_for(
    manner: dict[str, Any], dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    seen: list[torch.Tensor] = []

    def note(audio: torch.Tensor) -> torch.Tensor:
        seen.append(audio)
        return torch.zeros(1, 1, 1)

    encode.call(note, torch.full((2, 10), 0.5), LIMIT, manner)
    assert (seen[0].dtype, tuple(seen[0].shape)) == (dtype, shape)
    assert seen[0].max() == (16383 if dtype is torch.int16 else 0.5)


def test_the_audio_comes_back_as_the_encoder_left_it() -> None:
    header, payload = encode.call(lambda audio: audio.mul_(2), torch.ones(2, 10), LIMIT, {"back": True})
    _, values = decode(header, memoryview(payload))
    np.testing.assert_array_equal(values, np.full((2, 10), 2.0))


def test_train_puts_the_encoder_into_training_mode() -> None:
    encoder = torch.nn.Dropout(1.0).eval()
    header, payload = encode.call(encoder, torch.ones(1, 4), LIMIT, {"train": True})
    assert not np.any(decode(header, memoryview(payload))[1])


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
