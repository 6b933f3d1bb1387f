"""What arrives, and what is the same."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.organising import inbox
from audio_encoder_checker.organising.inbox import Watch, add, part_files, take_in
from audio_encoder_checker.organising.kinship import contents_of, find_kin

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_content_is_one_submission_whatever_it_is_called(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"1")):
        (tmp_path / f"{name}.zip").write_bytes(content)
    found = take_in([tmp_path / f"{name}.zip" for name in "abca"])
    assert [[path.stem for path in one.files] for one in found.values()] == [["a", "c"], ["b"]]


def test_a_folder_is_no_submission_of_many(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no file"):
        take_in([tmp_path])


def test_a_file_that_is_still_being_written_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    watch, file = Watch(tmp_path), tmp_path / "team.zip"
    told = []
    for second in range(12):
        now[0] = float(second)
        if second < 4:
            with file.open("ab") as part:
                part.write(b"more")
        told.append(list(watch.arrived()))
    assert told.index([file]) == 3 + inbox.SETTLED_S
    assert told.count([file]) == 1
    file.write_bytes(b"a new version")
    assert list(watch.arrived()) == []
    now[0] += inbox.SETTLED_S
    assert list(watch.arrived()) == [file]


def test_a_file_that_arrives_with_known_content_is_added_to_it(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(b"same")
    known = take_in([tmp_path / "a.zip"])
    assert add(known, tmp_path / "b.zip").files == [tmp_path / "a.zip", tmp_path / "b.zip"]
    assert len(known) == 1


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_submissions_that_share_most_files_are_named_whatever_the_files_are_called(tmp_path: Path) -> None:
    large = {f"{n}.py": b"%d" % n * 300 for n in range(9)}
    first = zipped(tmp_path / "a.zip", {**large, "own.py": b"a" * 300})
    second = zipped(tmp_path / "b.zip", {**{f"x/{name}": text for name, text in large.items()}, "o.py": b"b" * 300})
    other = zipped(tmp_path / "c.zip", {"own.py": b"a" * 300, "else.py": b"c" * 300, "empty.py": b""})
    empty = zipped(tmp_path / "d.zip", {"empty.py": b""})
    contents = {path.stem: contents_of(path) for path in (first, second, other, empty)}
    (kin,) = find_kin(contents)
    assert (kin.first, kin.second) == ("a", "b")
    assert kin.share == pytest.approx(9 / 11)


def test_what_is_no_zip_has_no_kin(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    assert contents_of(tmp_path / "a.zip") == frozenset()
    assert contents_of(tmp_path / "nowhere.zip") == frozenset()


def test_endings_are_those_of_any_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "SETTLED_S", 0.0)
    for name in ("A.ZIP", "b.zip", "c.rar"):
        (tmp_path / name).write_bytes(b"x")
    watch = Watch(tmp_path)
    assert list(watch.arrived()) == []
    assert [path.name for path in watch.arrived()] == ["A.ZIP", "b.zip"]


def test_files_in_whose_place_a_new_version_was_sent_are_told_apart() -> None:
    record = {"submission": {"sha256": "a", "files": ["one.zip", "two.zip", "three.zip"]}}
    assert part_files(record, {"one.zip": "b", "two.zip": "a"}) == (["two.zip", "three.zip"], ["one.zip"])
