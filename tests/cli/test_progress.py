"""Progress on a real terminal, where there is one line that lives, and elsewhere."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from audio_encoder_checker.cli import progress

GOOD = Path(__file__).parent.parent / "specimens" / "good-frames"


@pytest.mark.box
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_on_a_terminal_every_step_is_named_while_it_lasts() -> None:
    outer, inner = os.openpty()
    words = (str(GOOD), "--until", "load", "--trust", "--device", "cpu")
    code = "from audio_encoder_checker.cli.check import main; main()"
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdin=inner, stdout=inner, stderr=inner, env=environment
    ) as process:
        os.close(inner)
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that nobody holds the other end any more
            while chunk := os.read(outer, 65536):
                shown += chunk
    os.close(outer)
    assert process.returncode == 0, shown
    for step in (
        "reading sources and weights",
        "choosing a box and testing it",
        "loading the encoder in the box",
        "READY",
    ):
        assert step.encode() in shown


def test_the_live_line_tells_how_long_a_stage_has_been_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=66)
    with progress.ConsoleProgress(console) as shown:
        shown.stage("budget")
        shown.detail("1 x [red] s, a detail that does not fit")
        now[0] += 42
    assert "  42 s" in screen.getvalue()
    assert "fit" not in screen.getvalue(), "cut where the terminal ends"
