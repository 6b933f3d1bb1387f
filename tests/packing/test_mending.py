"""ZIPs as systems write them, mended and judged by the real checks afterwards."""

from __future__ import annotations

import json
import os
import stat
import threading
import zipfile
from pathlib import Path

import pytest

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.manifest import MANIFEST
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.packing.build import build_zip
from audio_encoder_checker.packing.inspection import inspect_zip
from audio_encoder_checker.packing.mending.carry import carry_out
from audio_encoder_checker.packing.mending.plan import Wishes, planned
from audio_encoder_checker.rules import load_rules
from tests.builders import SYMLINK_MODE, Member, make_zip, raw_zip, write_tree
from tests.packing.mended import ENCODER, LOADING, PINNED, contents, mend


def archive(folder: Path, data: bytes, name: str = "team.zip") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def found(path: Path) -> set[str]:
    """What the archive's checks say of a ZIP."""
    evidence = Evidence()
    evidence.put(load_rules(), read_listing(path))
    return {one.id for one in judge(evidence, [c for c in all_checks() if c.stage == "archive"]).findings}


def utf8(files: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in files.items()}


SUBMISSIONS = {
    "powershell": (
        raw_zip(
            Member(b"repo\\", b"", mode=0), Member(b"repo\\encoder.py", ENCODER.encode(), mode=0, method=8),
            Member(b"repo\\net\\model.py", b"x = 1\n", mode=0), Member(b"repo\\empty\\", b"", mode=0),
        ),
        {"AEC131"},
        {"encoder.py": ENCODER, "net/model.py": "x = 1\n"},
    ),
    "finder": (
        make_zip({
            "repo/": "", "repo/encoder.py": ENCODER, "repo/.DS_Store": "x", "__MACOSX/": "",
            "__MACOSX/repo/._encoder.py": "x",
        }),
        {"AEC118", "AEC119"},
        {"encoder.py": ENCODER},
    ),
    "a clone with its environment": (
        raw_zip(
            Member(b"encoder.py", ENCODER.encode()), Member(b".git/HEAD", b"ref"), Member(b".git/a.py", b"x = 1\n"),
            Member(b"venv/pyvenv.cfg", b"home"), Member(b"venv/bin/python", b"/usr/bin/python3", mode=SYMLINK_MODE),
            Member(b"env311/pyvenv.cfg", b"home"), Member(b"env311/bin/python", b"/usr/bin/python3", mode=SYMLINK_MODE),
            Member(b"net/__pycache__/model.pyc", b"x"), Member(b"net/model.py", b"x = 1\n"),
        ),
        {"AEC118", "AEC132"},
        {"encoder.py": ENCODER, "net/model.py": "x = 1\n"},
    ),
    "chinese windows": (
        raw_zip(Member(b"encoder.py", ENCODER.encode(), mode=0), Member("权重/说明.txt".encode("gbk"), b"x", mode=0)),
        {"AEC139"},
        {"encoder.py": ENCODER, "权重/说明.txt": "x"},
    ),
    "old macos": (
        raw_zip(Member(b"encoder.py", ENCODER.encode()), Member("é.txt".encode(), b"x")),
        {"AEC139"},
        {"encoder.py": ENCODER, "é.txt": "x"},
    ),
    "special rights": (
        raw_zip(Member(b"encoder.py", ENCODER.encode(), mode=stat.S_IFREG | 0o4755)),
        {"AEC140"},
        {"encoder.py": ENCODER},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SUBMISSIONS)
def test_what_is_mechanical_in_a_zip_is_mended(case: str, tmp_path: Path) -> None:
    data, wrong, files = SUBMISSIONS[case]
    path = archive(tmp_path, data)
    assert wrong <= found(path)
    mended, _ = mend(path)
    assert mended == tmp_path / "team-fixed.zip"
    assert found(mended) == set()
    assert contents(mended) == utf8(files)
    assert path.read_bytes() == data
    assert sorted(one.name for one in tmp_path.iterdir()) == ["team-fixed.zip", "team.zip"]
    assert mend(mended) == (mended, [])


@pytest.mark.parametrize("case", SUBMISSIONS)
def test_the_same_zip_gives_the_same_bytes(case: str, tmp_path: Path) -> None:
    first, second = (archive(write_tree(tmp_path / one, {"x": ""}), SUBMISSIONS[case][0]) for one in "ab")
    os.utime(second, (1, 1))
    before = os.umask(0o077)
    try:
        one = mend(first)[0].read_bytes()
    finally:
        os.umask(before)
    assert one == mend(second)[0].read_bytes()


def test_a_mended_zip_has_the_bytes_that_the_packager_writes(tmp_path: Path) -> None:
    files = {"encoder.py": ENCODER, "model.pt": "w" * 1000, "名.txt": "x"}
    build_zip(write_tree(tmp_path / "repo", files), tmp_path / "built.zip")
    with zipfile.ZipFile(tmp_path / "built.zip") as built:
        nested = {f"team/{name}": built.read(name) for name in built.namelist()}
    mended, ids = mend(archive(tmp_path, make_zip({**nested, "team/.git/HEAD": "x", "team/.gitignore": ""})))
    assert ids == ["AEC118", "AEC119"]
    (tmp_path / "repo" / ".gitignore").write_text("")
    build_zip(tmp_path / "repo", tmp_path / "again.zip")
    assert mended.read_bytes() == (tmp_path / "again.zip").read_bytes()


@pytest.mark.usefixtures("hub")
def test_a_manifest_is_made_anew_and_fits(tmp_path: Path) -> None:
    write_tree(tmp_path / "repo", {"encoder.py": LOADING, ".gitignore": ""})
    build_zip(tmp_path / "repo", tmp_path / "team.zip")
    mended, ids = mend(tmp_path / "team.zip")
    assert ids == ["AEC601"]
    assert contents(mended)["encoder.py"].decode() == PINNED
    assert json.loads(contents(mended)[MANIFEST])["encoder"] == "encoder.py"
    assert [one.id for one in inspect_zip(mended, sources=False)] == []


def test_a_manifest_below_a_folder_that_stays_is_made_anew_there(tmp_path: Path) -> None:
    write_tree(tmp_path / "repo", {"encoder.py": ENCODER})
    build_zip(tmp_path / "repo", tmp_path / "built.zip")
    inner = contents(tmp_path / "built.zip")
    files = {**{f"a/b/{name}": data for name, data in inner.items()}, "a/.git/HEAD": b"x"}
    path = archive(tmp_path, make_zip(files))
    mended, ids = mend(path)
    assert ids == ["AEC118", ""]
    assert set(contents(mended)) == {"a/b/encoder.py", f"a/b/{MANIFEST}", "a/.aeccignore"}


@pytest.mark.usefixtures("hub")
def test_all_of_it_at_once(tmp_path: Path) -> None:
    data = raw_zip(
        Member(b"repo\\encoder.py", LOADING.replace("\n", "\r\n").encode()), Member(b"repo\\venv\\pyvenv.cfg", b"x"),
        Member("repo\\名.txt".encode("gbk"), b"x", mode=stat.S_IFREG | 0o2644), Member(b"__MACOSX\\._x", b"x"),
    )  # fmt: skip
    mended, ids = mend(archive(tmp_path, data))
    assert ids == ["AEC118", "AEC131", "AEC119", "AEC139", "AEC140", "AEC601", ""]
    assert found(mended) == set()
    assert contents(mended) == utf8({"encoder.py": PINNED.replace("\n", "\r\n"), "名.txt": "x"})


REFUSED = {
    "AEC101": b"Rar!\x1a\x07\x01\x00" + bytes(100),
    "AEC102": make_zip({"encoder.py": ENCODER})[:-30],
    "AEC109": make_zip({"encoder.py": ENCODER}) + b"more",
    "AEC110": raw_zip(Member(b"encoder.py", flags=1)),
    "AEC111": raw_zip(Member(b"encoder.py", method=12)),
    "AEC115": raw_zip(Member(b"a\\encoder.py", crc32=1, local_crc32=1)),
    "AEC116": make_zip({"a\\w.pt": "version https://git-lfs.github.com/spec/v1\nsize 12\n"}),
    "AEC130": make_zip({"repo\\..\\encoder.py": ENCODER}),
    "AEC132": raw_zip(Member(b"a\\encoder.py"), Member(b"link", b"x", mode=SYMLINK_MODE)),
    "AEC133": make_zip({"a\\encoder.py": ENCODER, "a/encoder.py": ENCODER}),
    "AEC134": make_zip({"a\\Net.py": "x", "a/net.py": "y"}),
    "AEC136": make_zip({"a\\aux.py": "x"}),
    "AEC138": raw_zip(Member(b"\xff.py", flags=0x800)),
}


@pytest.mark.parametrize("check_id", REFUSED)
def test_what_only_the_author_can_mend_is_refused_with_its_remedy(check_id: str, tmp_path: Path) -> None:
    path = archive(tmp_path, REFUSED[check_id])
    with pytest.raises(UsageError, match=check_id) as refused, planned(path):
        pass
    assert refused.value.hint
    assert [one.name for one in tmp_path.iterdir()] == ["team.zip"]


def test_a_zip_of_litter_alone_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="no file that is part of a repository"),
        planned(archive(tmp_path, make_zip({"venv/encoder.py": ENCODER}))),
    ):
        pass


def test_settings_that_name_the_old_place_are_refused(tmp_path: Path) -> None:
    files = {"team/encoder.py": ENCODER, "team/aecc.toml": 'encoder = "team/encoder.py"\n'}
    path = archive(tmp_path, make_zip(files))
    with pytest.raises(UsageError, match="the settings name the encoder") as refused, planned(path):
        pass
    assert refused.value.hint == "write `encoder = 'encoder.py'` into aecc.toml"
    assert mend(path, Wishes(isolated=True))[1] == ["AEC119", ""]


def test_the_folder_of_the_encoder_that_the_user_names_stays(tmp_path: Path) -> None:
    path = archive(tmp_path, make_zip({"team/encoder.py": ENCODER, "team/.git/x": "x"}))
    mended, ids = mend(path, Wishes(encoder="team/encoder.py"))
    assert ids == ["AEC118", ""]
    assert set(contents(mended)) == {"team/encoder.py"}


def test_litter_does_not_count_as_files(tmp_path: Path) -> None:
    many = {f"node_modules/{number}.js": "" for number in range(10_050)}
    path = archive(tmp_path, make_zip({"encoder.py": ENCODER, **many}, compress=False))
    assert "AEC112" in found(path)
    assert found(mend(path)[0]) == set()


def test_a_zip_too_full_to_be_listed_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, make_zip({f"node_modules/{number}": "" for number in range(20_001)}, compress=False))
    with pytest.raises(UsageError, match="AEC112"), planned(path):
        pass


def test_a_mended_zip_of_before_stays(tmp_path: Path) -> None:
    path = archive(tmp_path, make_zip({"team/encoder.py": ENCODER}))
    archive(tmp_path, b"mine", "team-fixed.zip")
    with planned(path) as plan:
        with pytest.raises(UsageError, match="is there already"):
            carry_out(plan)
        assert (tmp_path / "team-fixed.zip").read_bytes() == b"mine"
        carry_out(plan, force=True)
    assert set(contents(tmp_path / "team-fixed.zip")) == {"encoder.py"}


def test_the_source_that_names_what_is_left_out_is_told(tmp_path: Path) -> None:
    source = ENCODER + "\n\nCACHE = 'x/.cache/model'\n"
    path = archive(tmp_path, make_zip({"encoder.py": source, ".cache/w.pt": "x", ".git/HEAD": "x"}))
    with planned(path) as plan:
        assert plan.notes == ("encoder.py:6 .cache/ is left out, and the source names it: is it needed?",)


def test_a_clean_zip_and_one_without_an_ignore_file_are_left_alone(tmp_path: Path) -> None:
    path = archive(tmp_path, make_zip({"encoder.py": ENCODER}))
    assert mend(path) == (path, [])


def test_planning_writes_nothing_and_the_unpacked_copy_goes_with_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    path = archive(tmp_path, SUBMISSIONS["finder"][0])

    def interrupted() -> None:
        with planned(path) as plan:
            assert (plan.top / "encoder.py").is_file()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["team.zip", "temporary"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_failure_on_the_way_leaves_no_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = archive(tmp_path, SUBMISSIONS["finder"][0])
    monkeypatch.setattr("os.fsync", full)
    with planned(path) as plan, pytest.raises(MachineError, match=r"cannot write .*team-fixed\.zip"):
        carry_out(plan)
    assert [one.name for one in tmp_path.iterdir()] == ["team.zip"]


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    paths = [archive(tmp_path, SUBMISSIONS["finder"][0], f"team{number}.zip") for number in range(4)]
    threads = [threading.Thread(target=mend, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({Path(tmp_path / f"team{number}-fixed.zip").read_bytes() for number in range(4)}) == 1
