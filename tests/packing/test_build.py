"""The promise: the same files give the same bytes, and a ZIP that was there stays until the new one is whole."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.manifest import MANIFEST, parse_json
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.packing.build import build_zip
from audio_encoder_checker.packing.writing import other_zlib
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = hashlib.shake_128(b"weights").digest(100_000)


def make_repo(root: Path) -> Path:
    (root / "weights").mkdir(parents=True)
    (root / "encoder.py").write_text("class TeamEncoder:\n    def forward(self, audio):\n        return audio\n" * 20)
    (root / "weights" / "model.safetensors").write_bytes(WEIGHTS)
    (root / "notes.txt").write_text("你好\n")
    return root


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "repo")


def entries(path: Path) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: info for info in archive.infolist()}


def test_the_zip_holds_every_file_as_it_is_and_lists_it(repo: Path, tmp_path: Path) -> None:
    built = build_zip(repo, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert names == [*sorted(chosen.name for chosen in built.selection.files), MANIFEST]
        assert all(archive.read(name) == (repo / name).read_bytes() for name in names if name != MANIFEST)
        listed = parse_json(archive.read(MANIFEST).decode(), "manifest")["files"]
    assert [file["name"] for file in listed] == ["encoder.py", "notes.txt", "weights/model.safetensors"]
    assert built.content_bytes == sum(file["size_bytes"] for file in listed)
    assert built.size_bytes == (tmp_path / "out.zip").stat().st_size


def test_two_checkouts_give_the_same_bytes(tmp_path: Path) -> None:
    one = make_repo(tmp_path / "one")
    before = os.umask(0o077)
    try:
        other = make_repo(tmp_path / "elsewhere" / "another name")
    finally:
        os.umask(before)
    (other / "encoder.py").chmod(0o755)
    for file in other.rglob("*"):
        os.utime(file, (1, 4_000_000_000))
    shutil.copytree(one, other / "__pycache__")
    first = build_zip(one, tmp_path / "one.zip")
    second = build_zip(other, tmp_path / "other.zip")
    assert first.sha256 == second.sha256
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()


def test_times_and_modes_are_fixed(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    build_zip(repo, tmp_path / "out.zip")
    assert {info.date_time for info in entries(tmp_path / "out.zip").values()} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in entries(tmp_path / "out.zip").values()} == {0o100644}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    build_zip(repo, tmp_path / "later.zip")
    assert {info.date_time for info in entries(tmp_path / "later.zip").values()} == {(2023, 11, 14, 22, 13, 20)}


@pytest.mark.parametrize("epoch", ["yesterday", "0", "-1", "99999999999", ""])
def test_a_time_that_no_zip_can_hold_is_refused(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        build_zip(repo, tmp_path / "out.zip")


def test_weights_are_stored_and_text_is_deflated(repo: Path, tmp_path: Path) -> None:
    (repo / "WEIGHTS.PT").write_bytes(b"0" * 1000)
    build_zip(repo, tmp_path / "out.zip")
    methods = {name: info.compress_type for name, info in entries(tmp_path / "out.zip").items()}
    assert methods == {
        "WEIGHTS.PT": zipfile.ZIP_STORED,
        MANIFEST: zipfile.ZIP_DEFLATED,
        "encoder.py": zipfile.ZIP_DEFLATED,
        "notes.txt": zipfile.ZIP_DEFLATED,
        "weights/model.safetensors": zipfile.ZIP_STORED,
    }


def test_files_too_large_for_a_plain_zip_become_zip64(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10_000)  # as if 100 kB were more than 2 GiB
    build_zip(repo, tmp_path / "out.zip")
    monkeypatch.undo()
    listing = read_listing(tmp_path / "out.zip")
    assert listing.defects == ()
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.read("weights/model.safetensors") == WEIGHTS
        assert archive.getinfo("weights/model.safetensors").extract_version == zipfile.ZIP64_VERSION


def test_building_into_the_folder_does_not_pack_the_zip_into_itself(repo: Path) -> None:
    first = build_zip(repo, repo / "out.zip")
    again = build_zip(repo, repo / "out.zip", force=True)
    assert "out.zip" not in entries(repo / "out.zip")
    assert first.sha256 == again.sha256


def test_an_existing_zip_is_replaced_only_when_told_to(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_bytes(b"old")
    with pytest.raises(UsageError, match="there already") as caught:
        build_zip(repo, tmp_path / "out.zip")
    assert "--force" in caught.value.hint
    assert (tmp_path / "out.zip").read_bytes() == b"old"
    build_zip(repo, tmp_path / "out.zip", force=True)
    assert zipfile.is_zipfile(tmp_path / "out.zip")


def test_the_old_zip_stays_when_building_breaks_off(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.zip").write_bytes(b"old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)  # after everything was written, before it takes its place
    with pytest.raises(KeyboardInterrupt):
        build_zip(repo, tmp_path / "out.zip", force=True)
    assert (tmp_path / "out.zip").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.zip", "repo"], "no unfinished file is left"


def test_a_full_disk_is_the_machines_fault(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="No space left"):
        build_zip(repo, tmp_path / "out.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["repo"]


@pytest.mark.parametrize(
    ("target", "words"),
    [("repo", "is a folder"), ("out.tar", "ending in .zip"), ("nowhere/out.zip", "cannot write into")],
)
def test_a_target_that_will_not_do_is_refused(repo: Path, tmp_path: Path, target: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build_zip(repo, tmp_path / target)


def test_the_new_zip_has_the_usual_rights(repo: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        build_zip(repo, tmp_path / "out.zip")
    finally:
        os.umask(before)
    assert (tmp_path / "out.zip").stat().st_mode & 0o777 == 0o644


def manifest_encoder(path: Path) -> object:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(MANIFEST))["encoder"]


def test_the_manifest_names_the_encoder(repo: Path, tmp_path: Path) -> None:
    build_zip(repo, tmp_path / "found.zip")
    assert manifest_encoder(tmp_path / "found.zip") == "encoder.py"
    (repo / "aecc.toml").write_text('encoder = "encoder.py:TeamEncoder"\n')
    build_zip(repo, tmp_path / "told.zip")
    assert manifest_encoder(tmp_path / "told.zip") == "encoder.py:TeamEncoder"
    (repo / "aecc.toml").unlink()
    (repo / "encoder.py").write_text("")
    build_zip(repo, tmp_path / "none.zip")
    assert manifest_encoder(tmp_path / "none.zip") is None


def test_settings_that_name_an_encoder_which_is_not_packed_are_refused(repo: Path, tmp_path: Path) -> None:
    (repo / "aecc.toml").write_text('encoder = "model.py"\n')
    with pytest.raises(UsageError, match=r"'model\.py', which is not there"):
        build_zip(repo, tmp_path / "out.zip")
    (repo / "model.py").touch()
    (repo / ".aeccignore").write_text("model.py\n")
    with pytest.raises(UsageError, match=r"'model\.py', which is left out"):
        build_zip(repo, tmp_path / "out.zip")


def test_a_file_that_changes_while_it_is_packed_is_named(repo: Path, tmp_path: Path) -> None:
    weights = repo / "weights" / "model.safetensors"

    def grow(done: int, total: int) -> None:
        if done == total:
            with weights.open("ab") as file:
                file.write(b"more")

    with pytest.raises(UsageError, match=r"'weights/model\.safetensors' changed while it was being packed"):
        build_zip(repo, tmp_path / "out.zip", told=grow)
    assert not (tmp_path / "out.zip").exists()
    (repo / "zzz.bin").write_bytes(b"1" * 10)
    with pytest.raises(UsageError, match=r"cannot read 'zzz\.bin': No such file"):
        build_zip(repo, tmp_path / "out.zip", told=lambda *_: (repo / "zzz.bin").unlink(missing_ok=True))


def test_a_file_that_cannot_be_read_is_named(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.FileIO):
        def readinto(self, _buffer: object) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("audio_encoder_checker.packing.writing._opened", lambda one: Broken(str(one.path)))
    with pytest.raises(UsageError, match=r"cannot read 'encoder\.py': Input/output error") as error:
        build_zip(repo, tmp_path / "out.zip")
    assert ".aeccignore" in error.value.hint


def test_what_was_packed_is_told(repo: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    built = build_zip(repo, tmp_path / "out.zip", told=lambda *numbers: told.append(numbers))
    assert told[-1] == (built.content_bytes, built.content_bytes)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_more_than_a_submission_may_unpack_to_is_told_before_anything_is_written(repo: Path, tmp_path: Path) -> None:
    with (repo / "old.ckpt").open("wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(
        UsageError, match=r"10\.74 GB would be packed, .* 8\.59 GB; the largest file is 'old\.ckpt'"
    ) as error:
        build_zip(repo, tmp_path / "out.zip")
    assert "slim" in error.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["repo"]


def test_this_pythons_zlib_is_as_most_are_or_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert other_zlib() in ("", zlib.ZLIB_RUNTIME_VERSION)
    monkeypatch.setattr("audio_encoder_checker.packing.writing.SAMPLE_DEFLATED", "0" * 64)
    assert other_zlib() == zlib.ZLIB_RUNTIME_VERSION


def test_no_room_is_told_before_anything_is_written(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(MachineError, match=r"MB in .*, 1 bytes are free"):
        build_zip(repo, tmp_path / "out.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["repo"]


def test_the_manifest_says_what_the_sources_and_settings_say(repo: Path, tmp_path: Path) -> None:
    (repo / "encoder.py").write_text("class TeamEncoder:\n    def __init__(self):\n        self.output_dim = 64\n")
    (repo / "aecc.toml").write_text('[training]\ndata = ["AudioSet"]\npretrained = ["facebook/wav2vec2-base"]\n')
    build_zip(repo, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        document = json.loads(archive.read(MANIFEST))
    assert document["declared"] == {"sampling_rate": None, "output_dim": 64, "hop_size_in_ms": None}
    assert document["training"] == {"data": ["AudioSet"], "pretrained": ["facebook/wav2vec2-base"]}
    assert document["profile"] == {"name": "icme-2025", "sha256": load_rules().sha256}
