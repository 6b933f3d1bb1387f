"""`aecc-check --fix`: show what can be mended, ask, and write it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.text import Text  # noqa: TID253 - imported by the command only once it has something to mend

from audio_encoder_checker.cli.console import shown
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.mending.carry import carry_out, refuse_existing
from audio_encoder_checker.packing.mending.changes import Added, Edited
from audio_encoder_checker.packing.mending.plan import UnmendableError, planned
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from audio_encoder_checker.packing.mending.changes import Mending
    from audio_encoder_checker.packing.mending.plan import Plan, Wishes

MOST_LINES = 10
"""So many changes of a mending are shown, and so many notes; the rest is counted. A diff is shown in full."""
DIFF_STYLES = {"---": "bold", "+++": "bold", "@@ ": "cyan"}
LINE_STYLES = {"-": "red", "+": "green"}


def offer(submission: Path, wishes: Wishes, *, yes: bool, err: Console) -> Path:
    """Show what can be mended in a submission, and write it if the user agrees.

    Args:
        submission: a ZIP, a folder or one Python file.
        wishes: which encoder and whose settings.
        yes: write without asking.
        err: where to show it; stdout is the report's.

    Returns:
        What to check: the new ZIP, else the submission itself.

    Raises:
        UsageError: nobody can be asked, or the new ZIP is there.
        MachineError: there is no room to write.
    """
    try:
        return _offer(submission, wishes, yes=yes, err=err)
    except UnmendableError as error:  # the check that follows says the same and more
        _say(err, str(error))
        return submission


def _offer(submission: Path, wishes: Wishes, *, yes: bool, err: Console) -> Path:
    with planned(submission, wishes) as plan:
        if not plan.mendings:
            _say(err, f"{shown(submission)}: there is nothing that --fix can mend")
            _show_notes(plan.notes, err)
            return submission
        refuse_existing(plan)
        _show(plan, err)
        if not yes and not _agreed(plan):
            _say(err, "nothing was changed")
            return submission
        written = carry_out(plan)
    _say(err, f"written: {shown(written)}")
    return written


def _agreed(plan: Plan) -> bool:
    """Ask the user.

    Raises:
        UsageError: there is nobody to answer.
    """
    if not sys.stdin.isatty():
        raise UsageError("--fix has nobody to ask: stdin is no terminal", "add --yes to write without being asked")
    return click.confirm(_question(plan), err=True)


def _question(plan: Plan) -> str:
    if plan.target:
        return f"Write {_name(plan.target)}?"
    changes = [change for mending in plan.mendings for change in mending.changes]
    files = [change.name for change in changes if isinstance(change, Added | Edited)]
    return f"Write {printable(files[0])}?" if len(files) == 1 else f"Write these {len(files)} files?"


def _show(plan: Plan, err: Console) -> None:
    where = f"as {_name(plan.target)}; the ZIP itself stays as it is" if plan.target else "in place"
    count = len(plan.mendings)
    _say(err, f"{shown(plan.submission)}: {count} thing{'' if count == 1 else 's'} to mend, {where}")
    for mending in plan.mendings:
        _show_mending(mending, err)
    _show_notes(plan.notes, err)


def _show_mending(mending: Mending, err: Console) -> None:
    _say(err, f"{mending.check_id} {printable(mending.what)}".strip(), "bold")
    edits = [change for change in mending.changes if isinstance(change, Edited)]
    _show_few([change.line for change in mending.changes if not isinstance(change, Edited)], err)
    for edit in edits:
        for line in edit.difference():
            _say(err, line, DIFF_STYLES.get(line[:3]) or LINE_STYLES.get(line[:1], ""))


def _show_notes(notes: Sequence[str], err: Console) -> None:
    if notes:
        _say(err, "left as it is", "bold")
        _show_few(notes, err)


def _show_few(lines: Sequence[str], err: Console) -> None:
    for line in lines[:MOST_LINES]:
        _say(err, f"  {line}")
    if lines[MOST_LINES:]:
        _say(err, f"  ... and {len(lines) - MOST_LINES} more")


def _say(err: Console, line: str, style: str = "") -> None:
    err.print(Text(line, style=style), soft_wrap=True)


def _name(path: Path) -> str:
    return printable(path.name, limit=300)
