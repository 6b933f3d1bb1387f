"""Checkpoints become safetensors files, in a real box; what cannot be converted is refused before one starts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zipfile import ZipFile

import pytest
import torch
from safetensors.torch import load_file, save_file

from audio_encoder_checker.archive.weights.values import StoredNumbers, Tensor
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.run import Ending, Outcome, Raised
from audio_encoder_checker.packing.slimming.asking import PIECE_BYTES, Torch
from audio_encoder_checker.packing.slimming.converting import Converted, Copied, convert_checkpoint
from audio_encoder_checker.packing.slimming.telling import converted_lines
from audio_encoder_checker.sandbox.ask import Answer
from tests.builders import make_zip
from tests.sandbox.test_boxes import BOXES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audio_encoder_checker.sandbox.ask import Session

BASE = torch.arange(24.0).reshape(4, 6)
MODEL = {
    "transposed": BASE.T,
    "tied": BASE,
    "strided": BASE[1:, ::2],
    "expanded": torch.ones(1).expand(5, 3),
    "half": torch.randn(7).half(),
    "bfloat": torch.randn(7).bfloat16(),
    "long": torch.tensor(3),
    "flags": torch.tensor([True, False, True]),
    "double": torch.randn(3).double(),
    "empty": torch.zeros(0, 3),
    "parameter": torch.nn.Parameter(torch.randn(2, 2)),
    "ä.weight": torch.randn(3),
}
CHECKPOINT = {"state_dict": MODEL, "optimizer": {"exp_avg": torch.ones(1000)}, "epoch": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "submission"
    made.mkdir()
    return made


def convert(folder: Path, name: str = "c.pt", **options: Any) -> Converted:
    return convert_checkpoint(folder / name, folder / "new.safetensors", trust=True, **options)


@pytest.mark.box
@pytest.mark.parametrize("tier", BOXES)
def test_every_tensor_is_what_torch_saved(folder: Path, tier: str) -> None:
    torch.save(CHECKPOINT, folder / "c.pt")
    done = convert(folder, box=tier)
    read = load_file(folder / "new.safetensors")
    assert read.keys() == MODEL.keys()
    for name, expected in MODEL.items():
        assert (read[name].dtype, read[name].shape) == (expected.dtype, expected.shape), name
        assert torch.equal(read[name], expected), name
    assert sorted(path.name for path in folder.iterdir()) == ["c.pt", "new.safetensors"]
    assert (done.tensors, done.path, done.box) == (12, ("state_dict",), tier)
    assert done.left_out == (("optimizer", 4000), ("epoch", 0))
    assert done.copied == (
        Copied(("transposed", "tied", "strided"), 96 + 36),
        Copied(("expanded",), 56),
    )
    assert (done.before_bytes, done.after_bytes) == tuple(
        (folder / name).stat().st_size for name in ("c.pt", "new.safetensors")
    )


@pytest.mark.box
def test_the_old_format_and_large_tensors_are_converted(folder: Path) -> None:
    model = {"large": torch.randn(PIECE_BYTES // 4 + 5), "small": torch.randn(3)}
    torch.save(model, folder / "c.pt", _use_new_zipfile_serialization=False)
    convert(folder)
    read = load_file(folder / "new.safetensors")
    assert all(torch.equal(read[name], model[name]) for name in model)


@pytest.mark.box
def test_a_result_that_differs_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Torch.bytes_of

    def lying(self: Torch, name: str, tensor: Tensor) -> Iterable[bytes | memoryview]:
        return [bytes(tensor.size_bytes)] if name == "half" else honest(self, name, tensor)

    torch.save(CHECKPOINT, folder / "c.pt")
    monkeypatch.setattr(Torch, "bytes_of", lying)
    with pytest.raises(UsageError, match="nothing was written: the tensor 'half' has other values"):
        convert(folder)
    assert [path.name for path in folder.iterdir()] == ["c.pt"]


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("it ran",))


def refused(folder: Path, name: str = "c.pt", **options: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        convert(folder, name, **options)
    assert not list(folder.glob("*.safetensors*"))
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"state_dict": {"w": torch.ones(2)}, "x": Bomb()}, "needs weights_only=False.*it holds __builtin__.print"),
        (torch.nn.Linear(2, 2), "needs weights_only=False.*torch.nn.modules.linear.Linear"),
        ({"path": Path("/")}, "needs weights_only=False.*pathlib"),
        ({"epoch": 3}, "there are no tensors"),
        ({"model": {"w": torch.ones(2)}, "encoder": {"w": torch.ones(2)}}, "several parts"),
        ({"w": torch.ones(2, dtype=torch.complex128)}, "complex128"),
    ],
)
def test_what_cannot_be_converted_is_refused(folder: Path, value: object, message: str) -> None:
    torch.save(value, folder / "c.pt")
    assert re.search(message, str(refused(folder)))


def test_a_file_of_another_kind_is_refused(folder: Path) -> None:
    (folder / "text.pt").write_text("hello, this is no checkpoint\n" * 20)
    assert "no whole checkpoint: this is a text file" in str(refused(folder, "text.pt"))
    torch.save(CHECKPOINT, folder / "c.pt")
    (folder / "cut.pt").write_bytes((folder / "c.pt").read_bytes()[:-2000])
    assert "'cut.pt' is no whole checkpoint" in str(refused(folder, "cut.pt"))
    assert "there is no file" in str(refused(folder, "gone.pt"))
    assert "there is no file" in str(refused(folder, "."))


def test_what_is_converted_already_is_refused(folder: Path) -> None:
    save_file({"w": torch.ones(2)}, folder / "old.st")
    assert "is a safetensors file already" in str(refused(folder, "old.st"))


def test_numbers_of_another_machine_are_not_compared_and_so_not_converted(folder: Path) -> None:
    torch.save(MODEL, folder / "c.pt")
    with ZipFile(folder / "c.pt") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    order = next(name for name in members if name.endswith("byteorder"))
    (folder / "big.pt").write_bytes(make_zip({**members, order: b"big"}, compress=False))
    assert "not converted, because the result could not be compared" in str(refused(folder, "big.pt"))


def test_an_existing_file_is_not_written_over(folder: Path) -> None:
    torch.save(CHECKPOINT, folder / "c.pt")
    (folder / "new.safetensors").write_bytes(b"precious")
    with pytest.raises(UsageError, match="is there already"):
        convert(folder)
    with pytest.raises(UsageError, match="no name of a safetensors file"):
        convert_checkpoint(folder / "c.pt", folder / "new.bin")
    assert (folder / "new.safetensors").read_bytes() == b"precious"


def test_a_full_disk_is_the_machines_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(CHECKPOINT, folder / "c.pt")
    free = type("Usage", (), {"free": 100})
    monkeypatch.setattr("shutil.disk_usage", lambda _: free)
    with pytest.raises(MachineError, match=r"may need .* are free"):
        convert(folder)


def test_the_weak_box_needs_trust(folder: Path) -> None:
    torch.save(CHECKPOINT, folder / "c.pt")
    with pytest.raises(UsageError, match="in the weak box the encoder runs with all your rights"):
        convert_checkpoint(folder / "c.pt", folder / "new.safetensors", box="weak")


class Liar:
    """A session whose child says what it likes."""

    repository_path, device = "/r", "cpu"

    def __init__(self, *answers: Answer) -> None:
        self.answers = [Answer(Outcome(Ending.ANSWERED, 0.0), {"torch": "2"}), *answers]

    def greeting(self, _timeout_s: float) -> Answer:
        return self.answers.pop(0)

    def ask(self, _question: object, *, timeout_s: float) -> Answer:
        assert timeout_s > 0
        return self.answers.pop(0)


def said(payload: bytes) -> Answer:
    return Answer(Outcome(Ending.ANSWERED, 0.0), {}, memoryview(payload))


TWO = Tensor(StoredNumbers("0", "float32", 4, 2), "float32", 4, 0, (2,), (1,))
GOOD = said(json.dumps([["w", "float32", [2]]]).encode())


def asked(folder: Path, *answers: Answer) -> list[bytes]:
    (folder / "c.pt").write_bytes(b"")
    torch_ = Torch(cast("Session", Liar(*answers)), folder / "c.pt")
    torch_.open((), {"w": TWO})
    return [bytes(piece) for piece in torch_.bytes_of("w", TWO)]


def test_an_honest_child_is_heard(folder: Path) -> None:
    assert asked(folder, GOOD, said(bytes(8))) == [bytes(8)]


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"x", b"7", b"null", b"{}", b"[]", b"[1]", b'["abc"]', b"[[[], 1, 2]]", b"[" * 100_000,
        b'[["v", "float32", [2]]]', b'[["w", "float16", [2]]]', b'[["w", "float32", [3]]]', b'[["w", "float32", 2]]',
        b'[["w", "float32", [2]], ["v", "float32", [2]]]', b'[["w", "float32", [2]], ["w", "float32", [2]]]',
        b"\xff" * 10, b'[["w", "float32", [2]], ["\\u001b[2J", "float32", [2]]]',
    ],
)  # fmt: skip
def test_a_list_that_is_not_the_files_is_refused(folder: Path, payload: bytes) -> None:
    with pytest.raises(UsageError, match="not what its bytes say") as caught:
        asked(folder, said(payload))
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 7, 9])
def test_bytes_of_another_number_are_refused(folder: Path, size: int) -> None:
    with pytest.raises(UsageError, match="has another size"):
        asked(folder, GOOD, said(bytes(size)))


def test_a_child_that_fails_is_told(folder: Path) -> None:
    raised = Answer(Outcome(Ending.RAISED, 0.0, raised=Raised("RuntimeError", "no")))
    with pytest.raises(UsageError, match=r"torch cannot load 'c\.pt' with weights_only=True: RuntimeError: no"):
        asked(folder, raised)
    with pytest.raises(MachineError, match="too much memory"):
        asked(folder, Answer(Outcome(Ending.OUT_OF_MEMORY, 0.0, "over 1 GiB")))


def test_all_is_told_in_words() -> None:
    done = Converted(
        source=Path("c.pt"), target=Path("new.safetensors"), path=("state_dict",), tensors=1200, tensor_bytes=2_000_000,
        copied=(Copied(("a", "b\x1b"), 1000),), left_out=(("optimizer", 4_000_000), ("epoch", 0)),
        before_bytes=6_000_000, after_bytes=2_000_100, box="strong",
    )  # fmt: skip
    assert list(converted_lines(done)) == [
        "new.safetensors: 1,200 tensors at 'state_dict', 2 MB",
        "shared in the checkpoint, each on its own now (1 kB more): a, b\\x1b",
        "left out: optimizer (4 MB)",
        "left out, without numbers: epoch",
        "size: 6 MB before, 2 MB now",
        "compared with the checkpoint byte by byte, outside the strong box: 1,200 tensors, all equal",
    ]
