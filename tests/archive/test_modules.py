"""What lies at the root of a repository as modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.archive import modules
from audio_encoder_checker.archive.modules import top_modules
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_modules_and_packages_are_found(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "b.py": "",
        "a/__init__.py": "",
        "both.py": "",
        "both/__init__.py": "",
        "namespace/x.py": "",
        "my-model.py": "",
        "notes.txt": "",
        "folder.py/x": "",
        ".hidden.py": "",
        "numpy.py": "",
        "compiled.pyc": "",
        "fast.abi3.so": "",
        "sealed/__init__.pyc": "",
        "numpy.txt": "",
    }
    found = top_modules(write_tree(tmp_path, files))
    assert [(one.name, one.path, one.installed) for one in found] == [
        ("a", "a/__init__.py", False),
        ("b", "b.py", False),
        ("both", "both/__init__.py", False),
        ("compiled", "compiled.pyc", False),
        ("fast", "fast.abi3.so", False),
        ("numpy", "numpy.py", True),
        ("sealed", "sealed/__init__.pyc", False),
    ]


def test_so_many_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "MOST", 2)
    assert len(top_modules(write_tree(tmp_path, {f"{name}.py": "" for name in "abc"}))) == 2
