"""ZIPs that were built, then tampered with."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.manifest import MANIFEST
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.packing.build import build_zip
from audio_encoder_checker.packing.inspection import inspect_zip

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def built(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "encoder.py").write_text(
        "import torch\n\n\nclass TeamEncoder(torch.nn.Module):\n    def forward(self, audio):\n        return audio\n"
    )
    (root / "requirements.txt").write_text("torch\n")
    (root / "weights.bin").write_bytes(b"w" * 5000)
    build_zip(root, tmp_path / "out.zip")
    return tmp_path / "out.zip"


def rewrite(path: Path, changes: dict[str, bytes | None], prefix: str = "") -> Path:
    """The same ZIP with files added, replaced or (None) removed, below a folder."""
    with zipfile.ZipFile(path) as archive:
        contents: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in {**contents, **changes}.items():
            if data is not None:
                archive.writestr(prefix + name, data)
    return target


def errors(path: Path, *, sources: bool = False) -> list[tuple[str, str]]:
    found = inspect_zip(path, sources=sources)
    return [(finding.name, finding.at) for finding in found if finding.severity is Severity.ERROR]


def test_what_was_built_is_sound(built: Path) -> None:
    assert errors(built, sources=True) == []


def test_packing_again_with_another_program_changes_nothing(built: Path) -> None:
    assert errors(rewrite(built, {})) == []
    assert errors(rewrite(built, {}, prefix="submission/")) == []


def test_tampering_is_found_file_by_file(built: Path) -> None:
    changed = rewrite(
        built, {"encoder.py": b"evil = 1\n", "weights.bin": b"v" * 5000, "requirements.txt": None, "extra.py": b""}
    )
    assert errors(changed) == [
        ("missing-packed-file", "requirements.txt"),
        ("added-file", "extra.py"),
        ("altered-file", "encoder.py"),
        ("altered-file", "weights.bin"),
    ]


def test_a_zip_without_a_manifest_is_told_how_to_get_one(built: Path) -> None:
    found = inspect_zip(rewrite(built, {MANIFEST: None}), sources=False)
    assert [finding.name for finding in found if finding.severity is Severity.ERROR] == ["missing-manifest"]
    assert "aecc-package build" in found[0].hint


def test_a_manifest_edited_by_hand_is_found(built: Path) -> None:
    assert errors(rewrite(built, {MANIFEST: b"{}"})) == [("unreadable-manifest", MANIFEST)]


def test_a_flipped_bit_is_found(built: Path) -> None:
    data = bytearray(built.read_bytes())
    data[data.index(b"wwww") + 100] ^= 1
    built.write_bytes(data)
    assert ("damaged-members", "weights.bin") in errors(built)


def test_nothing_is_unpacked_from_a_broken_archive(built: Path) -> None:
    with zipfile.ZipFile(built, "a") as archive:
        archive.writestr("../../escaped.py", "x = 1")
    names = [name for name, _ in errors(built)]
    assert names == ["unsafe-paths"]
    built.write_bytes(built.read_bytes()[:300])
    assert errors(built)
    built.write_bytes(b"Rar!\x1a\x07\x00" + b"x" * 100)
    assert [name for name, _ in errors(built)] == ["not-a-zip"]


def test_the_sources_are_judged_when_asked(built: Path, tmp_path: Path) -> None:
    (tmp_path / "repo" / "encoder.py").write_text("x = 1\n")
    build_zip(tmp_path / "repo", built, force=True)
    assert errors(built, sources=False) == []
    found = inspect_zip(built, sources=True)
    assert [f.stage for f in found if f.severity is Severity.ERROR] == ["source"]


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a ZIP"):
        inspect_zip(tmp_path, sources=False)
    with pytest.raises(UsageError, match="there is no"):
        inspect_zip(tmp_path / "gone.zip", sources=False)
