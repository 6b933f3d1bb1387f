"""Carry out what was planned: a new ZIP beside the old one, or the files of a folder; each appears in one step."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.manifest import MANIFEST, describe_file
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.packing.manifest import manifest_text
from audio_encoder_checker.packing.mending.changes import Added, Edited
from audio_encoder_checker.packing.mending.plan import below
from audio_encoder_checker.packing.selection import Chosen
from audio_encoder_checker.packing.writing import replaced_when_done, write_zip
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from audio_encoder_checker.packing.mending.plan import Plan

AGAIN = "run the command again"


def carry_out(plan: Plan, *, force: bool = False) -> Path:
    """Write what a plan says.

    Args:
        plan: with something to mend.
        force: replace a mended ZIP of before.

    Returns:
        The submission to check from now on.

    Raises:
        UsageError: the mended ZIP is there already, a file has changed since the plan, or a folder is not writable.
        MachineError: reading or writing failed on the way, the disk is full for one.
    """
    try:
        if plan.target is None:
            _write_files(plan)
            return plan.submission
        refuse_existing(plan, force=force)
        _write_archive(plan, plan.target)
    except OSError as error:
        where = printable(str(plan.target or plan.root))
        raise MachineError(f"cannot write {where!r}: {error}", "free some space and try again") from None
    return plan.target


def refuse_existing(plan: Plan, *, force: bool = False) -> None:
    """Refuse to write over a mended ZIP of before.

    Raises:
        UsageError: it is there.
    """
    if plan.target and plan.mendings and not force and (plan.target.exists() or plan.target.is_symlink()):
        shown = printable(str(plan.target))
        raise UsageError(f"{shown!r} is there already, and nothing is overwritten", "move it away or remove it")


def _write_archive(plan: Plan, target: Path) -> None:
    """Change the unpacked copy, and pack that."""
    names = {*plan.files}
    prefix = below(plan.top, plan.root)
    for mending in plan.mendings:
        for change in mending.changes:
            if isinstance(change, Edited):
                (plan.root / change.name).write_bytes(change.after)
            elif isinstance(change, Added):
                (plan.root / change.name).write_text(change.text, encoding="utf-8", newline="\n")
                names.add(prefix + change.name)
    if prefix + MANIFEST in names:
        _renew_manifest(plan, names, prefix)
    with _new(target) as file:
        write_zip(file, [Chosen(name, plan.top / name) for name in sorted(names)])


def _renew_manifest(plan: Plan, names: set[str], prefix: str) -> None:
    """Let the manifest that came with the ZIP fit what is in it now."""
    inside = [name for name in names if name.startswith(prefix) and name != prefix + MANIFEST]
    described = [describe_file(plan.top / name, name.removeprefix(prefix)) for name in inside]
    (plan.root / MANIFEST).write_text(manifest_text(described, plan.declared), encoding="utf-8", newline="\n")


def _write_files(plan: Plan) -> None:
    """Write new and changed files: all of them are whole before the first takes its place."""
    with ExitStack() as stack:
        for mending in plan.mendings:
            for change in mending.changes:
                if isinstance(change, Edited):
                    target = (plan.root / change.name).resolve()
                    _refuse_changed(target, change)
                    file = stack.enter_context(_new(target))
                    Path(file.name).chmod(S_IMODE(target.stat().st_mode))
                    file.write(change.after)
                elif isinstance(change, Added):
                    target = plan.root / change.name
                    _refuse_new(target)
                    stack.enter_context(_new(target)).write(change.text.encode())


def _refuse_changed(target: Path, change: Edited) -> None:
    try:
        same = target.read_bytes() == change.before
    except FileNotFoundError:
        same = False
    if not same:
        raise UsageError(f"{printable(change.name)!r} has changed since it was looked at, nothing was written", AGAIN)


def _refuse_new(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise UsageError(f"{printable(target.name)!r} has appeared since it was looked for, nothing was written", AGAIN)


@contextmanager
def _new(target: Path) -> Iterator[BinaryIO]:
    """A file that takes its target's place once it is whole.

    Raises:
        UsageError: the folder cannot be written.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(replaced_when_done(target))
        except UsageError as error:
            raise UsageError(str(error), "make that folder writable, or copy the submission to one that is") from None
        yield file
