"""Patterns are git's: git itself is the reference."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.ignore import JUNK, Ignore, junk_layer
from audio_encoder_checker.packing.selection import select_files

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "a.txt", "b.txt", "a.pt", "sub/a.txt", "sub/b.txt", "sub/deep/a.txt", "sub/deep/a.pt", "other/a.txt",
    "other/sub/b.txt",
)  # fmt: skip
PATTERNS = (
    "*.txt", "a.*", "/a.txt", "sub", "sub/", "/sub", "sub/*", "sub/**", "**/a.txt", "sub/**/a.txt", "**/sub", "deep/",
    "!a.txt", "!sub/", "!sub/a.txt", "!*.pt", "!/other", "[ab].txt", "?.pt", "# note", "", "sub/deep", "!deep",
    "other/*", "*", "!*/", "/*", r"\!a.txt", "a.txt ", "*.PT",
)  # fmt: skip
pattern_files = st.lists(st.sampled_from(PATTERNS), max_size=4).map("\n".join)


def tree(root: Path, ignores: dict[str, str], file: str = ".gitignore") -> Path:
    shutil.rmtree(root, ignore_errors=True)
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    for folder, text in ignores.items():
        (root / folder / file).write_text(text)
    return root


def kept(root: Path) -> set[str]:
    return {chosen.name for chosen in select_files(root).files}


def kept_by_git(root: Path) -> set[str]:
    bare = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": "/usr/bin:/bin:/usr/local/bin"}
    git = ["git", "-C", str(root)]
    subprocess.run([*git, "init", "-q"], check=True, env=bare)
    shown = subprocess.run(
        [*git, "ls-files", "--others", "--exclude-standard", "-z"], check=True, env=bare, capture_output=True, text=True
    )
    return set(shown.stdout.split("\0")) - {""}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the reference")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(top=pattern_files, sub=pattern_files)
def test_git_keeps_the_same_files(tmp_path_factory: pytest.TempPathFactory, top: str, sub: str) -> None:
    root = tree(tmp_path_factory.getbasetemp() / "git", {"": top + "\n!/keep", "sub": sub})
    (root / "keep").write_text("so that something is left to pack")
    assert kept(root) == kept_by_git(root)


def test_aeccignore_takes_the_place_of_gitignore(tmp_path: Path) -> None:
    root = tree(tmp_path / "repo", {"": "*.pt\n", "sub": "b.txt\n"})
    assert not {"a.pt", "sub/b.txt", "sub/deep/a.pt"} & kept(root)
    (root / ".aeccignore").write_text("other\n")
    assert {"a.pt", "sub/b.txt", "sub/deep/a.pt"} <= kept(root)
    assert "other/a.txt" not in kept(root)


def test_nested_aeccignore_counts_in_its_folder_and_below_only(tmp_path: Path) -> None:
    root = tree(tmp_path / "repo", {"": "*.pt\n"})
    (root / "sub" / ".aeccignore").write_text("b.txt\n")
    assert "a.pt" not in kept(root)
    assert "sub/deep/a.pt" in kept(root)
    assert "sub/b.txt" not in kept(root)
    assert "b.txt" in kept(root)


@pytest.mark.parametrize(
    "name",
    [
        ".git/config", ".venv/bin/python", "venv/x", "pkg/__pycache__/a.pyc", "a.pyc", ".DS_Store", "pkg/._a.py",
        "__MACOSX/a", "nb/.ipynb_checkpoints/a.ipynb", ".pytest_cache/x", ".mypy_cache/x", "x.egg-info/PKG-INFO",
        ".idea/x", ".vscode/x", ".env", ".env.local", "key.pem", "id_rsa", "id_ed25519.pub",
        ".s.zip.0f0f0f0f.aecc-part",
    ],
)  # fmt: skip
def test_what_never_belongs_into_a_submission_is_left_out(name: str) -> None:
    ignore = Ignore((junk_layer(),))
    parts = name.split("/")
    folders = ["/".join(parts[:depth]) + "/" for depth in range(1, len(parts))]
    assert any(ignore.decide(path)[1] in JUNK for path in [*folders, name])


@pytest.mark.parametrize("name", ["encoder.py", ".env.example", "environment.yml", "weights.safetensors", ".github/"])
def test_what_belongs_into_a_submission_is_kept(name: str) -> None:
    assert not Ignore((junk_layer(),)).decide(name)[0]


def test_an_ignore_file_brings_junk_back(tmp_path: Path) -> None:
    root = tree(tmp_path / "repo", {"": "!ca.pem\n"}, ".aeccignore")
    (root / "ca.pem").write_text("certificate")
    (root / "own.pem").write_text("key")
    assert "ca.pem" in kept(root)
    assert "own.pem" not in kept(root)


@pytest.mark.parametrize("text", [b"\xff\xfe*\x00", b"good\n!\n"])
def test_a_broken_ignore_file_is_named(tmp_path: Path, text: bytes) -> None:
    root = tree(tmp_path / "repo", {})
    (root / "sub" / ".aeccignore").write_bytes(text)
    with pytest.raises(UsageError, match=r"sub/\.aeccignore"):
        select_files(root)
