"""The files of a repository that are neither sources nor weights: what has to be there, and what should not."""

from __future__ import annotations

import hashlib
import json
import os
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from audio_encoder_checker.archive.source import NOT_SOURCES
from audio_encoder_checker.archive.walking import files_below
from audio_encoder_checker.evidence.repository import (
    OFFICIAL_CHECKER,
    CheckerState,
    Compiled,
    Notebook,
    RepositoryFacts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

README = re.compile(r"readme(([._-][\w-]{1,20})?\.(md|markdown|rst|txt|org|adoc|html|pdf))?", re.IGNORECASE)
REQUIREMENTS = re.compile(
    r"requirements[\w.-]*\.txt|pyproject\.toml|setup\.(py|cfg)|environment[\w-]*\.ya?ml|conda[\w-]*\.ya?ml"
    r"|Pipfile(\.lock)?|(uv|poetry|pdm|pixi)\.lock|pixi\.toml|requirements\.in",
    re.IGNORECASE,
)
CURRENT = "72d70ef9ab3ba3bbd68a51858d14c9419fa54c16e7736542f7b653650141d7b2"
"""SHA-256 of the challenge template's checker, which is also X-ARES 0.1.3's."""
OLDER = ("56ba846e", "b1269066")
"""How the SHA-256 of the template's earlier versions begin (of 25 and 21 January 2025)."""
MAX_CHECKER_BYTES = 1 << 18
MAX_NOTEBOOK_BYTES = 16 << 20
MAX_NOTEBOOKS_BYTES = 64 << 20
"""Of all notebooks together; larger ones are reported unread, since what makes them so large are outputs."""
MAX_FILES = 20_000
MOST = 200
MAGICS = (
    (b"\x7fELF", "machine code for Linux"),
    (b"\xcf\xfa\xed\xfe", "machine code for macOS"),
    (b"\xce\xfa\xed\xfe", "machine code for macOS"),
    (b"\xca\xfe\xba\xbe", "machine code for macOS, or Java's"),
)
BYTECODE = (".pyc", ".pyo")


def read_repository_files(root: Path) -> RepositoryFacts:
    """Look at the files of a repository; nothing is run and no link is followed into another folder.

    Args:
        root: of the repository.
    """
    top = sorted(entry.name for entry in os.scandir(root) if _is_file(entry))
    notebooks: list[Notebook] = []
    compiled: list[Compiled] = []
    read = 0
    for path, name in islice(_files(root), MAX_FILES):
        if name.endswith(".ipynb") and len(notebooks) < MOST:
            size = _size(path)
            whole = size <= MAX_NOTEBOOK_BYTES and read + size <= MAX_NOTEBOOKS_BYTES
            notebooks += _notebook(path, name) if whole else [Notebook(name, 0, size)]
            read += size if whole else 0
        elif len(compiled) < MOST:
            compiled += _compiled(path, name)
    state, digest = _checker(root / OFFICIAL_CHECKER)
    return RepositoryFacts(
        readme=next((name for name in top if README.fullmatch(name)), ""),
        requirements=tuple(name for name in top if REQUIREMENTS.fullmatch(name)),
        checker=state,
        checker_sha256=digest,
        notebooks=tuple(notebooks),
        compiled=tuple(compiled),
    )


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a file or leads to one."""
    try:
        return entry.is_file()
    except OSError:  # a loop of links
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    """Regular files and their relative names; folders that are no part of a repository are left out."""
    found = files_below(root, lambda one: one.name in NOT_SOURCES or one.name.startswith("."))
    return ((Path(entry.path), name) for name, entry in found if entry.is_file(follow_symlinks=False))


def _checker(path: Path) -> tuple[CheckerState, str]:
    """What a copy of the official checker is; the line ends of Windows make no difference."""
    if path.is_symlink() or not path.is_file():
        return CheckerState.MISSING, ""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CHECKER_BYTES)
    except OSError:
        return CheckerState.MISSING, ""
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip() + b"\n"
    digests = [hashlib.sha256(one).hexdigest() for one in (data, text, text.rstrip())]
    if CURRENT in digests:
        return CheckerState.CURRENT, digests[0]
    older = any(one.startswith(OLDER) for one in digests)
    return CheckerState.OLDER if older else CheckerState.ALTERED, digests[0]


def _notebook(path: Path, name: str) -> list[Notebook]:
    """A notebook with outputs; one that cannot be read shows none."""
    try:
        outputs = list(_outputs(json.loads(path.read_bytes(), parse_int=float)))
    except (OSError, ValueError, RecursionError):
        return []
    return [Notebook(name, len(outputs), sum(outputs))] if outputs else []


def _outputs(notebook: Any) -> Iterator[int]:
    """Of each cell with outputs their size as JSON."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    for cell in cells if isinstance(cells, list) else []:
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        if isinstance(outputs, list) and outputs:
            yield len(json.dumps(outputs))


def _compiled(path: Path, name: str) -> list[Compiled]:
    """Machine code, by its first bytes; Python's by the name."""
    if name.endswith(BYTECODE):
        return [Compiled(name, "bytecode of one release of Python")]
    try:
        with path.open("rb") as file:
            head = file.read(64)
            windows = head.startswith(b"MZ") and _is_portable_executable(head, file)
    except OSError:
        return []
    what = "machine code for Windows" if windows else ""
    what = what or next((words for magic, words in MAGICS if head.startswith(magic)), "")
    return [Compiled(name, what)] if what else []


def _is_portable_executable(head: bytes, file: BinaryIO) -> bool:
    """Whether the header that the first 64 bytes lead to is one: two letters alone begin texts and weights too."""
    file.seek(int.from_bytes(head[60:64], "little"))
    return len(head) == 64 and file.read(2) in (b"PE", b"NE", b"LE")
