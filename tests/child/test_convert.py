"""The tensors of a checkpoint as the child gives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from audio_encoder_checker.child.convert import Conversion
from audio_encoder_checker.child.host import Host

if TYPE_CHECKING:
    from pathlib import Path

BASE = torch.arange(6.0).reshape(2, 3)
MODEL = {
    "t": BASE.T,
    "bf": torch.ones(2).bfloat16(),
    "flag": torch.tensor(data=True),
    "none": torch.zeros(0, 2),
    3: BASE,
}


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = str(tmp_path / "c.pt")
    torch.save({"model": MODEL | {"epoch": 7}}, path, _use_new_zipfile_serialization=request.param)
    return path


def test_tensors_under_texts_are_listed(file: str) -> None:
    rows = json.loads(Conversion(file, ["model"]).listed())
    assert rows == [
        ["t", "float32", [3, 2]],
        ["bf", "bfloat16", [2]],
        ["flag", "bool", []],
        ["none", "float32", [0, 2]],
    ]


def test_pieces_are_the_numbers_in_order(file: str) -> None:
    conversion = Conversion(file, ["model"])
    whole = bytes(conversion.piece(0, 0, 24))
    assert np.frombuffer(whole, np.float32).tolist() == [0, 3, 1, 4, 2, 5]
    assert bytes(conversion.piece(0, 5, 11)) == whole[5:11]
    assert bytes(conversion.piece(1, 0, 4)) == b"\x80\x3f\x80\x3f"
    assert bytes(conversion.piece(2, 0, 1)) == b"\1"
    assert bytes(conversion.piece(3, 0, 0)) == b""


def ask(host: Host, **question: Any) -> tuple[dict[str, Any], bytes]:
    header, payload = host.answer({"ask": "convert", **question}, memoryview(b""))
    return header, bytes(payload)


def test_the_host_answers_both_steps(file: str) -> None:
    host = Host()
    header, listed = ask(host, step="open", file=file, path=["model"])
    assert header == {"opened": True}
    assert len(json.loads(listed)) == 4
    assert ask(host, step="piece", index=2, start=0, stop=1) == ({}, b"\1")


def test_what_torch_raises_is_told(tmp_path: Path) -> None:
    header, payload = ask(Host(), step="open", file=str(tmp_path / "gone.pt"), path=[])
    assert (header["raised"]["type"], payload) == ("FileNotFoundError", b"")


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    path = str(tmp_path / "c.pt")
    torch.save({"model": torch.nn.Linear(2, 2)}, path)
    header, _ = ask(Host(), step="open", file=path, path=["model"])
    assert (
        "weights_only" in header["raised"]["message"].replace("`", "") or "Weights only" in header["raised"]["message"]
    )
