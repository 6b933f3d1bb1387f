"""`aecc-package build`: what it does in which order, and what it says."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.archive.mailing import mail_readiness, mailing_lines
from audio_encoder_checker.cli import console
from audio_encoder_checker.cli.package import is_bad, say_findings
from audio_encoder_checker.config import read_config
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.build import build_zip, refuse_target, select
from audio_encoder_checker.packing.inspection import inspect_paper, inspect_zip
from audio_encoder_checker.packing.repository import uncommitted
from audio_encoder_checker.packing.writing import other_zlib
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from audio_encoder_checker.packing.build import Built
    from audio_encoder_checker.packing.selection import Selection

MOST_REASONS = 8
"""So many reasons for leaving files out are shown; the rest is counted."""
LARGE_BYTES = 100 << 20
"""Packing so much takes long enough for a bar to be worth looking at."""


def build(folder: Path, **wishes: Any) -> int:
    """Pack, look or check, and say all that.

    Args:
        folder: to pack.
        wishes: the options of the command by their names.

    Returns:
        The exit status.

    Raises:
        UsageError: an option or the folder makes no sense.
        MachineError: this machine cannot do it.
    """
    target: Path | None = wishes["target"]
    if wishes["dry_run"]:
        _say_selection(select(folder, target, wishes["profile"]), everything=True)
        return 0
    if target is None:
        raise UsageError("build needs to know which ZIP to write", "for example `-o submission.zip`, or --dry-run")
    refuse_target(target, force=wishes["force"])
    paper = _paper(folder, wishes["paper"])
    _say_uncommitted(folder)
    with _bar(quiet=wishes["quiet"]) as told:
        built = build_zip(folder, target, force=wishes["force"], profile=wishes["profile"], told=told)
    _say_built(built)
    say_mail(target, [chosen.name for chosen in built.selection.files], paper)
    if wishes["no_check"]:
        return _look(target, paper)
    return _check(target, paper, wishes)


def _paper(folder: Path, named: Path | None) -> Path | None:
    """The paper: named on the command line, else by the settings.

    Raises:
        UsageError: the one named is not there.
    """
    declared = read_config(folder).paper if folder.is_dir() and named is None else ""
    paper = folder / declared if declared else named
    if paper is not None and not os.path.isfile(paper):  # noqa: PTH113 - `is_file` raises for names that are too long
        where = "mend `paper = ...` in aecc.toml" if declared else "name the PDF: --paper FILE"
        raise UsageError(f"there is no paper {printable(str(paper))!r}", where)
    return paper


def _look(target: Path, paper: Path | None) -> int:
    """Everything that can be said without running anything."""
    findings = [*inspect_zip(target, sources=True), *(inspect_paper(paper, target) if paper else ())]
    say_findings(findings)
    shown = console.shown(target)
    if is_bad(findings):
        console.say(f"{shown} was written and is NOT READY: mend the errors above and build it again with --force")
        return 1
    console.say(f"next: aecc-check {shown}")
    return 0


def _check(target: Path, paper: Path | None, wishes: dict[str, Any]) -> int:
    """The whole check of the ZIP, and the receipt of it.

    Raises:
        UsageError: an option makes no sense, or the receipt cannot be written.
        MachineError: there is no such box here.
    """
    from audio_encoder_checker.cli.output import consoles, show
    from audio_encoder_checker.cli.progress import checked
    from audio_encoder_checker.packing.receipt import report_beside, write_receipt
    from audio_encoder_checker.pipeline import Options
    from audio_encoder_checker.stages.order import STAGES

    stages = tuple(stage for stage in STAGES if stage != "evaluate" or not wishes["no_eval"])
    options = Options(
        stages=stages,
        profile=wishes["profile"],
        paper=paper,
        box=wishes["box"],
        trust=wishes["trust"],
        device=wishes["device"],
        strict=wishes["strict"],
    )
    out, err = consoles("auto")
    report = checked(target, options, err, quiet=wishes["quiet"])
    show(report, "text", out)
    if report.interrupted:
        console.complain("interrupted: no receipt was written")
        return console.EXIT_INTERRUPTED
    receipt = write_receipt(target, report, wishes["profile"], paper)
    console.say(f"receipt: {printable(str(receipt))}, report: {printable(report_beside(target).name)}")
    return report.verdict.exit_code


def _say_uncommitted(folder: Path) -> None:
    paths = uncommitted(folder) if folder.is_dir() else None
    if paths:
        shown = ", ".join(printable(path, limit=80) for path in paths[:3]) + (", ..." if len(paths) > 3 else "")
        console.say(f"note: git has not committed {_count(len(paths))} of this folder ({shown}); packed is the folder")


def _say_built(built: Built) -> None:
    files = f"{len(built.selection.files)} files, {size_words(built.content_bytes)}, and aecc-manifest.json"
    console.say(f"{printable(built.name, limit=300)}: {files}; {size_words(built.size_bytes)} packed")
    _say_selection(built.selection, everything=False)
    if built.sha256:
        console.say(f"sha256 {built.sha256}")
    version = other_zlib()
    if version:
        console.say(f"note: this Python's zlib ({version}) gives other bytes than most, for the same contents")


def _say_selection(selection: Selection, *, everything: bool) -> None:
    if everything:
        for chosen in selection.files:
            console.say(f"  packed: {printable(chosen.name)} ({size_words(chosen.path.stat().st_size)})")
    shown = selection.left_out if everything else selection.left_out[:MOST_REASONS]
    for left in shown:
        names = ", ".join(printable(path, limit=80) for path in left.paths)
        more = ", ..." if left.more else ""
        what = f"{_count(left.files)}, {size_words(left.size_bytes)}: {names}{more}"
        console.say(f"  left out: {printable(left.reason)} ({what})")
    rest = selection.left_out[len(shown) :]
    if rest:
        sizes = size_words(sum(left.size_bytes for left in rest))
        console.say(
            f"  left out: for {len(rest)} more reasons ({_count(sum(left.files for left in rest))}, {sizes}); "
            "--dry-run lists all"
        )


def say_mail(archive: Path, names: Iterable[str], paper: Path | None) -> None:
    """Whether ZIP and paper can be sent by e-mail.

    Args:
        archive: the ZIP.
        names: of the files in it.
        paper: the team's PDF, None if it is not known.
    """
    mailing = mail_readiness([one.stat().st_size for one in (archive, paper) if one], names)
    for line in mailing_lines(mailing):
        console.say(line)
    if mailing.too_large_for:
        console.say(
            "  instead: `aecc-package upload WEIGHTS --repository OWNER/NAME`, and let the encoder download them"
        )


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr for packing, on a terminal and where there is much to pack."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    err = Console(stderr=True)
    columns = (TextColumn("packing"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as bar:
        task = bar.add_task("packing", total=None, visible=False)

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total > LARGE_BYTES)

        yield told


def _count(files: int) -> str:
    return "1 file" if files == 1 else f"{files:,} files"
