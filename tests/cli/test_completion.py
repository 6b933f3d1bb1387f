"""Completion as a shell asks for it, the real bash among them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audio_encoder_checker.cli.completion import SHELLS, shell_lines

BIN = Path(sys.executable).parent


def in_bash(folder: Path, *words: str) -> list[str]:
    """What bash would offer for the last word."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        'eval "$(aecc-check --completion bash)"\n'
        f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n"
        f'_{words[0].replace("-", "_")}_completion {words[0]}; printf "%s\\n" "${{COMPREPLY[@]}}"\n'
    )
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("aecc-check", "--explain", "AEC50"), ["AEC501", "AEC502", "AEC503"]),
        (("aecc-check", "--explain", "zero-"), ["zero-frames"]),
        (("aecc-check", "--ignore", "AEC123,AEC12"), ["AEC123,AEC120", "AEC123,AEC121"]),
        (("aecc-check", "--profile", "ic"), ["icme-2025"]),
        (("aecc-check", "--budget", ""), ["colab-t4", "kaggle-t4x2"]),
        (("aecc-check", "te"), ["team.zip", "teams/"]),
        (("aecc-check", "teams/"), ["teams/a.py", "teams/b.zip"]),
        (("aecc-package", "ver"), ["verify"]),
        (("aecc-data", "fe"), ["fetch"]),
    ],
    ids=" ".join,
)
def test_bash_offers_what_fits(words: tuple[str, ...], expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "teams" / ".git").mkdir(parents=True)
    for name in ("team.zip", "team.txt", "teams/b.zip", "teams/a.py", "teams/c.pdf"):
        (tmp_path / name).touch()
    offered = in_bash(tmp_path, *words)
    assert [one for one in offered if one in expected] == expected
    if words[-1].startswith("te"):
        assert offered == expected, "nothing else can be a submission"


def test_a_folder_that_cannot_be_read_offers_nothing(tmp_path: Path) -> None:
    assert in_bash(tmp_path, "aecc-check", "nowhere/x") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_learns_all_three_commands(shell: str) -> None:
    lines = shell_lines(shell)
    assert all(command in lines for command in ("aecc-check", "aecc-package", "aecc-data"))
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=lines, text=True, check=True)
