"""How a command ends, whatever it raises."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click
import pytest

from audio_encoder_checker.cli import console
from audio_encoder_checker.errors import MachineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def same_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def ending(error: BaseException | int, monkeypatch: pytest.MonkeyPatch) -> int:
    @click.command()
    def command() -> int:
        if isinstance(error, int):
            return error
        raise error

    monkeypatch.setattr("sys.argv", ["aecc-check"])
    with pytest.raises(SystemExit) as left:
        console.run(command)
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (0, 0, ""),
        (3, 3, ""),
        (UsageError("no such file", "name another"), 2, "error: no such file\n  fix: name another\n"),
        (MachineError("no box"), 3, "error: no box\n"),
        (click.UsageError("odd"), 2, "odd"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (ZeroDivisionError("x"), 70, "internal error: ZeroDivisionError: x"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_every_ending_has_its_status_and_its_words(
    error: BaseException | int,
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ending(error, monkeypatch) == status
    shown = capsys.readouterr().err
    assert words in shown
    assert "Traceback" not in shown


def test_a_bug_of_ours_shows_its_traceback_on_demand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AECC_DEBUG", "1")
    assert ending(ZeroDivisionError("x"), monkeypatch) == 70
    assert "Traceback" in capsys.readouterr().err
