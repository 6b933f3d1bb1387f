"""How far a run is, on stderr: a live line on a terminal, one line per stage elsewhere."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from audio_encoder_checker.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from rich.console import Console
    from rich.text import Text

    from audio_encoder_checker.report import Report
    from audio_encoder_checker.stages.options import Options

SHOWN_FROM_S = 3
"""From when on the live line tells how long a stage has been at it."""
TITLES = {
    "archive": "reading the archive",
    "source": "reading sources and weights",
    "rules": "reading the paper and the declaration of training data",
    "box": "choosing a box and testing it",
    "install": "installing the requirements into a fresh environment",
    "load": "loading the encoder in the box",
    "contract": "calling the encoder",
    "download": "starting the encoder with a broken network",
    "budget": "forecasting memory and time on the organisers' machine",
    "evaluate": "both tracks",
}


def checked(submission: Path, options: Options, err: Console, *, quiet: bool) -> Report:
    """Check a submission and say on stderr how far it is, unless nobody wants to hear it."""
    from audio_encoder_checker.pipeline import check_submission

    if quiet:
        return check_submission(submission, options, Progress())
    with ConsoleProgress(err) as progress:
        return check_submission(submission, options, progress)


class _Line:
    """What runs, since when, and what of it: made anew at each refresh, so that the seconds go on."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, title: str) -> None:
        """Name what begins now."""
        self.title, self.detail, self.since = title, "", monotonic()

    def __rich__(self) -> Text:
        """One line, cut where the terminal ends."""
        from rich.text import Text

        seconds = int(monotonic() - self.since)
        went = f"  {seconds} s" if seconds >= SHOWN_FROM_S else ""
        line = Text(self.title, no_wrap=True, overflow="ellipsis")
        return line.append(went, style="cyan").append(f"  {self.detail}" if self.detail else "", style="dim")


class ConsoleProgress(Progress):
    """Prints to a console; use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.name = ""
        self._line = _Line()
        self._status = console.status(self._line) if console.is_terminal else None

    def __enter__(self) -> ConsoleProgress:
        """Show the live line, where there is a terminal for it."""
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Take the live line away."""
        if self._status:
            self._status.stop()

    def stage(self, name: str) -> None:
        """Name the stage that begins."""
        self.name = name
        self._line.begin(TITLES[name])

    def detail(self, text: str) -> None:
        """Show something small within the stage, on a terminal only."""
        self._line.detail = text

    def done(self, name: str, seconds: float) -> None:
        """One line for a stage that has ended."""
        self.console.print(f"{name:<9} {TITLES[name]}  {seconds:.1f} s", style="dim", highlight=False)
