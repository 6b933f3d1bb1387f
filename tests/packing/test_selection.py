from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.selection import MOST_AUDIO, Selection, select_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "sub").mkdir(parents=True)
    (root / "encoder.py").write_text("class E: ...\n")
    (root / "sub" / "weights.pt").write_bytes(b"w" * 100)
    return root


def contents(selection: Selection) -> dict[str, bytes]:
    return {chosen.name: chosen.path.read_bytes() for chosen in selection.files}


def reasons(selection: Selection) -> dict[str, tuple[int, int]]:
    return {left.reason: (left.files, left.size_bytes) for left in selection.left_out}


def test_files_come_sorted_by_name(repo: Path) -> None:
    (repo / "Z.py").touch()
    (repo / "a").mkdir()
    (repo / "a" / "b.py").touch()
    (repo / "a-b.py").touch()
    names = [chosen.name for chosen in select_files(repo).files]
    assert names == sorted(names) == ["Z.py", "a-b.py", "a/b.py", "encoder.py", "sub/weights.pt"]


def test_what_was_left_out_is_told_with_reason_count_and_size(repo: Path) -> None:
    (repo / ".aeccignore").write_text("# big\n*.wav\n")
    (repo / "sub" / "x.wav").write_bytes(b"x" * 1000)
    (repo / "y.wav").write_bytes(b"y" * 500)
    (repo / ".git" / "objects").mkdir(parents=True)
    (repo / ".git" / "objects" / "o").write_bytes(b"o" * 30)
    (repo / ".git" / "HEAD").write_bytes(b"h" * 5)
    (repo / "env").mkdir()
    (repo / "env" / "pyvenv.cfg").write_bytes(b"home")
    selection = select_files(repo)
    assert reasons(selection) == {
        ".aeccignore:2 *.wav": (2, 1500),
        "version control": (2, 35),
        "virtual environment": (1, 4),
    }
    assert selection.left_out[0].reason == ".aeccignore:2 *.wav", "largest first"


def test_a_link_to_a_file_inside_becomes_that_file(repo: Path) -> None:
    (repo / "latest.pt").symlink_to("sub/weights.pt")
    (repo / "again.pt").symlink_to(repo / "latest.pt")
    found = contents(select_files(repo))
    assert found["latest.pt"] == found["again.pt"] == b"w" * 100


def test_a_link_to_a_folder_inside_becomes_its_files(repo: Path) -> None:
    (repo / "linked").symlink_to("sub")
    assert contents(select_files(repo))["linked/weights.pt"] == b"w" * 100


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside.pt", "../outside"])
def test_a_link_that_leads_outside_is_refused(repo: Path, target: str) -> None:
    (repo.parent / "outside.pt").write_text("w")
    (repo.parent / "outside").mkdir()
    (repo / "sub" / "link").symlink_to(target if target.startswith("/") else f"../{target}")
    with pytest.raises(UsageError, match="'sub/link' leads outside") as caught:
        select_files(repo)
    assert "cp -R" in caught.value.hint


def test_a_folder_whose_name_only_begins_alike_is_outside(repo: Path) -> None:
    (repo.parent / "repository").mkdir()
    (repo.parent / "repository" / "w.pt").touch()
    (repo / "w.pt").symlink_to("../repository/w.pt")
    with pytest.raises(UsageError, match="leads outside"):
        select_files(repo)


@pytest.mark.parametrize("target", ["gone", "link"])
def test_a_link_that_leads_nowhere_is_refused(repo: Path, target: str) -> None:
    (repo / "link").symlink_to(target)
    with pytest.raises(UsageError, match="'link' leads nowhere"):
        select_files(repo)


def test_a_link_to_a_folder_above_is_refused(repo: Path) -> None:
    (repo / "sub" / "up").symlink_to("..")
    with pytest.raises(UsageError, match="'sub/up' leads to a folder it lies in"):
        select_files(repo)


def test_an_ignored_link_may_lead_anywhere(repo: Path) -> None:
    (repo / ".aeccignore").write_text("data\n")
    (repo / "data").symlink_to("/usr")
    selection = select_files(repo)
    assert reasons(selection)[".aeccignore:1 data"][0] == 1, "nothing behind the link is counted"


def test_pipes_and_sockets_are_left_out(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(repo / "pipe")
    monkeypatch.chdir(repo)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert reasons(select_files(repo))["pipes, sockets and devices"][0] == 2


def test_the_zip_to_be_written_and_an_old_manifest_stay_out(repo: Path) -> None:
    (repo / "out.zip").write_bytes(b"old")
    (repo / "aecc-manifest.json").write_text("{}")
    selection = select_files(repo, without=repo / "sub" / ".." / "out.zip")
    assert {chosen.name for chosen in selection.files} == {"encoder.py", "sub/weights.pt"}
    assert reasons(selection) == {"the ZIP to be written": (1, 3), "manifest of an earlier build": (1, 2)}


def test_an_empty_folder_and_none_at_all_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty" / "sub").mkdir(parents=True)
    with pytest.raises(UsageError, match="no file to pack"):
        select_files(tmp_path / "empty")
    with pytest.raises(UsageError, match="there is no folder"):
        select_files(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_read_is_named(repo: Path) -> None:
    (repo / "sub").chmod(0)
    if os.access(repo / "sub", os.R_OK):
        pytest.skip("root reads everything")
    try:
        with pytest.raises(UsageError, match=r"cannot read '.*/sub'"):
            select_files(repo)
    finally:
        (repo / "sub").chmod(0o700)


def test_data_and_what_training_leaves_behind_stay_out(repo: Path) -> None:
    for name in (
        "wandb/run/x",
        "events.out.tfevents.1.host",
        "optimizer.pt",
        "rng_state_0.pth",
        "data.parquet",
        "a.tar",
    ):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_bytes(b"123")
    selection = select_files(repo)
    assert set(contents(selection)) == {"encoder.py", "sub/weights.pt"}
    assert reasons(selection) == {"data sets": (2, 6), "what training leaves behind": (4, 12)}


def test_audio_in_bulk_is_a_data_set_unless_it_is_asked_for(repo: Path) -> None:
    for folder, count in (("few", MOST_AUDIO), ("many", MOST_AUDIO + 1)):
        (repo / folder).mkdir()
        for number in range(count):
            (repo / folder / f"{number:02}.WAV").write_bytes(b"1")
        (repo / folder / "notes.txt").touch()
    (repo / "many" / "folder.wav").mkdir()
    (repo / "many" / "folder.wav" / "x.py").touch()
    selection = select_files(repo)
    assert sum(name.startswith("few/") for name in contents(selection)) == MOST_AUDIO + 1
    assert {name for name in contents(selection) if name.startswith("many/")} == {
        "many/notes.txt", "many/folder.wav/x.py",
    }  # fmt: skip
    (left,) = selection.left_out
    assert (left.files, left.paths, left.more) == (21, ("many/00.WAV", "many/01.WAV", "many/02.WAV"), True)
    (repo / ".aeccignore").write_text("!many/*.WAV\n")
    assert sum(name.startswith("many/") for name in contents(select_files(repo))) == MOST_AUDIO + 3


def test_a_folder_that_is_left_out_is_named_once(repo: Path) -> None:
    (repo / ".git").mkdir()
    for number in range(5):
        (repo / ".git" / str(number)).touch()
    (left,) = select_files(repo).left_out
    assert (left.files, left.paths, left.more) == (5, (".git/",), False)


def test_too_many_files_are_told_with_the_folder_that_holds_most(repo: Path) -> None:
    (repo / "clips").mkdir()
    for number in range(8):
        (repo / "clips" / f"{number}.json").touch()
    assert len(select_files(repo, most=10).files) == 10
    with pytest.raises(
        UsageError, match="10 files would be packed, and a submission may hold 9; 'clips' alone"
    ) as error:
        select_files(repo, most=9)
    assert "`/clips`" in error.value.hint
