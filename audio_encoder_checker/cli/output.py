"""Where reports go: stdout, files, and in which colours."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console  # noqa: TID253 - imported by the command only once it has a run to show
from rich.text import Text  # noqa: TID253 - same

from audio_encoder_checker.cli.console import drop_stdout
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.render import to_github, to_gitlab, to_json, to_junit, to_markdown, to_sarif, to_text
from audio_encoder_checker.render.comparison import compare_reports
from audio_encoder_checker.render.html import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audio_encoder_checker.report import Report

FILE_WIDTH = 100
"""Columns of a text report in a file, in a pipe or in CI."""
MACHINE = {
    "json": to_json.render,
    "html": page.render,
    "junit": to_junit.render,
    "sarif": to_sarif.render,
    "github": to_github.render,
    "gitlab": to_gitlab.render,
    "markdown": to_markdown.render,
}
"""Formats beside text, each made as one text."""
KINDS = {"mended": "green", "new": "red", "slower": "yellow", "larger": "yellow"}
FORMATS = ("text", *MACHINE)


@dataclass(frozen=True)
class Target:
    """A report to write: its format and its path."""

    format: str
    path: Path


def parse_reports(words: Sequence[str]) -> list[Target]:
    """Read `FORMAT=PATH` options.

    Raises:
        UsageError: unknown format, or a folder that is not there.
    """
    targets = []
    for word in words:
        name, equals, path = word.partition("=")
        if not equals or not path or name not in FORMATS:
            raise UsageError(
                f"--report {word}: expected FORMAT=PATH, with one of {', '.join(FORMATS)}",
                "for example `--report json=report.json`",
            )
        target = Target(name, Path(path))
        if not target.path.parent.is_dir():
            raise UsageError(
                f"--report {word}: there is no folder {target.path.parent}", f"mkdir -p {target.path.parent}"
            )
        targets.append(target)
    return targets


class _Stdout(Console):
    """Stdout. Where nobody reads on, as behind `| head`, the rest goes nowhere; the verdict stays what it is."""

    def on_broken_pipe(self) -> None:
        """Rich would leave with 1, which says that the submission is not ready."""
        self.quiet = True
        drop_stdout()


def consoles(color: str) -> tuple[Console, Console]:
    """Consoles for stdout and stderr; `auto` honours NO_COLOR, FORCE_COLOR, TERM=dumb and non-terminals."""
    forced = {"auto": None, "always": True, "never": False}[color]
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else FILE_WIDTH
    plain = color == "never" or None
    return (
        _Stdout(force_terminal=forced, no_color=plain, width=width, highlight=False),
        Console(stderr=True, no_color=plain, highlight=False),
    )


def show(report: Report, stdout_format: str, out: Console) -> None:
    """Print the report on stdout."""
    if stdout_format != "text":
        out.file.write(MACHINE[stdout_format](report))
    elif not out.file.isatty():
        to_text.render(report, out)
    else:
        with out.capture() as held:
            to_text.render(report, out)
        out.file.write(held.get())
        if held.get().count("\n") >= out.height:
            to_text.close(report, out)


def show_changes(before: dict[str, Any], report: Report, console: Console) -> None:
    """Print what differs from an earlier report, a line for each change."""
    changes = compare_reports(before, to_json.as_data(report))
    console.print(Text("since the earlier report", style="bold"))
    for change in changes:
        line = Text(f"  {change.kind:<14} ", style=KINDS.get(change.kind, ""))
        console.print(line.append(change.what, style="default"), soft_wrap=True)
    if not changes:
        console.print(Text("  nothing has changed", style="dim"))


def write_reports(report: Report, targets: Sequence[Target], err: Console) -> None:
    """Write every report that was asked for, and say where.

    Raises:
        UsageError: a file cannot be written.
    """
    for target in targets:
        try:
            with target.path.open("w", encoding="utf-8") as file:
                if target.format == "text":
                    to_text.render(report, Console(file=file, width=FILE_WIDTH, no_color=True, highlight=False))
                else:
                    file.write(MACHINE[target.format](report))
        except OSError as error:
            raise UsageError(f"cannot write the report {target.path}: {error.strerror}", "name another path") from None
        err.print(f"{target.format} report: {target.path}", markup=False, soft_wrap=True)
