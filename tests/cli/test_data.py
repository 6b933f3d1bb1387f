from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from click.testing import CliRunner

from audio_encoder_checker.cli.data import data
from tests.datasets.server import serving
from tests.shards import write_task

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

COMMAND = (sys.executable, "-c", "from audio_encoder_checker.cli.data import main; main()")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_fetch_list_and_verify_in_a_row(tmp_path: Path) -> None:
    folder = write_task(tmp_path / "source", "vocalsound", 2)
    root = str(tmp_path / "data")
    with serving() as server:
        server.records["14722710"] = {path.name: path.read_bytes() for path in folder.glob("*.tar")}
        server.faults["train0000.tar"] = ["cut"]
        done = run("fetch", "--tasks", "vocalsound", "--to", root, "--from", server.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"next: aecc-check SUBMISSION --data {root} --tasks vocalsound" in done.stdout
    listed = run("list", "--to", root).stdout
    assert "3 of 3 parts" in next(line for line in listed.splitlines() if line.startswith("vocalsound"))
    good = run("verify", "--to", root)
    assert (good.returncode, good.stdout) == (0, "vocalsound: good\n")
    shard = tmp_path / "data" / "vocalsound" / "test0000.tar"
    shard.write_bytes(shard.read_bytes()[:2000])
    bad = run("verify", "--to", root)
    assert bad.returncode == 1
    assert "test0000.tar: 2000 bytes, the record says" in bad.stdout
    assert "fix: delete the shards named, then aecc-data fetch --tasks vocalsound" in bad.stdout


def test_wrong_usage_is_told_in_two_lines(tmp_path: Path) -> None:
    for arguments, words in (
        (("fetch", "--tasks", "nothing", "--to", str(tmp_path)), "there is no task 'nothing'"),
        (("fetch", "--tasks", "quick-words", "--to", str(tmp_path)), "task quick-words is generated"),
        (("fetch", "--tasks", "", "--to", str(tmp_path)), "--tasks names none"),
        (("verify", "--to", str(tmp_path)), "there is no task's folder"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert words in done.stderr
        assert "fix: " in done.stderr


def test_a_second_run_on_the_same_folder_is_kept_out(tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".aecc-data.lock"):
        done = run("fetch", "--tasks", "esc50", "--to", str(tmp_path), "--from", "http://127.0.0.1:1")
    assert done.returncode == 3
    assert "another aecc-data is at work" in done.stderr


def test_a_server_that_is_away_is_told_while_it_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    words = ["fetch", "--tasks", "esc50", "--to", str(tmp_path), "--from", "http://127.0.0.1:9"]
    told = CliRunner().invoke(data, words)
    assert (
        told.stderr.count("http://127.0.0.1:9 does not answer as it should; trying again in ")
        == sum(one >= 1 for one in slept)
        > 2
    )
    slept.clear()
    assert "trying again" not in CliRunner().invoke(data, [*words, "--quiet"]).stderr
