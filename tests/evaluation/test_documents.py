from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evaluation.documents import read_object, write_object

if TYPE_CHECKING:
    from pathlib import Path


def test_an_object_comes_back_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    write_object(tmp_path / "a.json", {"b": [1, 2]})
    write_object(tmp_path / "a.json", {"b": [3]})
    assert read_object(tmp_path / "a.json") == {"b": [3]}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "\udcff"])
def test_what_makes_no_sense_is_an_empty_object(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert read_object(tmp_path / "a.json") == {}
    assert read_object(tmp_path / "missing.json") == {}
