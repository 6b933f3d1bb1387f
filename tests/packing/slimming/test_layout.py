"""The header of a safetensors file, against the library's own reader."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load

from audio_encoder_checker.archive.weights.checkpoint import Checkpoint
from audio_encoder_checker.archive.weights.streams import Extent
from audio_encoder_checker.archive.weights.values import StoredNumbers, Tensor
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.slimming import layout as layouts
from audio_encoder_checker.packing.slimming.comparing import UnequalError, compare, stored_bytes
from audio_encoder_checker.packing.slimming.layout import DTYPES, Layout, lay_out

PLACES = Checkpoint(None, {"0": Extent(0, 48)})


def tensor(dtype: str = "float32", width: int = 4, *shape: int, offset: int = 0, numbers: int = 12) -> Tensor:
    stride: list[int] = []
    step = 1
    for length in reversed(shape):
        stride.insert(0, step)
        step *= length
    return Tensor(StoredNumbers("0", dtype, width, numbers), dtype, width, offset, shape, tuple(stride))


def test_wide_numbers_come_first_and_all_are_aligned() -> None:
    names = {
        "b": tensor("bool", 1, 3),
        "w": tensor("float32", 4, 2, 3),
        "a": tensor("float32", 4),
        "n": tensor("int64", 8),
    }
    found = lay_out(names, PLACES, 48)
    assert [(one.name, one.start, one.end) for one in found.placed] == [
        ("n", 0, 8), ("a", 8, 12), ("w", 12, 36), ("b", 36, 39)
    ]  # fmt: skip
    assert len(found.head) % 8 == 0
    assert found.size_bytes == len(found.head) + 39


def test_the_library_reads_what_is_laid_out(tmp_path: object) -> None:
    source = BytesIO(bytes(range(48)))
    names = {
        "ä \U0001f600 \"'": tensor("float32", 4, 2, 3),
        "h": tensor("float16", 2, 5, offset=1),
        "e": tensor("int64", 8, 0),
    }
    found = lay_out(names, PLACES, 48)
    data = found.head + b"".join(b"".join(stored_bytes(one.tensor, PLACES, source)) for one in found.placed)
    read = load(data)
    assert {name: tuple(one.shape) for name, one in read.items()} == {name: one.shape for name, one in names.items()}
    assert read["h"].numpy().tobytes() == bytes(range(2, 12))
    path = f"{tmp_path}/x.safetensors"
    with open(path, "wb") as file:  # noqa: PTH123 - one line
        file.write(data)
    with safe_open(path, "pt") as opened:
        assert opened.metadata() == {"format": "pt"}


@pytest.mark.parametrize("name", DTYPES)
def test_every_number_format_is_the_librarys(name: str) -> None:
    width = torch.empty(0, dtype=getattr(torch, name)).element_size()
    found = lay_out({"x": tensor(name, width, 3)}, PLACES, 48)
    (read,) = load(found.head + bytes(3 * width)).values()
    assert str(read.dtype) == f"torch.{name}"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"x": tensor("complex128", 16, 1)}, "the tensor 'x' is complex128, which safetensors cannot hold"),
        ({"x": tensor("float32", 4, 13)}, "the tensor 'x' reaches beyond its storage"),
        ({"x": tensor("float32", 4, 12, offset=1)}, "reaches beyond its storage"),
        ({"__metadata__": tensor()}, "a tensor of the name '__metadata__'"),
        ({"\ud800": tensor()}, "a tensor of the name '\\ud800'"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(names: dict[str, Tensor], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        lay_out(names, PLACES, 48)
    assert message in str(caught.value)
    assert caught.value.hint


def test_a_tensor_whose_storage_is_missing_is_refused() -> None:
    with pytest.raises(UsageError, match="beyond its storage"):
        lay_out({"x": tensor("float32", 4, 1)}, Checkpoint(None, {}), 48)


def test_a_view_that_blows_up_is_refused() -> None:
    blown = Tensor(StoredNumbers("0", "float32", 4, 12), "float32", 4, 0, (1 << 40,), (0,))
    with pytest.raises(UsageError, match=r"would take 4,398 GB, the checkpoint has 48 bytes"):
        lay_out({"x": blown}, PLACES, 48)


def test_a_header_that_no_checker_would_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "MAX_HEADER_BYTES", 1000)
    with pytest.raises(UsageError, match="20 tensors are more than"):
        lay_out({str(number): tensor() for number in range(20)}, PLACES, 48)


class TestComparing:
    source = BytesIO(bytes(range(48)))
    layout = lay_out({"w": tensor("float32", 4, 2, 3), "b": tensor("int64", 8, 2, offset=1)}, PLACES, 48)

    def written(self) -> bytearray:
        data = bytearray(self.layout.head)
        for one in self.layout.placed:
            data += b"".join(stored_bytes(one.tensor, PLACES, self.source))
        return data

    def test_what_is_equal_passes(self) -> None:
        compare(self.layout, PLACES, self.source, BytesIO(self.written()))

    def test_every_single_byte_counts(self) -> None:
        good = self.written()
        for place in range(len(good)):
            bad = bytearray(good)
            bad[place] ^= 1
            with pytest.raises(UnequalError):
                compare(self.layout, PLACES, self.source, BytesIO(bad))

    @pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b""])
    def test_so_does_the_length(self, change: object) -> None:
        assert callable(change)
        with pytest.raises(UnequalError):
            compare(self.layout, PLACES, self.source, BytesIO(change(self.written())))

    def test_other_tensors_in_a_whole_file_are_seen(self) -> None:
        header = json.loads(self.layout.head[8:])
        header["w"]["shape"] = [3, 2]
        text = json.dumps(header, separators=(",", ":")).encode()
        other = Layout(len(text).to_bytes(8, "little") + text, self.layout.placed)
        assert len(other.head) <= len(self.layout.head)
        data = self.layout.head[:8] + text.ljust(len(self.layout.head) - 8) + self.written()[len(self.layout.head) :]
        with pytest.raises(UnequalError, match="lists other tensors"):
            compare(self.layout, PLACES, self.source, BytesIO(data))

    def test_a_checkpoint_that_became_shorter_is_seen(self) -> None:
        with pytest.raises(UnequalError, match="became shorter"):
            compare(self.layout, PLACES, BytesIO(bytes(range(20))), BytesIO(self.written()))
