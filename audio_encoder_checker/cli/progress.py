"""How far a run is, on stderr: a live line on a terminal, one line per stage elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from rich.console import Console

    from audio_encoder_checker.report import Report
    from audio_encoder_checker.stages.options import Options

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


class ConsoleProgress(Progress):
    """Prints to a console; use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.name = ""
        self._status = console.status("") if console.is_terminal else None

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
        self.detail("")

    def detail(self, text: str) -> None:
        """Show something small within the stage, on a terminal only."""
        if self._status:
            self._status.update(f"{TITLES[self.name]}  [dim]{text}[/dim]")

    def done(self, name: str, seconds: float) -> None:
        """One line for a stage that has ended."""
        self.console.print(f"{name:<9} {TITLES[name]}  {seconds:.1f} s", style="dim", highlight=False)
