"""What the user points at."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from audio_encoder_checker.archive.submission import read_submission
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.submission import SubmissionKind
from tests.builders import write_tree


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.zip", SubmissionKind.ARCHIVE), ("encoder.py", SubmissionKind.FILE), ("a.rar", SubmissionKind.ARCHIVE)],
)
def test_file_is_hashed_by_its_bytes(tmp_path: Path, name: str, kind: SubmissionKind) -> None:
    (tmp_path / name).write_bytes(b"12345")
    found = read_submission(tmp_path / name)
    assert (found.kind, found.size_bytes, found.sha256) == (kind, 5, hashlib.sha256(b"12345").hexdigest())


def test_folder_hash_ignores_place_and_caches(tmp_path: Path) -> None:
    files = {"encoder.py": "x = 1", "lib/model.py": "y"}
    one = write_tree(tmp_path / "one", files)
    two = write_tree(tmp_path / "two", {**files, ".git/HEAD": "z", "lib/__pycache__/m.pyc": "z", ".venv/x.py": "z"})
    first, second = read_submission(one), read_submission(two)
    assert first.kind is SubmissionKind.FOLDER
    assert (first.sha256, first.size_bytes) == (second.sha256, 6)


@pytest.mark.parametrize(
    "other",
    [{"encoder.py": "x = 2"}, {"encodes.py": "x = 1"}, {"encoder.py": "x = 1", "empty": ""}, {"a/encoder.py": "x = 1"}],
)
def test_folder_hash_tells_names_and_contents(tmp_path: Path, other: dict[str, str]) -> None:
    one = write_tree(tmp_path / "one", {"encoder.py": "x = 1"})
    assert read_submission(one).sha256 != read_submission(write_tree(tmp_path / "two", other)).sha256


def test_link_counts_by_its_target_and_is_not_followed(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"encoder.py": "x"})
    (root / "loop").symlink_to(root)
    before = read_submission(root)
    (root / "loop").unlink()
    (root / "loop").symlink_to("/etc")
    after = read_submission(root)
    assert before.size_bytes == after.size_bytes == 1
    assert before.sha256 != after.sha256


@pytest.mark.parametrize(
    ("name", "words", "hint"),
    [
        ("missing.zip", "there is no", "name a ZIP archive"),
        ("sub", "there is no", "did you mean 'submission.zip'"),
        ("no/folder/a.zip", "there is no", "there is no folder"),
        ("pipe", "is a pipe", "name a ZIP archive"),
        ("n" * 300, "name too long", "ls -la"),
    ],
)
def test_path_that_makes_no_sense_has_a_remedy(tmp_path: Path, name: str, words: str, hint: str) -> None:
    (tmp_path / "submission.zip").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError) as raised:
        read_submission(tmp_path / name)
    assert words in str(raised.value).lower()
    assert hint in raised.value.hint


def test_device_is_refused() -> None:
    with pytest.raises(UsageError, match="is a device"):
        read_submission(Path("/dev/zero"))
