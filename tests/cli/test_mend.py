"""What `--fix` shows, asks and writes: on a real terminal, in a pipe, and when it is broken off."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from audio_encoder_checker.cli.mend import offer
from audio_encoder_checker.packing.mending.plan import Wishes
from tests.builders import make_zip, write_tree
from tests.packing.hub import COMMIT, serving_hub

if TYPE_CHECKING:
    from pathlib import Path

ENCODER = "class TeamEncoder:\n    def forward(self, audio):\n        return audio\n"
LOADING = f"import huggingface_hub\n\n\n{ENCODER}\n\nhuggingface_hub.snapshot_download('a/b')\n"
COMMAND = """
import os
from pathlib import Path
import click
from audio_encoder_checker.cli import console
from audio_encoder_checker.cli.mend import offer
from audio_encoder_checker.cli.output import consoles
from audio_encoder_checker.packing.mending.plan import Wishes

@click.command()
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True)
def command(submission, yes):
    console.say(str(offer(submission, Wishes(), yes=yes, err=consoles("auto")[1])))
    return 0

if os.isatty(0):  # in a session of its own it becomes the terminal that Ctrl-C comes from
    os.close(os.open(os.ttyname(0), os.O_RDWR))
console.run(command)
"""


def litter(folder: Path, name: str = "submission.zip") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(make_zip({"encoder.py": ENCODER, ".git/HEAD": "x", ".gitignore": ""}))
    return path


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def shown(path: Path, *, colour: bool = False) -> tuple[Path, str]:
    text = io.StringIO()
    err = Console(
        file=text, width=40, highlight=False, force_terminal=colour, color_system="standard" if colour else None
    )
    return offer(path, Wishes(), yes=True, err=err), text.getvalue()


class Terminal:
    """The command on a terminal of its own, which answers once it is asked."""

    def __init__(self, folder: Path, path: Path, answer: bytes, **environment: str) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(path)],
            stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True, start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.temporary), "TERM": "xterm", **environment},
        )  # fmt: skip
        os.close(theirs)
        self.screen = ""
        self.inside: list[str] = []
        deadline, again = time.monotonic() + 60, 0.0
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    piece = os.read(ours, 65536)
                except OSError:  # the other side is closed
                    break
                self.screen += piece.decode()
                if "[y/N]" in self.screen and not again:
                    self.inside = names(self.temporary)
                    again = time.monotonic()
            elif process.poll() is not None:
                break
            if again and time.monotonic() >= again:  # what is typed before Python listens for it can be lost
                os.write(ours, answer)
                again = time.monotonic() + 2
        self.stdout, _ = process.communicate(timeout=60)
        os.close(ours)
        self.status = process.returncode
        self.left_behind = names(self.temporary)


def piped(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND, str(path), *words],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_plan_is_shown_thing_by_thing(tmp_path: Path) -> None:
    files = {f"repo\\a{number}.py": "x = 1\n" for number in range(24)}
    (tmp_path / "s.zip").write_bytes(make_zip({"repo\\encoder.py": ENCODER, **files, "repo\\.git\\HEAD": "x"}))
    written, text = shown(tmp_path / "s.zip")
    assert written == tmp_path / "s-fixed.zip"
    lines = text.splitlines()
    assert lines[0].endswith("s.zip: 4 things to mend, as s-fixed.zip; the ZIP itself stays as it is")
    assert lines[1:3] == ["AEC118 what is no part of the repository is left out", "  repo/.git/  (1 bytes)"]
    assert lines[3:5] == ["AEC131 backslashes become folders", "  repo\\encoder.py -> repo/encoder.py"]
    assert lines[14] == "  ... and 15 more"
    assert lines[15:17] == ["AEC119 everything inside 'repo/' moves to the top", "  repo/ -> ./"]
    assert lines[-1] == f"written: {written}"


def test_an_edit_is_shown_in_full_and_in_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = LOADING + "".join(f"x{number} = huggingface_hub.snapshot_download('a/b')\n" for number in range(30))
    write_tree(tmp_path, {"encoder.py": source + "# [red]markup[/red] \x1b\n"})
    with serving_hub() as hub:
        hub.answers = {"models/a/b": COMMIT}
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)  # it asks for more, elsewhere
        _, text = shown(tmp_path / "encoder.py", colour=True)
    assert text.count("\x1b[32m+") == 31
    assert text.count("\x1b[31m-") == 31
    assert f"\x1b[32m+x29 = huggingface_hub.snapshot_download('a/b', revision=\"{COMMIT}\")\x1b[0m\n" in text
    assert " # [red]markup[/red] \\x1b\n" in text


def test_nothing_to_mend_is_said(tmp_path: Path) -> None:
    (tmp_path / "encoder.py").write_text(ENCODER)
    path, text = shown(tmp_path / "encoder.py")
    assert path == tmp_path / "encoder.py"
    assert text.endswith("encoder.py: there is nothing that --fix can mend\n")


def test_what_was_left_alone_is_told_even_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    (tmp_path / "encoder.py").write_text(LOADING + "huggingface_hub.snapshot_download('a/b')\n" * 14)
    _, text = shown(tmp_path / "encoder.py")
    assert "left as it is\n  encoder.py:9 a/b: could not ask, because the Hub does not answer" in text
    assert text.endswith("  ... and 5 more\n")
    assert (tmp_path / "encoder.py").read_text().count("revision") == 0


def test_in_a_pipe_the_plan_is_shown_and_nobody_is_asked(tmp_path: Path) -> None:
    path = litter(tmp_path)
    ran = piped(path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "AEC118" in ran.stderr
    assert "fix: add --yes to write without being asked" in ran.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["submission.zip"]


def test_yes_writes_and_the_second_time_refuses(tmp_path: Path) -> None:
    path = litter(tmp_path)
    ran = piped(path, "--yes")
    assert (ran.returncode, ran.stdout) == (0, f"{tmp_path / 'submission-fixed.zip'}\n")
    again = piped(path, "--yes")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert "fix: move it away or remove it" in again.stderr
    assert piped(tmp_path / "submission-fixed.zip", "--yes").stdout == ran.stdout


def test_on_a_terminal_a_yes_writes(tmp_path: Path) -> None:
    path = litter(tmp_path / "in")
    ran = Terminal(tmp_path, path, b"y\n")
    assert "Write submission-fixed.zip? [y/N]: " in ran.screen
    assert (ran.status, ran.stdout) == (0, f"{tmp_path / 'in' / 'submission-fixed.zip'}\n")
    assert ran.left_behind == []


@pytest.mark.parametrize("answer", [b"n\n", b"\n"])
def test_on_a_terminal_anything_else_changes_nothing(answer: bytes, tmp_path: Path) -> None:
    path = litter(tmp_path / "in")
    ran = Terminal(tmp_path, path, answer)
    assert "nothing was changed" in ran.screen
    assert (ran.status, ran.stdout) == (0, f"{path}\n")
    assert names(tmp_path / "in") == ["submission.zip"]


@pytest.mark.parametrize("answer", [b"\x03", b"\x04"], ids=["ctrl-c", "ctrl-d"])
def test_broken_off_it_leaves_nothing_behind(answer: bytes, tmp_path: Path) -> None:
    path = litter(tmp_path / "in")
    ran = Terminal(tmp_path, path, answer)
    assert (ran.status, ran.stdout) == (130, "")
    assert "interrupted" in ran.screen
    assert ran.inside
    assert ran.left_behind == []
    assert names(tmp_path / "in") == ["submission.zip"]


def test_of_a_folder_the_question_says_how_many_files(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "in", {"encoder.py": LOADING})
    with serving_hub() as hub:
        hub.answers = {"models/a/b": COMMIT}
        ran = Terminal(tmp_path, root, b"y\n", HF_ENDPOINT=hub.url, HF_HUB_DISABLE_TELEMETRY="1")
    assert "Write these 2 files? [y/N]: " in ran.screen
    assert ran.status == 0
    assert names(root) == [".aeccignore", "encoder.py"]
    assert f'revision="{COMMIT}"' in (root / "encoder.py").read_text()


def test_of_one_file_the_question_names_it(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "in", {"encoder.py": ENCODER})
    assert "Write .aeccignore? [y/N]: " in Terminal(tmp_path, root, b"n\n").screen


def test_names_are_no_markup_and_steer_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "[bold]\x1b[2J.zip"
    path.write_bytes(make_zip({"encoder.py": ENCODER, "[red].git[/red]/.git/HEAD": "x", "\x07venv/.DS_Store": "x"}))
    _, text = shown(path)
    assert "  [red].git[/red]/.git/  (1 bytes)" in text
    assert "[bold]\\x1b[2J.zip" in text
    assert not {"\x1b", "\x07"} & set(text)


def test_a_broken_zip_is_left_to_the_check(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"Rar!\x1a\x07\x01\x00")
    checked, text = shown(path)
    assert checked == path
    assert "cannot be mended: AEC101 not-a-zip: expected a ZIP archive" in text
