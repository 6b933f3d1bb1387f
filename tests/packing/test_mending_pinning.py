"""Sources pinned with what a Hub on the loopback interface answers, and what becomes of a Hub that refuses."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.packing.mending.changes import Edited, Mending
from audio_encoder_checker.packing.mending.pinning import mend_downloads
from tests.builders import write_tree
from tests.packing.hub import COMMIT, OTHER, LoopbackHub

if TYPE_CHECKING:
    from pathlib import Path

LOAD = "from transformers import AutoModel\nm = AutoModel.from_pretrained('a/b')\n"


def edits(mending: Mending | None) -> dict[str, bytes]:
    return {one.name: one.after for one in mending.changes if isinstance(one, Edited)} if mending else {}


def asked(hub: LoopbackHub) -> list[str]:
    return [path for path in hub.asked if path.partition("/")[0] in ("models", "datasets", "spaces")]


def test_every_repository_is_asked_for_once_and_without_a_token(hub: LoopbackHub, tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": LOAD + "n = AutoModel.from_pretrained('c/d')\n", "b.py": LOAD})
    mending, notes = mend_downloads(tmp_path, ["a.py", "b.py"])
    assert notes == ()
    assert edits(mending)["b.py"] == LOAD.replace("'a/b'", f"'a/b', revision=\"{COMMIT}\"").encode()
    assert edits(mending)["a.py"].count(OTHER.encode()) == 1
    assert asked(hub) == ["models/a/b", "models/c/d"]
    assert hub.tokens == []


def test_a_data_set_and_a_model_of_one_name_differ(hub: LoopbackHub, tmp_path: Path) -> None:
    source = (
        "import huggingface_hub as h\nh.snapshot_download('a/b')\nh.snapshot_download('a/b', repo_type='dataset')\n"
    )
    mending, _ = mend_downloads(write_tree(tmp_path, {"a.py": source}), ["a.py"])
    first, second = edits(mending)["a.py"].splitlines()[1:]
    assert COMMIT.encode() in first
    assert OTHER.encode() in second
    assert asked(hub) == ["models/a/b", "datasets/a/b"]


ENCODED = {
    "crlf": LOAD.replace("\n", "\r\n").encode(),
    "bom": b"\xef\xbb\xbf" + LOAD.encode(),
    "gbk": ("# -*- coding: gbk -*-\nx = '名字'; " + LOAD).replace("x = '名字'; from", "x = '名字'\nfrom").encode("gbk"),
    "latin": ("# vim: set fileencoding=latin-1 :\nx = 'é'\n" + LOAD).encode("latin-1"),
    "tabs": ("if 1:\n\t" + LOAD.replace("\nm", "\n\tm") + "\t# 好\t\n").encode(),
    "no last line end": LOAD.rstrip().encode(),
}


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("case", ENCODED)
def test_every_other_byte_stays(case: str, tmp_path: Path) -> None:
    data = ENCODED[case]
    mending, notes = mend_downloads(write_tree(tmp_path, {"a.py": data}), ["a.py"])
    assert notes == ()
    assert edits(mending)["a.py"] == data.replace(b"'a/b'", b"'a/b', revision=\"" + COMMIT.encode() + b'"')


def test_paths_of_the_repository_are_no_models(hub: LoopbackHub, tmp_path: Path) -> None:
    files = {"a/b/config.json": "{}", "sub/c/d": "", "x.py": LOAD, "sub/y.py": LOAD.replace("a/b", "c/d")}
    assert mend_downloads(write_tree(tmp_path, files), ["x.py", "sub/y.py"]) == (None, ())
    assert hub.asked == []


def test_nothing_is_asked_where_there_is_nothing_to_pin(hub: LoopbackHub, tmp_path: Path) -> None:
    broken: dict[str, bytes | str] = {"a.py": "x = 1\n", "b.py": "def (:\n", "c.py": b"\0"}
    assert mend_downloads(write_tree(tmp_path, broken), list(broken)) == (None, ())
    assert hub.asked == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (401, "the Hub answers with status 401: it is private, gated, or not there"),
        (404, "status 404: it is private, gated, or not there"),
        (429, "status 429"),
        (500, "the Hub answers with status 500"),
        ("main", "names no commit"),
        ('"); import os  # 89012345678901234567890', "names no commit"),
    ],
)
def test_a_hub_that_gives_no_commit_leaves_the_source_alone(
    answer: str | int, words: str, hub: LoopbackHub, tmp_path: Path
) -> None:
    hub.answers["models/a/b"] = answer
    source = LOAD + "n = AutoModel.from_pretrained('c/d')\n"
    mending, (note,) = mend_downloads(write_tree(tmp_path, {"a.py": source}), ["a.py"])
    assert note.startswith("a.py:2 a/b: could not ask, because ")
    assert words in note
    assert edits(mending) == {"a.py": source.replace("'c/d'", f"'c/d', revision=\"{OTHER}\"").encode()}


def test_where_nobody_answers_one_try_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    source = LOAD + "n = AutoModel.from_pretrained('c/d')\n"
    mending, notes = mend_downloads(write_tree(tmp_path, {"a.py": source}), ["a.py"])
    assert mending is None
    assert [note.partition(": could not ask, because the Hub does not answer")[0] for note in notes] == [
        "a.py:2 a/b", "a.py:3 c/d",
    ]  # fmt: skip


def test_a_hub_that_listens_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("audio_encoder_checker.packing.mending.hub.TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        mending, notes = mend_downloads(write_tree(tmp_path, {"a.py": LOAD}), ["a.py"])
    assert mending is None
    assert "does not answer" in notes[0]


def test_the_hub_is_asked_for_so_many_repositories_only(hub: LoopbackHub, tmp_path: Path) -> None:
    source = LOAD + "".join(f"AutoModel.from_pretrained('x/n{number}')\n" for number in range(60))
    mending, notes = mend_downloads(write_tree(tmp_path, {"a.py": source}), ["a.py"])
    assert edits(mending)["a.py"].count(b"revision") == 1
    assert len(asked(hub)) == 50
    assert notes[-1] == "a.py:62 x/n59: not asked, because only 50 repositories are asked for"


@pytest.mark.usefixtures("hub")
def test_what_cannot_be_pinned_is_told_with_its_place(tmp_path: Path) -> None:
    source = LOAD.replace("'a/b'", "'a/b', **options")
    mending, notes = mend_downloads(write_tree(tmp_path, {"x\x1b.py": source}), ["x\x1b.py"])
    assert mending is None
    assert notes == ("x\\x1b.py:2 a/b: left alone, `*` or `**` in the call may name a revision",)
