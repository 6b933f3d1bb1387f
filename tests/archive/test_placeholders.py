"""Output that no model has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.habits import find_habits
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.evidence.habits import Habit, HabitKind
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path


def habits(tmp_path: Path, files: dict[str, bytes | str], encoder: str | None = "a.py") -> tuple[Habit, ...]:
    return find_habits(read_sources(write_tree(tmp_path / "repo", files), encoder)).habits


def forward(tmp_path: Path, body: str) -> tuple[Habit, ...]:
    """The habits of an encoder whose `forward` has these lines."""
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    return habits(tmp_path, {"a.py": f"import torch\nclass AEncoder:\n    def forward(self, x):\n{lines}"})


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("return torch.randn(2, 3)", "torch.randn"),
        ("return torch.zeros(2, 3).to(x.device)", "torch.zeros"),
        ("return torch.rand_like(x)", "torch.rand_like"),
        ("y = torch.ones(2, 3)\nreturn y", "torch.ones"),
        ("'''Returns.'''\nif x is None:\n    raise ValueError\nreturn torch.empty(2)", "torch.empty"),
    ],
)
def test_made_up_output_is_found(tmp_path: Path, body: str, what: str) -> None:
    (one,) = forward(tmp_path, body)
    assert (one.kind, one.what) == (HabitKind.PLACEHOLDER, f"AEncoder.forward returns {what}(...)")
    assert one.sure
    assert what in one.text


@pytest.mark.parametrize(
    "body",
    [
        "return self.net(x)",
        "y = torch.zeros(2, 3)\ny[0] = x\nreturn y",
        "y = torch.empty(2, 3)\nself.fill(y)\nreturn y",
        "y = torch.zeros(2)\nfor one in x: y += one\nreturn y",
        "if x is None: return torch.zeros(2)\nreturn self.net(x)",
        "return torch.randn(2) + x",
        "return torch.normal(self.mean(x), 1)",
        "return torch.zeros(2).scatter(0, x, 1)",
        "return y",
        "return",
        "pass",
    ],
)
def test_output_that_something_is_made_of_is_not(tmp_path: Path, body: str) -> None:
    assert forward(tmp_path, body) == ()


def test_the_template_hides_its_random_model_in_a_class_beside_the_encoder(tmp_path: Path) -> None:
    model = "import torch\nclass Model:\n    def forward(self, x):\n        return torch.randn(2)\n"
    encoder = "class AEncoder:\n    def forward(self, x):\n        return self.model(x)\n"
    (one,) = habits(tmp_path / "1", {"a.py": model + encoder})
    assert one.what == "Model.forward returns torch.randn(...)"
    assert habits(tmp_path / "2", {"a.py": f"import model\n{encoder}", "model.py": model}) == ()


def test_without_an_encoder_a_class_of_such_a_name_counts(tmp_path: Path) -> None:
    source = "import torch\nclass AEncoder:\n    def forward(self, x): return torch.randn(2)\n"
    files: dict[str, bytes | str] = {"a.py": source, "b.py": source, "c.py": source.replace("AEncoder", "Noise")}
    assert [one.file for one in habits(tmp_path, files, None)] == ["a.py", "b.py"]
