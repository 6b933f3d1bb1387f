"""Exceptions of foreign code become data, whatever they do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from audio_encoder_checker.child.failure import CHAIN, MESSAGE_LIMIT, describe

if TYPE_CHECKING:
    from pathlib import Path


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class LongError(Exception):
    def __str__(self) -> str:
        return "x" * 10_000_000


def caught(code: str, file: str = "<string>") -> BaseException:
    try:
        exec(compile(code, file, "exec"), {"Unprintable": UnprintableError, "Long": LongError})  # noqa: S102 - test input
    except BaseException as error:  # noqa: BLE001 - whatever the code raises is the subject
        return error
    raise AssertionError


def test_lines_of_the_repository_are_named_and_others_are_not(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text("import json\n\ndef load():\n    return json.loads('{')\n\nload()\n")
    told = describe(caught(file.read_text(), str(file)), str(tmp_path))
    assert told["type"] == "JSONDecodeError"
    assert [(f["file"], f["line"], f["function"]) for f in told["frames"]] == [
        ("model.py", 6, "<module>"),
        ("model.py", 4, "load"),
    ]
    assert told["frames"][-1]["text"] == "return json.loads('{')"


def test_a_syntax_error_points_at_its_line(tmp_path: Path) -> None:
    file = str(tmp_path / "bad.py")
    assert describe(caught("x = 1\nx = (", file), str(tmp_path))["frames"][0]["line"] == 2


def test_the_place_of_the_repository_in_the_box_is_not_told() -> None:
    told = describe(caught("open('/no/where/weights.pt')"), "/no/where")
    assert told["message"] == "[Errno 2] No such file or directory: '<repository>/weights.pt'"


def test_a_message_that_cannot_be_made_does_not_stop_the_tale() -> None:
    assert "cannot be shown" in describe(caught("raise Unprintable()"), "/w")["message"]


def test_an_endless_message_is_cut() -> None:
    assert len(describe(caught("raise Long()"), "/w")["message"]) == MESSAGE_LIMIT


def test_causes_are_listed_and_circles_end() -> None:
    error = caught(
        "try:\n    import not_a_module_anywhere.deep\nexcept ImportError as e:\n    raise ValueError('x') from e"
    )
    told = describe(error, "/w")
    assert told["chain"] == ["ValueError", "ModuleNotFoundError"]
    assert told["missing_module"] == "not_a_module_anywhere"
    error.__cause__ = error
    assert describe(error, "/w")["chain"] == ["ValueError"]


def test_a_long_chain_is_cut() -> None:
    code = "e = None\nfor i in range(100):\n    new = ValueError(i)\n    new.__cause__ = e\n    e = new\nraise e"
    assert len(describe(caught(code), "/w")["chain"]) == CHAIN


def test_exits_are_told_like_errors() -> None:
    assert describe(caught("raise SystemExit(0)"), "/w")["type"] == "SystemExit"
    assert json.dumps(describe(caught("raise KeyboardInterrupt"), "/w"))
