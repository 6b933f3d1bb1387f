"""Imports whose module is there, but in other letters: they work on Windows and macOS only."""

from __future__ import annotations

import ast
import re
import sys
from itertools import islice
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.modules import is_installed
from audio_encoder_checker.archive.source import absolute_module
from audio_encoder_checker.archive.syntax import top_level
from audio_encoder_checker.evidence.habits import Habit, HabitKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_NAMES = 5_000
MOST_BYTES = 1 << 18
PACKAGE = re.compile(r"^[ \t]*([A-Za-z0-9][\w.-]*)", re.MULTILINE)


class Imports:
    """The imports of one repository; what lies in a folder is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[Path, frozenset[str]] = {}
        self._required = _requirements(root)

    def wrong_case(self, tree: ast.Module, path: str) -> Iterator[Habit]:
        """Imports that no module of the repository fits, while one in other letters is there.

        Args:
            tree: of the file.
            path: of the file, relative to the root.
        """
        now = {id(node) for node in top_level(tree)}
        tried = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in node.body}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            relative = isinstance(node, ast.ImportFrom) and node.level > 0
            for name in _imported(node, path):
                found = self._other_case(name, relative=relative)
                if found:
                    sure = id(node) in now and id(node) not in tried
                    what, better = printable(name), printable(found)
                    yield Habit(HabitKind.WRONG_CASE, path, node.lineno, what, sure=sure, better=better)

    def _other_case(self, module: str, *, relative: bool) -> str:
        """The module that is there in other letters, dotted; empty if the name fits, or nothing does."""
        parts = module.split(".")
        foreign = parts[0] in sys.stdlib_module_names or parts[0].casefold() in self._required or is_installed(parts[0])
        if foreign and not relative:
            return ""
        folder, found = self.root, []
        for part in parts:
            names = self._modules(folder)
            alike = (name for name in sorted(names) if name.casefold() == part.casefold())
            match = part if part in names else next(alike, "")
            if not match:
                return ""
            found.append(match)
            folder = folder / match
        return ".".join(found) if found != parts else ""

    def _modules(self, folder: Path) -> frozenset[str]:
        """The names that an import finds in a folder."""
        if folder not in self._known:
            try:
                entries = list(islice(folder.iterdir(), MOST_NAMES)) if not folder.is_symlink() else []
            except OSError:  # it is a file, or cannot be read
                entries = []
            self._known[folder] = frozenset(
                one.name.removesuffix(".py") for one in entries if one.suffix == ".py" or one.is_dir()
            )
        return self._known[folder]


def _imported(node: ast.Import | ast.ImportFrom, path: str) -> list[str]:
    """The modules that an import names, from the root."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = absolute_module(path, node.level, node.module or "")
    return [module] if module else []


def _requirements(root: Path) -> frozenset[str]:
    """The packages of requirements.txt, as a module of theirs is most likely called."""
    path = root / "requirements.txt"
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8", "replace") if not path.is_symlink() else ""
    except OSError:
        return frozenset()
    return frozenset(name.casefold().replace("-", "_") for name in PACKAGE.findall(text))
