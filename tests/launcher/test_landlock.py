from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from audio_encoder_checker.launcher.landlock import version

pytestmark = pytest.mark.skipif(version() < 3, reason="no Landlock, or one that is too old")
PACKAGE = Path(__file__).parents[2]
SYSTEM = ["/usr", "/lib", "/lib64", "/bin", sys.base_prefix, sys.prefix]


def restricted(code: str, *arguments: str, read: list[str] | None = None, write: list[str] | None = None) -> str:
    """What a process that has restricted itself says of `code`: its value, or the name of its OSError."""
    program = f"""
import os, sys
sys.path.insert(0, {str(PACKAGE)!r})
from audio_encoder_checker.launcher import landlock
landlock.restrict({[*SYSTEM, *(read or [])]!r}, {write or []!r}, ["/dev/null"])
try:
    print({code})
except OSError as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_file_that_was_not_named_cannot_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    assert restricted("open(sys.argv[1]).read()", str(secret), read=[str(tmp_path)]) == "x"
    assert restricted("open(sys.argv[1]).read()", str(secret)) == "PermissionError"


def test_a_link_into_an_open_folder_does_not_open_its_target(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "open"
    secret.write_text("x")
    folder.mkdir()
    (folder / "link").symlink_to(secret)
    assert restricted("open(sys.argv[1]).read()", str(folder / "link"), write=[str(folder)]) == "PermissionError"


@pytest.mark.parametrize(
    "attempt",
    [
        "open(sys.argv[1], 'a')",
        "os.truncate(sys.argv[1], 0)",
        "os.unlink(sys.argv[1])",
        "os.rename(sys.argv[1], sys.argv[1] + '2')",
        "os.link(sys.argv[1], sys.argv[1] + '2')",
    ],
)
def test_what_is_only_to_read_cannot_be_changed(tmp_path: Path, attempt: str) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    assert restricted(attempt, str(file), read=[str(tmp_path)]) in ("PermissionError", "OSError")
    assert file.read_text() == "x"


def test_the_folder_to_write_takes_files_and_no_devices_or_pipes(tmp_path: Path) -> None:
    assert restricted("open(sys.argv[1] + '/a', 'w').write('abc')", str(tmp_path), write=[str(tmp_path)]) == "3"
    assert restricted("os.mkfifo(sys.argv[1] + '/b')", str(tmp_path), write=[str(tmp_path)]) == "PermissionError"


def test_a_path_that_does_not_exist_is_left_out() -> None:
    assert restricted("'here'", read=["/no/such/folder"]) == "here"


@pytest.mark.skipif(version() < 6, reason="signals are not confined before ABI 6")
def test_signals_stay_inside() -> None:
    attempt = "os.kill(os.getppid(), 0)"
    free = subprocess.run([sys.executable, "-c", f"import os; {attempt}"], check=False)
    assert free.returncode == 0, "without Landlock the parent may be signalled"
    assert restricted(attempt) == "PermissionError"
