"""Imports in other letters than their file."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import imports as module
from audio_encoder_checker.archive.habits import find_habits
from audio_encoder_checker.archive.imports import Imports
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.evidence.habits import Habit, HabitKind
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

FILES: dict[str, bytes | str] = {
    "model.py": "",
    "Blocks.py": "",
    "nets/__init__.py": "",
    "nets/Conv.py": "",
    "plain/part.py": "",
    "Twice.py": "",
    "twice.py": "",
}


def wrong(
    tmp_path: Path, line: str, path: str = "a.py", files: dict[str, bytes | str] | None = None
) -> tuple[Habit, ...]:
    source = f"{line}\nclass AEncoder:\n    def forward(self, x): pass\n"
    root = write_tree(tmp_path / "repo", {**FILES, **(files or {}), path: source})
    return find_habits(read_sources(root, path)).of(HabitKind.WRONG_CASE)


@pytest.mark.parametrize(
    ("line", "what", "better", "sure"),
    [
        ("import Model", "Model", "model", True),
        ("import Model as m", "Model", "model", True),
        ("from Model import Net", "Model", "model", True),
        ("import blocks", "blocks", "Blocks", True),
        ("import os, MODEL", "MODEL", "model", True),
        ("import nets.conv", "nets.conv", "nets.Conv", True),
        ("from Nets.conv import Net", "Nets.conv", "nets.Conv", True),
        ("from Plain import part", "Plain", "plain", True),
        ("import plain.Part", "plain.Part", "plain.part", True),
        ("try:\n    import Model\nfinally:\n    pass", "Model", "model", True),
        ("try:\n    import Model\nexcept ImportError:\n    import model", "Model", "model", False),
        ("try:\n    if x: import Model\nexcept ImportError:\n    pass", "Model", "model", False),
        ("try:\n    import model\nexcept ImportError:\n    import Model", "Model", "model", False),
        ("if x:\n    import Model", "Model", "model", False),
        ("def late():\n    import Model", "Model", "model", False),
        ("def now():\n    import Model\nnow()", "Model", "model", True),
        ("import sys\nsys.path.insert(0, 'src')\nimport Model", "Model", "model", False),
    ],
)
def test_other_letters_are_found(tmp_path: Path, line: str, what: str, better: str, sure: bool) -> None:
    (one,) = wrong(tmp_path, line)
    assert (one.what, one.better, one.sure) == (what, better, sure)
    assert what in one.text


@pytest.mark.parametrize(
    "line",
    [
        "import model, Blocks, nets.Conv, plain.part",
        "from nets import conv",
        "from model import Model",
        "import modelx, Nothing.at.all",
        "import Twice, twice",
        "import model.Net",
        "import Tokenize, tokenize",
        "if TYPE_CHECKING:\n    import Model",
        "if __name__ == '__main__':\n    import Model",
        "from . import Model",
        "from .. import Model",
    ],
)
def test_what_fits_or_is_not_there_is_not(tmp_path: Path, line: str) -> None:
    assert wrong(tmp_path, line) == ()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from .Conv import x", []),
        ("from .conv import x", [("nets.conv", "nets.Conv")]),
        ("from ..Model import x", []),
        ("from . import conv", []),
        ("from .Torch import x", [("nets.Torch", "nets.torch")]),
    ],
)
def test_relative_imports_start_from_their_package(tmp_path: Path, line: str, found: list[tuple[str, str]]) -> None:
    habits = wrong(tmp_path, line, "nets/a.py", {"nets/torch.py": ""})
    assert [(one.what, one.better) for one in habits] == found


@pytest.mark.parametrize(
    ("line", "file", "requirements"),
    [
        ("import PIL", "pil.py", ""),
        ("import Crypto.Hash", "crypto/__init__.py", ""),
        ("import Fancy", "fancy.py", "torch\nfancy>=2  # fast\n"),
        ("import Fancy_Net", "fancy_net.py", "Fancy-Net\n"),
        ("import torch", "Torch.py", ""),
        ("import queue", "Queue.py", ""),
    ],
)
def test_what_is_installed_or_required_comes_from_elsewhere(
    tmp_path: Path, line: str, file: str, requirements: str
) -> None:
    assert wrong(tmp_path, line, files={file: "", "requirements.txt": requirements}) == ()


def test_a_requirement_of_another_name_does_not_help(tmp_path: Path) -> None:
    assert len(wrong(tmp_path, "import Model", files={"requirements.txt": "# model\n-r model.txt\nmodels\n"})) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no links")
def test_no_link_is_followed(tmp_path: Path) -> None:
    write_tree(tmp_path / "far", {"Net.py": ""})
    root = write_tree(tmp_path / "repo", {"model.py": ""})
    (root / "far").symlink_to(tmp_path / "far")
    (root / "loop").symlink_to("loop")
    (root / "requirements.txt").symlink_to(tmp_path / "far" / "Net.py")
    assert names(root, "import far.net, loop.net, LOOP.net, Model") == ["Model"]


@pytest.mark.parametrize("name", ["M" * 10_000, "Model." * 2_000 + "x", "M" * 255, "Modèle"])
def test_odd_names_do_no_harm(tmp_path: Path, name: str) -> None:
    assert names(write_tree(tmp_path / "repo", {"model.py": ""}), f"import {name}") == []


def test_so_many_modules_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MODULES", 2)
    root = write_tree(tmp_path / "repo", {"model.py": ""})
    assert names(root, "import a, b, Model, a") == []
    assert names(root, "import a, Model, b, Model") == ["Model", "Model"]


def names(root: Path, line: str) -> list[str]:
    """What is found in one import statement."""
    (node,) = ast.parse(line).body
    assert isinstance(node, ast.Import)
    return [one.what for one in Imports(root).wrong_case(node, "a.py", sure=True)]
