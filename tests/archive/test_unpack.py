"""Unpacking: files as promised, damage as facts, and never a write outside the folder."""

from __future__ import annotations

import hashlib
import stat
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.archive import LfsPointer, UnpackFacts
from tests.builders import SYMLINK_MODE, Member, make_zip, raw_zip

if TYPE_CHECKING:
    from pathlib import Path

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 94371840\n"


def unpacked(tmp_path: Path, data: bytes) -> tuple[UnpackFacts, Path]:
    path, into = tmp_path / "submission.zip", tmp_path / "out"
    path.write_bytes(data)
    return unpack(path, read_listing(path), into), into


def everything(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("digest", [None, hashlib.sha256()], ids=["threads", "hashed"])
def test_large_stored_files_may_stay_packed_and_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest: hashlib._Hash | None
) -> None:
    monkeypatch.setattr("audio_encoder_checker.archive.unpack.LARGE_BYTES", 1000)
    path, weights = tmp_path / "submission.zip", bytes(range(256)) * 100
    whole = make_zip({"small.bin": b"x" * 1000, "w/large.bin": weights, "w/other.bin": weights[::-1]}, compress=False)
    path.write_bytes(whole.replace(weights[::-1], weights[::-1][:-1] + b"!"))
    facts = unpack(path, read_listing(path), tmp_path / "out", digest=digest, leave_packed=True)
    (left,) = facts.left_packed
    assert (left.name, left.size_bytes) == ("w/large.bin", len(weights))
    assert path.read_bytes()[left.offset :].startswith(weights)
    assert everything(tmp_path / "out") == {"small.bin": b"x" * 1000, "w/large.bin": bytes(len(weights))}
    assert [one.name for one in facts.damaged] == ["w/other.bin"]
    assert digest is None or digest.hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_packed_large_files_are_unpacked_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio_encoder_checker.archive.unpack.LARGE_BYTES", 1000)
    path = tmp_path / "submission.zip"
    path.write_bytes(make_zip({"large.bin": b"abc" * 1000}))
    facts = unpack(path, read_listing(path), tmp_path / "out", leave_packed=True)
    assert (facts.left_packed, everything(tmp_path / "out")) == ((), {"large.bin": b"abc" * 1000})


@pytest.mark.parametrize("compress", [True, False])
def test_files_arrive_byte_for_byte(tmp_path: Path, *, compress: bool) -> None:
    files = {"encoder.py": b"x = 1\n", "lib/deep/model.bin": bytes(range(256)) * 4000, "empty.txt": b""}
    facts, into = unpacked(tmp_path, make_zip(files, compress=compress))
    assert everything(into) == files
    assert (facts.files, facts.unpacked_bytes, facts.damaged) == (3, 1_024_006, ())


def test_modes_are_ours(tmp_path: Path) -> None:
    _, into = unpacked(tmp_path, raw_zip(Member(name=b"lib/run.py", mode=stat.S_IFREG | 0o6777)))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (into, into / "lib", into / "lib/run.py")]
    assert [modes[0], modes[1] & ~0o755, modes[2] & ~0o644] == [0o700, 0, 0]


def test_macos_metadata_is_left_aside(tmp_path: Path) -> None:
    names = ("__MACOSX/._encoder.py", ".DS_Store", "lib/._model.py", "encoder.py")
    facts, into = unpacked(tmp_path, make_zip(dict.fromkeys(names, "x")))
    assert facts.skipped == names[:3]
    assert list(everything(into)) == ["encoder.py"]


def test_git_lfs_pointer_is_noticed(tmp_path: Path) -> None:
    facts, _ = unpacked(tmp_path, make_zip({"weights.pt": POINTER, "readme": "not a pointer"}))
    assert facts.pointers == (LfsPointer("weights.pt", 94_371_840),)


DEFLATED = Member(method=8, data=b"abc" * 1000)


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (Member(crc32=1), "its CRC-32 should be 00000001"),
        (replace(DEFLATED, unpacked_size=10), "should have 10 bytes and unpacks to more"),
        (replace(DEFLATED, unpacked_size=9000), "should have 9000 bytes and unpacks to 3000"),
        (replace(DEFLATED, packed=DEFLATED.body + b"more"), "4 bytes behind the end"),
        (replace(DEFLATED, packed=DEFLATED.body[:-3]), "breaks off"),
        (replace(DEFLATED, packed=b"\xff" * 20), "is damaged"),
        (Member(method=14), "method 14"),
        (Member(mode=SYMLINK_MODE), "no plain file"),
        (Member(flags=1), "no plain file"),
        (Member(name=b"../outside.py"), "not a plain relative one"),
        (Member(name=b"/outside.py"), "not a plain relative one"),
        (Member(name=b"a/./outside.py"), "not a plain relative one"),
        (Member(name=b"x\0y"), "not a plain relative one"),
        (Member(name=b"n" * 300), "cannot be written"),
    ],
)
def test_damaged_member_is_left_out_and_named(tmp_path: Path, member: Member, words: str) -> None:
    facts, into = unpacked(tmp_path, raw_zip(member, Member(name=b"good.py")))
    assert words in facts.damaged[0].what
    assert list(everything(into)) == ["good.py"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "submission.zip"]


def test_second_file_of_a_name_never_replaces_the_first(tmp_path: Path) -> None:
    facts, into = unpacked(tmp_path, raw_zip(Member(data=b"first"), Member(data=b"second")))
    assert everything(into) == {"encoder.py": b"first"}
    assert "cannot be written" in facts.damaged[0].what


def test_file_in_place_of_a_folder_is_damage(tmp_path: Path) -> None:
    facts, _ = unpacked(tmp_path, raw_zip(Member(name=b"a"), Member(name=b"a/b")))
    assert facts.damaged[0].name == "a/b"


def test_folder_that_exists_is_not_unpacked_into(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError):
        unpacked(tmp_path, raw_zip(Member()))


def test_room_on_the_disk_is_looked_for_first(tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    path.write_bytes(make_zip({"a": "b"}))
    listing = read_listing(path)
    huge = replace(listing, entries=(replace(listing.entries[0], unpacked_bytes=1 << 60),))
    with pytest.raises(MachineError, match="are free") as raised:
        unpack(path, huge, tmp_path / "out")
    assert raised.value.exit_code == 3


def test_bomb_stops_at_its_declared_size(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(64 << 20), 9)[2:-4]
    facts, into = unpacked(tmp_path, raw_zip(Member(method=8, packed=bomb, unpacked_size=100, crc32=0)))
    assert "unpacks to more" in facts.damaged[0].what
    assert everything(into) == {}


def test_paths_of_a_few_bytes_do_not_fill_the_disk_with_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audio_encoder_checker.archive.unpack.MAX_FOLDERS", 10)
    facts, into = unpacked(tmp_path, raw_zip(*(Member(name=b"%d/a/b/c/d" % number) for number in range(5))))
    assert [member.what for member in facts.damaged] == 2 * ["all paths together have more than 10 folders"]
    assert sum(path.is_dir() for path in into.rglob("*")) == 12
