"""Whether git has committed what is packed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.packing.repository import uncommitted

if TYPE_CHECKING:
    from pathlib import Path


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "team").mkdir()
    for name in ("a.py", "b.py", "team/c.py", ".gitignore"):
        (tmp_path / name).write_text("x.log\n" * (name == ".gitignore"))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_what_is_committed_is_no_news(repo: Path) -> None:
    (repo / "x.log").write_text("ignored")
    assert uncommitted(repo) == ()


def test_changed_new_renamed_and_removed_files_are_told(repo: Path) -> None:
    (repo / "team" / "c.py").write_text("1")
    (repo / "new\n你.py").write_text("1")
    git(repo, "mv", "a.py", "team/d.py")
    (repo / "b.py").unlink()
    assert set(uncommitted(repo) or ()) == {"team/c.py", "new\n你.py", "team/d.py", "b.py"}
    assert set(uncommitted(repo / "team") or ()) == {"team/c.py", "team/d.py"}


def test_no_repository_and_no_git_are_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert uncommitted(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert uncommitted(tmp_path) is None


def test_a_repository_cannot_make_it_run_a_program(repo: Path) -> None:
    git(repo, "config", "core.fsmonitor", f"touch {repo}/ran")
    (repo / "a.py").write_text("1")
    assert uncommitted(repo) == ("a.py",)
    assert not (repo / "ran").exists()
