"""Names and records of a ZIP as they will be, from tables of contents as literals."""

from __future__ import annotations

import pytest

from audio_encoder_checker.evidence.archive import EntryKind
from audio_encoder_checker.packing.mending.changes import LeftOut, Renamed, Rewritten
from audio_encoder_checker.packing.mending.entries import MendedEntries, litter_at, mend_entries
from tests.builders import entry, listing


def names(mended: MendedEntries) -> list[str]:
    return [one.name for one in mended.listing.entries]


def mendings(mended: MendedEntries) -> dict[str, tuple[object, ...]]:
    return {one.check_id: one.changes for one in mended.mendings}


def test_a_clean_zip_stays_as_it_is() -> None:
    mended = mend_entries(listing("encoder.py", "model/", "model/net.py"))
    assert names(mended) == ["encoder.py", "model/", "model/net.py"]
    assert mended.mendings == ()
    assert mended.notes == ()


def test_litter_is_left_out_folder_by_folder_and_the_largest_first() -> None:
    mended = mend_entries(
        listing(
            "encoder.py",
            ".git/HEAD",
            ".git/objects/a",
            "x/__pycache__/a.pyc",
            "__MACOSX/._encoder.py",
            ".DS_Store",
            "._b",
        )
    )
    assert names(mended) == ["encoder.py"]
    assert mendings(mended) == {
        "AEC118": (
            LeftOut(".git/", 2, 20),
            LeftOut(".DS_Store", 1, 10),
            LeftOut("._b", 1, 10),
            LeftOut("__MACOSX/", 1, 10),
            LeftOut("x/__pycache__/", 1, 10),
        )
    }
    assert mended.listing.declared_entries == 1


def test_an_environment_is_known_by_its_settings() -> None:
    mended = mend_entries(listing("r/encoder.py", "r/my env/pyvenv.cfg", "r/my env/bin/python", "r/other/bin/python"))
    assert names(mended) == ["encoder.py", "other/bin/python"]
    assert mendings(mended)["AEC118"] == (LeftOut("r/my env/", 2, 20),)


def test_a_repository_with_pyvenv_cfg_at_its_top_is_not_litter_as_a_whole() -> None:
    assert names(mend_entries(listing("pyvenv.cfg", "encoder.py"))) == ["pyvenv.cfg", "encoder.py"]


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("a.py", ""),
        (".git/", ".git/"),
        ("a/.git", "a/.git"),
        ("a/venv/b/c", "a/venv/"),
        ("a/._b", "a/._b"),
        ("._a/b", ""),
    ],
)
def test_where_litter_begins(name: str, at: str) -> None:
    assert litter_at(name) == at


def test_backslashes_become_folders_and_empty_files_that_end_in_one_too() -> None:
    mended = mend_entries(listing("a.py", "b\\c.py", entry("b\\empty\\", unpacked_bytes=0, packed_bytes=0)))
    assert [(one.name, one.kind) for one in mended.listing.entries] == [
        ("a.py", EntryKind.FILE), ("b/c.py", EntryKind.FILE), ("b/empty/", EntryKind.FOLDER),
    ]  # fmt: skip
    assert mendings(mended)["AEC131"] == (Renamed("b\\c.py", "b/c.py"), Renamed("b\\empty\\", "b/empty/"))


def test_a_nested_root_is_flattened_beside_macos_metadata_and_behind_backslashes() -> None:
    mended = mend_entries(listing("repo\\encoder.py", "repo\\data\\x.pt", "__MACOSX/repo/._encoder.py"))
    assert names(mended) == ["encoder.py", "data/x.pt"]
    assert mended.flattened == "repo"
    assert mendings(mended)["AEC119"] == (Renamed("repo/", "./"),)
    assert list(mendings(mended)) == ["AEC118", "AEC131", "AEC119"]


def test_the_folder_itself_and_repeated_folders_are_dropped() -> None:
    assert names(mend_entries(listing("repo/", "repo/a/", "repo/a/", "repo/a/b.py", "repo/c.py"))) == [
        "a/",
        "a/b.py",
        "c.py",
    ]


def test_a_package_and_the_folder_that_the_user_named_are_not_flattened() -> None:
    assert names(mend_entries(listing("team/__init__.py", "team/encoder.py"))) == [
        "team/__init__.py",
        "team/encoder.py",
    ]
    assert names(mend_entries(listing("team/encoder.py", "team/a.py"), "team/encoder.py")) == [
        "team/encoder.py",
        "team/a.py",
    ]


def test_files_two_folders_down_are_for_the_author_to_place() -> None:
    mended = mend_entries(listing("a/b/encoder.py", "a/b/c.py"))
    assert names(mended) == ["a/b/encoder.py", "a/b/c.py"]
    assert mended.mendings == ()
    assert "'a/b/'" in mended.notes[0]


def test_guessed_encodings_and_special_rights_end() -> None:
    mended = mend_entries(
        listing(entry("名.py", encoding="gbk"), entry("é.py", encoding="utf-8"), entry("a.sh", mode=0o104755))
    )
    assert mendings(mended) == {
        "AEC139": (Rewritten("名.py", "read as gbk, written as UTF-8 and marked so"),),
        "AEC140": (Rewritten("a.sh", "mode 4755 is dropped"),),
    }
    assert [(one.encoding, one.mode & 0o7777) for one in mended.listing.entries] == [
        ("utf-8", 0o644), ("utf-8", 0o644), ("ascii", 0o755),
    ]  # fmt: skip


def test_entries_keep_their_numbers() -> None:
    mended = mend_entries(listing(".git/a", "encoder.py", "b.py"))
    assert [one.index for one in mended.listing.entries] == [1, 2]
