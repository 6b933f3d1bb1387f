"""Which part of a checkpoint is taken for the model."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
import torch

from audio_encoder_checker.archive.weights.checkpoint import Checkpoint, read_checkpoint
from audio_encoder_checker.archive.weights.streams import Budget
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.slimming.states import State, choose_state

W = {"w": torch.ones(4), "b": torch.zeros(2)}


def checkpoint(value: object) -> Checkpoint:
    file = BytesIO()
    torch.save(value, file)
    return read_checkpoint(file, Budget())


def chosen(value: object, key: str = "") -> State:
    return choose_state(checkpoint(value), key)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (W, ()),
        ({"state_dict": W, "epoch": 1}, ("state_dict",)),
        ({"model_state_dict": W, "model": "base", "encoder": {}}, ("model_state_dict",)),
        ({"module": W}, ("module",)),
        ({**W, "module": 3}, ()),
    ],
)
def test_the_only_usual_place_is_taken_else_the_top(value: dict[str, Any], path: tuple[str, ...]) -> None:
    found = chosen(value)
    assert (found.path, list(found.tensors)) == (path, ["w", "b"])


@pytest.mark.parametrize(
    ("value", "key", "path"),
    [
        ({"student": W, "teacher": W}, "teacher", ("teacher",)),
        ({"model": {"net": W}}, "model.net", ("model", "net")),
        ({"a.b": W, "a": {"b": {"x": torch.ones(1)}}}, "a.b", ("a.b",)),
    ],
)
def test_a_key_leads_to_any_other_place(value: object, key: str, path: tuple[str, ...]) -> None:
    found = chosen(value, key)
    assert (found.path, list(found.tensors)) == (path, ["w", "b"])


def refused(value: object, key: str = "") -> UsageError:
    with pytest.raises(UsageError) as caught:
        chosen(value, key)
    return caught.value


def test_several_places_are_named_with_their_sizes() -> None:
    error = refused({"model": W, "encoder": {"w": torch.ones(100)}, "state_dict": 3})
    assert str(error) == "several parts of the checkpoint may be the model: model (24 bytes), encoder (400 bytes)"
    assert error.hint == "choose with --key, such as `--key model`"


@pytest.mark.parametrize(
    ("value", "key", "message", "hint"),
    [
        ({"epoch": 1}, "", "there are no tensors in the checkpoint itself", "name the file that holds the weights"),
        ([W], "", "there are no tensors in the checkpoint itself", "name the file"),
        ({"student": W}, "", "there are no tensors in the checkpoint itself", "`--key student`"),
        ({"model": {"net": W}}, "", "there are no tensors in the checkpoint itself", "`--key model.net`"),
        ({"model": W}, "mdoel", "no dictionary at 'mdoel'", "`--key model`"),
        ({"model": W}, "model.w", "no dictionary at 'model.w'", "`--key model`"),
        ({"model": {"net": W}}, "model", "there are no tensors in 'model'", "`--key model.net`"),
        ({"model": {**W, "s": torch.eye(3).to_sparse()}}, "", "'s' in 'model' is no plain tensor", "torch.save"),
        ({"model": {**W, "deeper": W}}, "", "'deeper' in 'model' is no plain tensor", "torch.save"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_way_out(value: object, key: str, message: str, hint: str) -> None:
    error = refused(value, key)
    assert message in str(error)
    assert hint in error.hint


def test_what_is_left_out_is_told_with_the_bytes_of_its_own() -> None:
    shared = torch.ones(50)
    found = chosen(
        {
            "optimizer": {"state": {0: {"exp_avg": torch.ones(100)}}},
            "epoch": 3,
            "ema": {"w": shared, "more": torch.ones(10)},
            "model": {"w": shared, "extra_state": "x"},
        }
    )
    assert found.left_out == (("optimizer", 400), ("ema", 40), ("epoch", 0), ("model.extra_state", 0))


def test_beside_a_deeper_path_everything_above_is_left_out() -> None:
    found = chosen({"model": {"net": W, "head": {"w": torch.ones(5)}}, "epoch": 1}, "model.net")
    assert found.left_out == (("model.head", 20), ("epoch", 0))
