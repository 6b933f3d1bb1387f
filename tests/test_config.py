"""Settings that a repository brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from audio_encoder_checker.archive.declaration import read_declaration
from audio_encoder_checker.config import Config, read_config
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.rules import schema
from audio_encoder_checker.toml import loads

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str, name: str = "aecc.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_no_settings_are_fine(tmp_path: Path) -> None:
    assert read_config(tmp_path) == Config()
    assert read_config(written(tmp_path, "[project]\nname = 'x'\n", "pyproject.toml")) == Config()


def test_settings_are_read_from_either_file_and_the_own_file_wins(tmp_path: Path) -> None:
    written(tmp_path, "[tool.aecc]\nencoder = 'a.py'\n", "pyproject.toml")
    assert read_config(tmp_path).encoder == "a.py"
    written(tmp_path, "encoder = 'b.py:TinyEncoder'\n[ignore]\nAEC523 = 'centred frames'\n")
    assert read_config(tmp_path) == Config("b.py:TinyEncoder", {"AEC523": "centred frames"})


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("", True),
        ("encoder = 'a.py'\n[ignore]\nAEC523 = 'why'\n[training]\ndata = ['AudioSet']\npretrained = []", True),
        ("encodr = 'a.py'", False),
        ("encoder = 1", False),
        ("ignore = ['AEC523']", False),
        ("[ignore]\nAEC523 = true", False),
        ("training = 'AudioSet'", False),
        ("[training]\ndata = 'AudioSet'", False),
        ("[training]\ndata = [1]", False),
        ("[training]\nmodels = ['x']", False),
    ],
)
def test_the_published_schema_says_what_is_accepted(tmp_path: Path, text: str, fine: bool) -> None:
    written(tmp_path, text)
    valid = Draft202012Validator(schema("settings")).is_valid(loads(text))
    try:
        read_config(tmp_path)
        accepted = not read_declaration(tmp_path).troubles
    except UsageError:
        accepted = False
    assert (valid, accepted) == (fine, fine)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("encodr = 'a.py'", "unknown key 'encodr', did you mean 'encoder'"),
        ("colour = 1", "known are encoder, ignore, network, paper, training"),
        ("encoder = 1", "expected a text, found 1"),
        ("ignore = ['AEC523']", "expected a table of check to reason"),
        ("[ignore]\nAEC523 = true", "expected a table of check to reason"),
        ("[network]\nhosts = ['https://example.org/x']", "expected names of hosts, found 'https://example.org/x'"),
        ("[network]\nhost = []", "expected a table that holds `hosts`"),
        ("encoder = ", "aecc.toml: "),
        ("encoder = '\udcff'", "aecc.toml: "),
        ("encoder = 0x" + "f" * 5000, "too many digits"),
        ("encoder = " + "1" * 5000, "too many digits"),
        ("a = " + "[" * 100_000, "nested too deeply"),
    ],
)
def test_bad_settings_name_the_place_and_the_remedy(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "aecc.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as error:
        read_config(tmp_path)
    assert complaint in str(error.value)
    assert error.value.hint


def test_a_link_is_not_followed_out_of_the_repository(tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text("surprise = 1")
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "aecc.toml").symlink_to(outside)
    assert read_config(tmp_path / "repository") == Config()
