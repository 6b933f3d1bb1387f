"""torch's checkpoints read without torch, against what torch itself reads."""

from __future__ import annotations

import struct
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_encoder_checker.archive.weights.checkpoint import Checkpoint, NoCheckpointError, read_checkpoint
from audio_encoder_checker.archive.weights.streams import Budget
from audio_encoder_checker.archive.weights.values import Table, Tensor, storages_below, tensors_below
from audio_encoder_checker.packing.slimming.comparing import stored_bytes
from tests.builders import make_zip
from tests.weights import GOOD_LEGACY, GOOD_ZIP, PROTO2, STOP, plain, state_dict, tensor, torch_legacy, torch_zip

BASE = torch.arange(24.0).reshape(4, 6)
TENSORS = {
    "plain": BASE,
    "again": BASE,
    "transposed": BASE.T,
    "strided": BASE[1:, ::2],
    "expanded": torch.ones(1).expand(5, 3),
    "permuted": torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1),
    "row": BASE[2],
    "half": torch.randn(3).half(),
    "bfloat": torch.randn(3).bfloat16(),
    "double": torch.randn(3).double(),
    "long": torch.tensor([1, -2]),
    "flags": torch.tensor([True, False]),
    "bytes": torch.tensor([1, 255], dtype=torch.uint8),
    "complex": torch.randn(2, dtype=torch.complex64),
    "empty": torch.zeros(0, 3),
    "scalar": torch.tensor(7.0),
    "parameter": torch.nn.Parameter(torch.ones(2)),
}
NEW = {"float8": torch.randn(4).to(torch.float8_e4m3fn), "uint16": torch.arange(4).to(torch.uint16)}
FORMS: list[dict[str, Any]] = [{}, {"pickle_protocol": 4}, {"_use_new_zipfile_serialization": False}]


def saved(value: object, **manner: Any) -> BytesIO:
    file = BytesIO()
    torch.save(value, file, **manner)
    return file


def read(data: bytes) -> Checkpoint:
    return read_checkpoint(BytesIO(data), Budget())


def top(checkpoint: Checkpoint) -> dict[str, object]:
    assert isinstance(checkpoint.tree, Table)
    return checkpoint.tree.items()


@pytest.mark.parametrize("form", FORMS, ids=["zip", "protocol 4", "legacy"])
def test_every_tensor_has_the_values_that_torch_reads(form: dict[str, Any]) -> None:
    tensors = TENSORS | ({} if "_use_new_zipfile_serialization" in form else NEW)
    file = saved({"model": tensors, "epoch": 3}, **form)
    checkpoint = read_checkpoint(file, Budget())
    assert top(checkpoint)["epoch"] == 3
    table = top(checkpoint)["model"]
    assert isinstance(table, Table)
    assert list(table.items()) == list(tensors)
    for name, one in table.items().items():
        expected = tensors[name].detach()
        assert isinstance(one, Tensor), name
        assert (one.dtype, one.shape, one.stride) == (
            str(expected.dtype).removeprefix("torch."), tuple(expected.shape), tuple(expected.stride())
        )  # fmt: skip
        raw = expected.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        assert b"".join(stored_bytes(one, checkpoint, file)) == raw, name
        assert one.contiguous == expected.is_contiguous(), name
        assert one.reach <= checkpoint.size_of(one.storage)


@pytest.mark.parametrize("form", FORMS, ids=["zip", "protocol 4", "legacy"])
def test_a_training_checkpoint_is_a_tree_of_plain_values(form: dict[str, Any]) -> None:
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    found = read_checkpoint(
        saved(
            {"state_dict": model.state_dict(), "optimizer": optimizer.state_dict(), "args": ["a", ("b", None)]}, **form
        ),
        Budget(),
    )
    parts = top(found)
    sizes = {key: sum(map(found.size_of, storages_below(value).values())) for key, value in parts.items()}
    assert sizes == {"state_dict": 40, "optimizer": 2 * 40 + 2 * 4, "args": 0}
    assert parts["args"] == ["a", ("b", None)]
    assert len(list(tensors_below(parts["optimizer"]))) == 6


def test_sparse_tensors_and_whole_models_are_objects_whose_storages_are_known() -> None:
    sparse = torch.eye(3).to_sparse()
    found = read_checkpoint(saved({"s": sparse, "m": torch.nn.Linear(4, 2)}), Budget())
    parts = top(found)
    assert sum(map(found.size_of, storages_below(parts["s"]).values())) == 3 * 4 + 6 * 8
    assert sum(map(found.size_of, storages_below(parts["m"]).values())) == 40


@pytest.mark.parametrize("data", [GOOD_ZIP, GOOD_LEGACY])
def test_hand_made_ones_are_read(data: bytes) -> None:
    assert next(iter(top(read(data)))) == "a"


PICKLE = plain(state_dict(tensor("0", 3)))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "breaks off"),
        (b"no checkpoint", "is no opcode"),
        (PICKLE, "does not begin as a checkpoint"),
        (GOOD_ZIP[:-10], "damaged or ambiguous"),
        (make_zip({"a/data.pkl": PICKLE, "b/data.pkl": PICKLE}, compress=False), "the ZIP has 2"),
        (make_zip({"a": b"b"}, compress=False), "the ZIP has 0"),
        (make_zip({"m/data.pkl": PICKLE * 50}, compress=True), "packed, and torch stores"),
        (torch_zip(PICKLE, {"0": bytes(12)}, m__constants_dot_pkl=PICKLE), "TorchScript"),
        (torch_zip(PICKLE[:-1], {"0": bytes(12)}), "breaks off"),
        (GOOD_LEGACY[:-1], "not as long as its tensors say"),
        (GOOD_LEGACY[:-13], "cut off"),
        (torch_legacy(PICKLE, b"]X\1\0\0\x001a"), "not that of its tensors"),
        (torch_legacy(PICKLE, b"K\1"), "not listed"),
        (torch_legacy(PICKLE, b"]X\1\0\0\x000a", struct.pack("<q", 4) + bytes(16)), "not as long as its tensors say"),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_says_why(data: bytes, why: str) -> None:
    with pytest.raises(NoCheckpointError, match=why):
        read(data)


def test_numbers_in_the_order_of_another_machine_are_not_read() -> None:
    data = make_zip({"m/data.pkl": PICKLE, "m/byteorder": "big", "m/data/0": bytes(12)}, compress=False)
    with pytest.raises(NoCheckpointError, match="order of another machine"):
        read(data)
    legacy = GOOD_LEGACY.replace(PROTO2 + b"}" + STOP, PROTO2 + b"}X\r\0\0\0little_endian\x89s" + STOP, 1)
    with pytest.raises(NoCheckpointError, match="order of another machine"):
        read(legacy)


def test_a_storage_that_is_missing_has_no_size() -> None:
    found = read(torch_zip(PICKLE, {}))
    (one,) = tensors_below(found.tree)
    assert found.size_of(one.storage) == 0


@settings(max_examples=300)
@given(st.sampled_from([GOOD_ZIP, GOOD_LEGACY]), st.data())
def test_no_change_of_a_good_one_does_anything_else(good: bytes, data: st.DataObject) -> None:
    changed = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with suppress(NoCheckpointError):
        storages_below(read(bytes(changed)).tree)
