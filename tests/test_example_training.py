"""`example_submission/train.py` makes weights, and makes them of its own audio."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from safetensors import safe_open

FOLDER = Path(__file__).parent.parent / "example_submission"
SMALL_RUN = """
import train
train.WORD_CLIPS, train.EVENT_CLIPS, train.TONE_CLIPS, train.STEPS = 340, 60, 60, 4
train.main()
import torch
from encoder import TinyMelEncoder
frames = TinyMelEncoder()(0.1 * torch.randn(2, 16000))
assert frames.shape == (2, 50, 288), frames.shape
assert torch.isfinite(frames).all()
"""


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0])
    return names


def test_the_training_is_not_on_the_evaluation() -> None:
    own = {"encoder", "safetensors", "torch"}
    assert imported(FOLDER / "train.py") - set(sys.stdlib_module_names) == own
    assert imported(FOLDER / "encoder.py") - set(sys.stdlib_module_names) == own - {"encoder"}


def test_training_writes_weights_that_the_encoder_loads(tmp_path: Path) -> None:
    for name in ("encoder.py", "train.py"):
        shutil.copy(FOLDER / name, tmp_path)
    ended = subprocess.run(
        [sys.executable, "-c", SMALL_RUN], cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "wrote weights.safetensors" in ended.stdout
    shapes = []
    for path in (tmp_path / "weights.safetensors", FOLDER / "weights.safetensors"):
        with safe_open(path, framework="numpy") as file:
            shapes.append({name: file.get_slice(name).get_shape() for name in file.keys()})  # noqa: SIM118 - no mapping
    assert shapes[0] == shapes[1]
