"""Imports whose module is there, but in other letters.

Python tells them apart on every system, also where the file system does not. Git on Windows and macOS does not note
that a file was renamed so, and the repository keeps the old name.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from itertools import islice
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.layout import spelled
from audio_encoder_checker.archive.modules import is_installed
from audio_encoder_checker.archive.repository_text import read_inside
from audio_encoder_checker.archive.source import absolute_module
from audio_encoder_checker.evidence.habits import Habit, HabitKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_NAMES = 5_000
MOST_MODULES = 10_000
"""So many different modules are looked for."""
LONGEST = 300
PACKAGE = re.compile(r"^[ \t]*([A-Za-z0-9][\w.-]*)", re.MULTILINE)
FOREIGN = frozenset(
    {"cairo", "crypto", "cryptodome", "cython", "gi", "ipython", "levenshtein", "mecab", "mysqldb", "opengl", "openssl"}
    | {"pil", "pyqt5", "xlib", "yaafelib"}
)
"""Modules whose distribution is called otherwise."""


class Imports:
    """The imports of one repository; what lies in a folder is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[Path, frozenset[str]] = {}
        self._answers: dict[tuple[str, bool], str] = {}
        self._required = _requirements(root)

    def wrong_case(self, node: ast.Import | ast.ImportFrom, path: str, *, sure: bool) -> Iterator[Habit]:
        """Modules of an import that are not in the repository, while one in other letters is.

        Args:
            node: the import.
            path: of its file, relative to the root.
            sure: it runs whenever the encoder is used.
        """
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        for name in _imported(node, path):
            found = self._other_case(name, relative=relative)
            if found:
                what, better = printable(name, limit=120), printable(found, limit=120)
                yield Habit(HabitKind.WRONG_CASE, path, node.lineno, what, sure=sure, better=better)

    def _other_case(self, module: str, *, relative: bool) -> str:
        """The module that is there in other letters, dotted; empty if the name fits, or nothing does."""
        asked = module, relative
        if asked not in self._answers:
            if len(self._answers) == MOST_MODULES or len(module) > LONGEST:
                return ""
            found = self._look(module)
            foreign = found and not relative and self._is_foreign(module.partition(".")[0])
            self._answers[asked] = "" if foreign or found == module else found
        return self._answers[asked]

    def _is_foreign(self, name: str) -> bool:
        """Whether a module comes from elsewhere, as far as that is known here."""
        known = name in sys.stdlib_module_names or name.casefold() in self._required | FOREIGN
        return known or is_installed(name)

    def _look(self, module: str) -> str:
        """What a module is called in the repository, its letters' case aside; empty if it is not there."""
        return ".".join(spelled(self.root, module.split("."), self._modules))

    def _modules(self, folder: Path) -> frozenset[str]:
        """The names that an import finds in a folder."""
        if folder not in self._known:
            try:
                entries = list(islice(os.scandir(folder), MOST_NAMES)) if not folder.is_symlink() else []
                names = {one.name.removesuffix(".py") for one in entries if one.name.endswith(".py") or _is_folder(one)}
            except (OSError, ValueError):  # it is a file, or cannot be read
                names = set()
            self._known[folder] = frozenset(names)
        return self._known[folder]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link that may lead to one."""
    return entry.is_symlink() or entry.is_dir(follow_symlinks=False)


def _imported(node: ast.Import | ast.ImportFrom, path: str) -> list[str]:
    """The modules that an import names, from the root."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = absolute_module(path, node.level, node.module or "")
    return [module] if module else []


def _requirements(root: Path) -> frozenset[str]:
    """The packages of requirements.txt, as a module of theirs is most likely called."""
    found = read_inside(root, "requirements.txt")
    text = found.data.decode("utf-8", "replace") if found else ""
    return frozenset(name.casefold().replace("-", "_") for name in PACKAGE.findall(text))
