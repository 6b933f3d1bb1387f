"""The template whose weights lie beside it: what is shipped, what is exported, what is said where it does not fit."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file, save_file

from audio_encoder_checker.packing.template import start_submission

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def team(tmp_path: Path) -> Path:
    start_submission(tmp_path / "team", "checkpoint", "TeamEncoder")
    return tmp_path / "team"


def run(team: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=team.parent, capture_output=True, text=True, check=False)


def export(team: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return run(team, str(team / "export.py"), *map(str, words))


def test_what_is_shipped_is_what_export_writes(team: Path) -> None:
    shipped = load_file(team / "model.safetensors")
    assert (team / "model.safetensors").stat().st_size < 1_000_000
    done = export(team, "--seed", 2025)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"model.safetensors: {len(shipped)} tensors")
    written = load_file(team / "model.safetensors")
    assert written.keys() == shipped.keys()
    for name, value in written.items():
        torch.testing.assert_close(value, shipped[name])


@pytest.mark.parametrize("place", ["state_dict", "model", None])
def test_a_training_checkpoint_is_exported_without_what_training_needs(
    team: Path, tmp_path: Path, place: str | None
) -> None:
    state = {name: value + 1 for name, value in load_file(team / "model.safetensors").items()}
    trained = {f"model.module.{name}": value.double() for name, value in state.items()} | {"head.weight": torch.ones(9)}
    torch.save({place: trained, "optimizer": {"step": 1}} if place else trained, tmp_path / "best.ckpt")
    done = export(team, tmp_path / "best.ckpt")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == ("left out: head.weight, optimizer" if place else "left out: head.weight")
    written = load_file(team / "model.safetensors")
    assert written.keys() == state.keys()
    assert all(torch.equal(written[name], state[name]) and written[name].dtype == torch.float32 for name in state)
    code = f"import sys; sys.path.insert(0, {str(team)!r}); import encoder; encoder.TeamEncoder()"
    assert run(team, "-c", code).returncode == 0


def test_another_network_beside_the_trained_one_is_not_mixed_with_it(team: Path, tmp_path: Path) -> None:
    state = load_file(team / "model.safetensors")
    teacher = {f"model.{name}": torch.zeros_like(value) for name, value in list(state.items())[:-1]}
    student = {f"encoder._orig_mod.{name}": value + 1 for name, value in state.items()}
    torch.save({"state_dict": student | teacher}, tmp_path / "last.ckpt")
    done = export(team, tmp_path / "last.ckpt")
    assert done.returncode == 0, done.stderr
    assert "left out: model." in done.stdout
    assert f"and {len(teacher) - 5} more" in done.stdout
    written = load_file(team / "model.safetensors")
    assert all(torch.equal(written[name], state[name] + 1) for name in state)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"no checkpoint", "is no checkpoint of torch.save"),
        ({"epoch": 3}, "holds no tensors where trainers keep them"),
        ({"model": {"other": torch.ones(1)}}, "lacks 14 of the network's tensors"),
        ({"widen.weight": torch.ones(3, 3)}, "lacks 13 of the network's tensors"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_line(team: Path, tmp_path: Path, content: object, words: str) -> None:
    if isinstance(content, bytes):
        (tmp_path / "x.ckpt").write_bytes(content)
    elif content is not None:
        torch.save(content, tmp_path / "x.ckpt")
    before = (team / "model.safetensors").read_bytes()
    done = export(team, tmp_path / "x.ckpt")
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert (team / "model.safetensors").read_bytes() == before


def test_weights_of_another_shape_are_no_export(team: Path, tmp_path: Path) -> None:
    state = load_file(team / "model.safetensors")
    torch.save({**state, "widen.weight": torch.ones(3, 3)}, tmp_path / "x.ckpt")
    assert "'widen.weight' has the shape (3, 3), the network wants" in export(team, tmp_path / "x.ckpt").stderr


def test_an_encoder_without_its_weights_says_what_is_wrong(team: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(team)!r}); import encoder; encoder.TeamEncoder()"
    state = load_file(team / "model.safetensors")
    gone = state.pop("widen.bias")
    save_file({**state, "other": gone}, team / "model.safetensors")
    assert "(missing: widen.bias (1); not known: other (1))" in run(team, "-c", code).stderr
    save_file({**state, "widen.bias": torch.ones(3)}, team / "model.safetensors")
    assert "(of another shape: widen.bias (3,) for (96,) (1))" in run(team, "-c", code).stderr
    (team / "model.safetensors").write_bytes((team / "model.safetensors").read_bytes()[:1000])
    assert "model.safetensors is damaged" in run(team, "-c", code).stderr
    (team / "model.safetensors").unlink()
    assert "model.safetensors is missing beside encoder.py" in run(team, "-c", code).stderr
