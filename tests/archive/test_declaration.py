"""What a repository says of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import declaration as module
from audio_encoder_checker.archive.declaration import read_declaration
from audio_encoder_checker.evidence.training import Declaration
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path


def declared(tmp_path: Path, text: str, name: str = "aecc.toml") -> Declaration:
    return read_declaration(write_tree(tmp_path, {name: text}))


def test_nothing_said_is_nothing_wrong(tmp_path: Path) -> None:
    assert read_declaration(tmp_path) == Declaration()
    assert declared(tmp_path, "encoder = 'a.py'\n") == Declaration()


def test_names_are_told_with_their_lines(tmp_path: Path) -> None:
    data = "data = [\n  'AudioSet',\n  \"LibriSpeech\",\n]\n"
    found = declared(tmp_path, f"# 'AudioSet'\n[training]\n{data}pretrained = ['facebook/hubert-base-ls960']\n")
    assert (found.file, found.troubles) == ("aecc.toml", ())
    assert [(one.text, one.at) for one in found.data] == [("AudioSet", "aecc.toml:4"), ("LibriSpeech", "aecc.toml:5")]
    assert [use.evaluated for use in found.data[0].uses] == ["DESED"]
    (model,) = found.pretrained
    assert (model.at, model.model and model.model.data) == ("aecc.toml:7", ("LibriSpeech",))


def test_pyproject_says_it_too_and_the_own_file_wins(tmp_path: Path) -> None:
    found = declared(tmp_path, "[tool.aecc.training]\ndata = ['MLS']\n", "pyproject.toml")
    assert [(one.text, one.at) for one in found.data] == [("MLS", "pyproject.toml:2")]
    assert declared(tmp_path, "encoder = 'a.py'\n") == Declaration()


def test_a_name_that_no_line_shows_stands_in_the_file(tmp_path: Path) -> None:
    found = declared(tmp_path, '[training]\ndata = ["Audio\\u0053et"]\n')
    assert [(one.text, one.at) for one in found.data] == [("AudioSet", "aecc.toml")]
    assert found.data[0].uses


def test_a_model_nobody_knows_is_judged_by_its_name(tmp_path: Path) -> None:
    (one,) = declared(tmp_path, "[training]\npretrained = ['owner/net-gtzan']\n").pretrained
    assert one.model is None
    assert [use.named for use in one.uses] == ["GTZAN"]


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("training = 'AudioSet'", "expected a table"),
        ("[training]\ndate = ['AudioSet']", "unknown key 'date', did you mean 'data'?"),
        ("[training]\ncolour = 1", "known are data and pretrained"),
        ("[training]\ndata = 'AudioSet'", "training.data: expected a list of names, found 'AudioSet'"),
        ("[training]\npretrained = ['a', 1]", "training.pretrained: expected a list of names"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path: Path, text: str, trouble: str) -> None:
    (said,) = declared(tmp_path, text).troubles
    assert trouble in said


def test_what_can_be_read_beside_it_is(tmp_path: Path) -> None:
    found = declared(tmp_path, "[training]\ndata = ['AudioSet', 1, ' ']\nmodels = []\n")
    assert [one.text for one in found.data] == ["AudioSet"]
    assert len(found.troubles) == 2


@pytest.mark.parametrize(
    "data", ["data = [", "a = '\0'", b"\xff", "a = " + "[" * 100_000, f"training.data = 0x{'f' * 5000}"]
)
def test_a_file_that_is_no_toml_is_left_to_whoever_reads_settings(tmp_path: Path, data: str | bytes) -> None:
    assert read_declaration(write_tree(tmp_path, {"aecc.toml": data})) == Declaration()


@pytest.mark.parametrize("text", ["tool = 1", "[tool]\naecc = 1", "[project]\nname = 'x'"])
def test_other_tables_are_none_of_ours(tmp_path: Path, text: str) -> None:
    assert declared(tmp_path, text, "pyproject.toml") == Declaration()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = write_tree(tmp_path / "outside", {"a.toml": "[training]\ndata = ['AudioSet']\n"})
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "aecc.toml").symlink_to(outside / "a.toml")
    assert read_declaration(tmp_path / "repository") == Declaration()


def test_control_characters_do_not_get_out(tmp_path: Path) -> None:
    found = declared(tmp_path, '[training]\ndata = ["AudioSet\\u202e"]\n"\\u001b" = 1\n')
    assert found.data[0].text == "AudioSet\\u202e"
    assert "\x1b" not in found.troubles[0]


def test_of_endless_lists_the_first_names_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NAMES", 2)
    found = declared(tmp_path, "[training]\ndata = ['a', 'b', 'c']\n")
    assert [one.text for one in found.data] == ["a", "b"]
