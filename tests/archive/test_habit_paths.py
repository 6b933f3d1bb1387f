"""Paths that a source writes out, and where they lead."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.habits import find_habits
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.evidence.habits import Habit, HabitKind
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

ABSOLUTE, FOLDER, MISSING = HabitKind.ABSOLUTE_PATH, HabitKind.WORKING_FOLDER, HabitKind.MISSING_FILE
FILES: dict[str, bytes | str] = {"weights.pt": b"", "sub/weights.pt": b"", "model/config.json": "{}"}


def habits(tmp_path: Path, files: dict[str, bytes | str], encoder: str | None = "a.py") -> tuple[Habit, ...]:
    return find_habits(read_sources(write_tree(tmp_path / "repo", files), encoder)).habits


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("self, path='weights.pt'", [(FOLDER, "weights.pt", False)]),
        ("self, path='m.pt'", [(MISSING, "m.pt", True)]),
        ("self, *, path='/home/me/w.pt'", [(ABSOLUTE, "/home/me/w.pt", True)]),
        ("self, path=None", []),
        ("self, path=Path('m.pt')", [(MISSING, "m.pt", True)]),
    ],
)
def test_the_constructor_is_called_without_arguments(
    tmp_path: Path, arguments: str, expected: list[tuple[HabitKind, str, bool]]
) -> None:
    source = f"import torch\nclass AEncoder:\n    def __init__({arguments}):\n        torch.load(path)\n"
    found = habits(tmp_path, {"a.py": source, **FILES})
    assert [(one.kind, one.what, one.sure) for one in found] == expected


@pytest.mark.parametrize(
    "line",
    [
        "def other(path): pass",
        "for path in x: pass",
        "with x as path: pass",
        "try: pass\nexcept OSError as path: pass",
        "import path",
        "from x import y as path",
        "path += x",
        "x = [path for path in y]",
        "if (path := x): pass",
        "match x:\n    case path: pass",
        "match x:\n    case [*path]: pass",
        "class path: pass",
        "del path",
    ],
)
def test_a_name_that_is_bound_twice_may_be_anything(tmp_path: Path, line: str) -> None:
    use = "class AEncoder:\n    x = torch.load(path)\n"
    assert habits(tmp_path / "1", {"a.py": f"import torch\npath = 'm.pt'\n{line}\n{use}"}) == ()
    assert len(habits(tmp_path / "2", {"a.py": f"import torch\npath = 'm.pt'\n{use}"})) == 1


@pytest.mark.parametrize(
    ("path", "opened", "better"),
    [
        ("a.py", "sub/weights.pt", 'Path(__file__).parent / "sub/weights.pt"'),
        ("sub/a.py", "sub/weights.pt", 'Path(__file__).parent / "weights.pt"'),
        ("sub/a.py", "./model/config.json", 'Path(__file__).parents[1] / "model/config.json"'),
        ("src/deep/a.py", "weights.pt", 'Path(__file__).parents[2] / "weights.pt"'),
        ("own/a.py", "own.pt", 'Path(__file__).parent / "own.pt"'),
    ],
)
def test_what_should_stand_there_starts_from_the_source(tmp_path: Path, path: str, opened: str, better: str) -> None:
    source = f"import torch\nclass AEncoder:\n    x = torch.load('{opened}')\n"
    (one,) = habits(tmp_path, {path: source, **FILES, "own/own.pt": b""}, path)
    assert (one.kind, one.better, one.at) == (FOLDER, better, f"{path}:3")


def test_a_missing_file_may_be_there_in_other_letters(tmp_path: Path) -> None:
    source = "import torch\nclass AEncoder:\n    x = torch.load('Sub/Weights.pt')\n"
    (one,) = habits(tmp_path, {"a.py": source, **FILES})
    assert (one.kind, one.better) == (MISSING, "sub/weights.pt")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000 + ".pt",
        "/home/me/" + "a" * 10_000,
        "a/" * 140 + "w.pt",
        "a" * 256 + ".pt",
        "\\0.pt",
        "/home/me/\\0.pt",
        "\\ud800.pt",
        "/home/me/\\u202e\\n.pt",
    ],
    ids=["long", "long path", "deep", "name too long", "NUL", "NUL path", "surrogate", "bidi"],
)
def test_names_that_no_file_can_have_do_no_harm(tmp_path: Path, text: str) -> None:
    for one in habits(tmp_path, {"a.py": f"import torch\nclass AEncoder:\n    x = torch.load('{text}')\n"}):
        assert one.what.isprintable()
        assert len(one.what) <= 120


@pytest.mark.skipif(sys.platform == "win32", reason="no links")
def test_loops_of_links_do_no_harm(tmp_path: Path) -> None:
    loads = ", ".join(f"torch.load('{name}/w.pt')" for name in ("loop", "out", "LOOP", "OUT"))
    root = write_tree(tmp_path / "repo", {"a.py": f"import torch\nclass AEncoder:\n    x = {loads}\n"})
    write_tree(tmp_path, {"W.pt": b""})
    (root / "loop").symlink_to("loop")
    (root / "out").symlink_to(tmp_path)
    found = find_habits(read_sources(root, "a.py")).habits
    assert {(one.kind, one.better) for one in found} == {(MISSING, "")}
    assert [one.what for one in found] == ["LOOP/w.pt", "OUT/w.pt", "loop/w.pt", "out/w.pt"]
