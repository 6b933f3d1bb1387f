"""Three lines of source for a finding, and nothing of what lies outside the repository."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import excerpts
from audio_encoder_checker.archive.excerpts import with_excerpts
from audio_encoder_checker.findings import SourceLine
from tests.builders import write_tree
from tests.render.reports import finding

if TYPE_CHECKING:
    from pathlib import Path


def excerpt(root: Path, at: str) -> list[tuple[int, str]]:
    (found,) = with_excerpts([finding(at=at)], root)
    return [(one.line, one.text) for one in found.excerpt]


@pytest.mark.parametrize(
    ("at", "lines"),
    [
        ("a.py:1", [(1, "one"), (2, "    two")]),
        ("a.py:2", [(1, "one"), (2, "    two"), (3, "three")]),
        ("a.py:3", [(2, "    two"), (3, "three")]),
        ("./lib/../a.py:3", [(2, "    two"), (3, "three")]),
        ("a.py:0", []),
        ("a.py:4", []),
        ("a.py:999999999", []),
        ("a.py:" + "9" * 5_000, []),
        ("a.py:-1", []),
        ("a.py:²", []),
        ("a.py", []),
        ("a.py:x", []),
        ("", []),
        ("notes.txt:1", []),
        ("none.py:1", []),
        ("lib.py:1", []),
        ("a\0.py:1", []),
        ("x" * 5_000 + ".py:1", []),
    ],
)
def test_a_line_comes_with_its_neighbours(tmp_path: Path, at: str, lines: list[tuple[int, str]]) -> None:
    write_tree(tmp_path, {"a.py": "one\n\ttwo\r\nthree\n", "notes.txt": "x\n", "lib.py/x": "", "lib/x": ""})
    assert excerpt(tmp_path, at) == lines


def test_a_finding_elsewhere_is_left_as_it_is(tmp_path: Path) -> None:
    found = (finding(at="weights.bin"), finding(at=""))
    assert with_excerpts(found, tmp_path) == found


@pytest.mark.parametrize(
    "path", ["../outside.py", "../../../../../../../../etc/passwd.py", "link.py", "folder/outside.py"]
)
def test_nothing_outside_the_repository_is_read(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside.py").write_text("secret\n")
    root = write_tree(tmp_path / "repo", {"a.py": "x\n"})
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    (root / "folder").symlink_to(tmp_path)
    assert excerpt(root, f"{path}:1") == []
    assert excerpt(root, f"{tmp_path / 'outside.py'}:1") == []
    assert excerpt(root, f"{root / 'a.py'}:1") == []


def test_a_link_within_the_repository_is_followed(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"a.py": "x = 1\n"})
    (root / "b.py").symlink_to("a.py")
    assert excerpt(root, "b.py:1") == [(1, "x = 1")]


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders")
def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "null.py").symlink_to("/dev/null")
    for name in ("pipe", "loop", "null"):
        assert excerpt(tmp_path, f"{name}.py:1") == []


def test_a_file_that_is_too_large_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"#" * excerpts.MAX_BYTES)
    (tmp_path / "b.py").write_bytes(b"#\n" + b"#" * excerpts.MAX_BYTES)
    assert len(excerpt(tmp_path, "a.py:1")[0][1]) == excerpts.MAX_LINE
    assert excerpt(tmp_path, "b.py:1") == []


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "a.py").open("wb") as file:
        file.truncate(1 << 40)  # a hole: it takes no room on the disk
    assert excerpt(tmp_path, "a.py:1") == []


@pytest.mark.parametrize(
    "data", [b"x \xff\xfe \x00\x1b[2J", "x = '\u202e' \u200b\x85".encode(), b"\xef\xbb\xbf\t\x0c\x08"]
)
def test_text_is_made_printable(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.py").write_bytes(data)
    ((line, text),) = excerpt(tmp_path, "a.py:1")
    assert line == 1
    assert text.isprintable()


def test_lines_are_counted_as_python_counts_them(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("a\x0cb\u2028c\rd\n".encode())
    assert excerpt(tmp_path, "a.py:2")[-1] == (2, "d")


def test_a_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x\n" * 10)
    found = with_excerpts([finding(at=f"a.py:{line}") for line in range(1, 11)], tmp_path)
    assert found[4].excerpt == (SourceLine(4, "x"), SourceLine(5, "x"), SourceLine(6, "x"))
