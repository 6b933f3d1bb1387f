"""The files of a repository that are neither sources nor weights."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import repository as module
from audio_encoder_checker.archive.repository import read_repository_files
from audio_encoder_checker.evidence.repository import CheckerState, Compiled, Notebook, RepositoryFacts
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

CHECKER = "audio_encoder_checker.py"
OFFICIAL = b"import torch\n\n\ndef check_audio_encoder(encoder):\n    return True\n"
"""A stand-in for the official one, which is not ours to copy."""
PE = b"MZ" + b"\0" * 58 + (64).to_bytes(4, "little") + b"PE\0\0"


def read(tmp_path: Path, files: dict[str, bytes | str]) -> RepositoryFacts:
    (tmp_path / "repo").mkdir()
    return read_repository_files(write_tree(tmp_path / "repo", files))


def test_an_empty_folder_has_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, {}) == RepositoryFacts()


@pytest.mark.parametrize(
    "name", ["README", "README.md", "readme.rst", "Readme.txt", "README_zh.md", "README.zh-CN.md", "README-en.md"]
)
def test_a_readme_is_found(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, {name: "x"}).readme == name


@pytest.mark.parametrize("name", ["docs/README.md", "READ.md", "readme.png", "README.md/x", "notreadme.md"])
def test_another_file_is_no_readme(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, {name: "x"}).readme == ""


@pytest.mark.parametrize(
    "name",
    [
        *("requirements.txt", "requirements-gpu.txt", "pyproject.toml", "setup.py", "setup.cfg", "environment.yml"),
        *("environment-gpu.yaml", "conda.yaml", "Pipfile", "Pipfile.lock", "uv.lock", "pdm.lock", "requirements.in"),
    ],
)
def test_a_list_of_packages_is_found(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, {name: "x"}).requirements == (name,)


@pytest.mark.parametrize("name", ["sub/requirements.txt", "requirements.md", "setup.txt", "requirements.txt/x"])
def test_another_file_is_no_list_of_packages(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, {name: "x"}).requirements == ()


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (OFFICIAL, CheckerState.CURRENT),
        (OFFICIAL.replace(b"\n", b"\r\n"), CheckerState.CURRENT),
        (b"\xef\xbb\xbf" + OFFICIAL, CheckerState.CURRENT),
        (OFFICIAL.rstrip(), CheckerState.CURRENT),
        (OFFICIAL + b"\n\n", CheckerState.CURRENT),
        (OFFICIAL.replace(b"True", b"False"), CheckerState.ALTERED),
        (b"", CheckerState.ALTERED),
        (b"# older\n", CheckerState.OLDER),
        (b"# older\r\n", CheckerState.OLDER),
        (b"x" * (module.MAX_CHECKER_BYTES + 1), CheckerState.ALTERED),
    ],
)
def test_a_checker_is_known_by_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, state: CheckerState
) -> None:
    monkeypatch.setattr(module, "CURRENT", hashlib.sha256(OFFICIAL).hexdigest())
    monkeypatch.setattr(module, "OLDER", (hashlib.sha256(b"# older\n").hexdigest()[:8],))
    facts = read(tmp_path, {CHECKER: data})
    assert facts.checker is state
    if len(data) <= module.MAX_CHECKER_BYTES:
        assert facts.checker_sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", ["sub/" + CHECKER, CHECKER + "/x"])
def test_a_checker_elsewhere_is_none(tmp_path: Path, name: str) -> None:
    facts = read(tmp_path, {name: OFFICIAL})
    assert (facts.checker, facts.checker_sha256) == (CheckerState.MISSING, "")


def notebook(*outputs: list[object]) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "outputs": one} for one in outputs], "nbformat": 4})


def test_outputs_of_notebooks_are_counted(tmp_path: Path) -> None:
    shown: list[object] = [{"text": "x" * 100}]
    facts = read(tmp_path, {"a.ipynb": notebook(shown, [], shown), "sub/b.ipynb": notebook([])})
    assert facts.notebooks == (Notebook("a.ipynb", 2, 2 * len(json.dumps(shown))),)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "[]",
        "1",
        "{}",
        '{"cells": 1}',
        '{"cells": [1, null, {"outputs": 1}, {"outputs": {}}]}',
        '{"cells": ' + "[" * 100_000,
        b"\xff\xfe",
        '{"cells": ' + "9" * 1_000_000 + "}",
    ],
    ids=["empty", "cut", "list", "number", "no cells", "no list", "no cell", "deep", "no text", "long number"],
)
def test_what_is_no_notebook_shows_none(tmp_path: Path, data: bytes | str) -> None:
    assert read(tmp_path, {"a.ipynb": data}).notebooks == ()


def test_a_notebook_that_is_too_large_to_read_is_one_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_NOTEBOOK_BYTES", 1_000)
    monkeypatch.setattr(module, "MAX_NOTEBOOKS_BYTES", 150)
    files: dict[str, bytes | str] = {"a.ipynb": notebook([]), "b.ipynb": "x" * 2_000, "c.ipynb": "x" * 150}
    assert read(tmp_path, files).notebooks == (Notebook("b.ipynb", 0, 2_000), Notebook("c.ipynb", 0, 150))


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("lib/net.so", b"\x7fELF\2\1\1", "machine code for Linux"),
        ("net", b"\x7fELF", "machine code for Linux"),
        ("net.pyd", PE, "machine code for Windows"),
        ("net.dylib", b"\xcf\xfa\xed\xfe\0", "machine code for macOS"),
        ("Net.class", b"\xca\xfe\xba\xbe\0", "machine code for macOS, or Java's"),
        ("net.pyc", b"\xcb\r\r\n", "bytecode of one release of Python"),
    ],
)
def test_machine_code_is_known_by_its_first_bytes(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    assert read(tmp_path, {name: data}).compiled == (Compiled(name, what),)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"MZ,PE\n1,2\n" * 10),
        ("short", b"MZ"),
        ("a.safetensors", b"MZ\0\0\0\0\0\0" + b"\0" * 60),
        ("far", b"MZ" + b"\xff" * 62),
        ("a.so", b"ELF"),
        ("empty.so", b""),
        ("__pycache__/a.cpython-312.pyc", b"\xcb\r\r\n"),
        (".git/hooks/x", b"\x7fELF"),
        ("venv/bin/python", b"\x7fELF"),
    ],
)
def test_other_files_are_no_machine_code(tmp_path: Path, name: str, data: bytes) -> None:
    assert read(tmp_path, {name: data}).compiled == ()


@pytest.mark.parametrize("limit", ["MOST", "MAX_FILES"])
def test_so_many_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(module, limit, 2)
    facts = read(tmp_path, {f"{number}.pyc": b"" for number in range(5)})
    assert [one.path for one in facts.compiled] == ["0.pyc", "1.pyc"]


@pytest.mark.skipif(sys.platform == "win32", reason="its paths are short")
def test_folders_that_lie_deep_are_read_without_recursion(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"a.pyc": b""})
    folders = [f"{root}{'/d' * depth}" for depth in range(1, 1_500)]
    for folder in folders:
        os.mkdir(folder)  # noqa: PTH102  # a Path of so many parts is slow
    found = read_repository_files(root).compiled
    for folder in reversed(folders):
        os.rmdir(folder)  # noqa: PTH106  # same
    assert [one.path for one in found] == ["a.pyc"]


@pytest.mark.skipif(sys.platform == "win32", reason="no links")
def test_no_link_is_followed_and_no_pipe_opened(tmp_path: Path) -> None:
    write_tree(tmp_path / "far", {"x.so": b"\x7fELF", CHECKER: b""})
    root = write_tree(tmp_path / "repo", {"docs/guide.md": "x"})
    for name, target in (("README.md", "docs/guide.md"), ("loop", "loop"), ("README.txt", "README.txt")):
        (root / name).symlink_to(target)
    (root / "far").symlink_to(tmp_path / "far")
    (root / "x.so").symlink_to(tmp_path / "far/x.so")
    (root / CHECKER).symlink_to(tmp_path / "far" / CHECKER)
    os.mkfifo(root / "pipe.ipynb")
    assert read_repository_files(root) == RepositoryFacts(readme="README.md")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"shut/x.pyc": b"", CHECKER: b"", "a.ipynb": "{}", "b.so": b"\x7fELF"})
    for name in ("shut", CHECKER, "a.ipynb", "b.so"):
        (root / name).chmod(0)
    try:
        assert read_repository_files(root) == RepositoryFacts()
    finally:
        (root / "shut").chmod(0o700)
