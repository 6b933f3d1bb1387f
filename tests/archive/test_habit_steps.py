"""What of a source is known to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.habits import find_habits
from audio_encoder_checker.archive.source import read_sources
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.evidence.habits import Habit


def habits(tmp_path: Path, files: dict[str, bytes | str], encoder: str | None = "a.py") -> tuple[Habit, ...]:
    return find_habits(read_sources(write_tree(tmp_path / "repo", files), encoder)).habits


@pytest.mark.parametrize(
    ("source", "sure"),
    [
        ("class AEncoder:\n    def __init__(self): self.a()\n    def a(self): self.b()\n    def b(self): LOAD", True),
        ("class AEncoder:\n    def forward(self, x): return self.a(x)\n    def a(self, x): LOAD", True),
        ("class AEncoder:\n    def __init__(self): a()\ndef a(): b()\ndef b(): LOAD", True),
        ("class AEncoder:\n    def __init__(self): Net()\nclass Net:\n    def __init__(self): LOAD", True),
        ("class AEncoder:\n    def __init__(self): self.n = Net.make()\nclass Net:\n    def make(): LOAD", True),
        ("class Base:\n    def __init__(self): LOAD\nclass AEncoder(Base): pass", True),
        ("class Base:\n    def __init__(self): self.a()\nclass AEncoder(Base):\n    def a(self): LOAD", True),
        ("class Base:\n    def a(self): LOAD\nclass AEncoder(Base):\n    def forward(self): super().a()", True),
        ("class Base:\n    def __init__(self): LOAD\nclass AEncoder(Base):\n    def __init__(self): pass", False),
        ("class AEncoder:\n    x = LOAD", True),
        ("LOAD\nclass AEncoder: pass", True),
        ("class AEncoder:\n    def __init__(self, path=LOAD): pass", False),
        ("class AEncoder:\n    def a(self): LOAD", False),
        ("class AEncoder:\n    def __init__(self):\n        if x: self.a()\n    def a(self): LOAD", False),
        ("class AEncoder: pass\nclass Net:\n    def __init__(self): LOAD\n    def forward(self, x): LOAD", False),
        ("class AEncoder: pass\ndef main(): LOAD", False),
        ("class AEncoder:\n    def __init__(self):\n        def a(): LOAD\n        a()", False),
        ("class AEncoder:\n    def __init__(self): self.a()\n    def a(self): self.a(); LOAD", True),
        ("if x:\n    class AEncoder:\n        def __init__(self): LOAD", False),
    ],
)
def test_helpers_are_followed_where_they_are_surely_called(tmp_path: Path, source: str, sure: bool) -> None:
    text = f"import torch\n{source}\n".replace("LOAD", "torch.load('/home/me/w.pt')")
    assert {one.sure for one in habits(tmp_path, {"a.py": text}, "a.py:AEncoder")} == {sure}


@pytest.mark.parametrize(
    "source",
    [
        "x = torch" + ".cuda" * 900 + "()",
        "x = " + "+".join(["'/home/me/w.pt'"] * 900),
        "x = torch.load(" + " / ".join(["'a'"] * 900) + ")",
        "x = " + "Path(" * 90 + "'w.pt'" + ")" * 90,
        "x = " + "os.path.join('a', " * 90 + "'w.pt'" + ")" * 90,
        "if " + "not " * 900 + "y:\n  x.cuda()",
        "x = " + "y.cuda() if y else " * 90 + "0",
        "class A(A): pass\nclass B(C): pass\nclass C(B):\n  def __init__(self): self.x()\nB()",
    ],
    ids=["attributes", "sums", "divisions", "paths", "joins", "negations", "conditions", "own base"],
)
def test_deep_code_is_read_without_recursion(tmp_path: Path, source: str) -> None:
    habits(tmp_path, {"a.py": f"import os, torch\n{source}\nclass AEncoder: pass\n"})
