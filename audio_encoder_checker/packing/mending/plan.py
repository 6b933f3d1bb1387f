"""What can be mended in a submission, and what would come of it. Nothing of the submission is written here."""

from __future__ import annotations

import ast
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.source import read_sources, repository_root
from audio_encoder_checker.archive.submission import read_submission
from audio_encoder_checker.archive.syntax import parse_source
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.config import Config, read_config
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.archive import EntryKind
from audio_encoder_checker.evidence.submission import SubmissionKind
from audio_encoder_checker.packing.contents import worst_error
from audio_encoder_checker.packing.manifest import Declared, declared_in
from audio_encoder_checker.packing.mending.changes import LeftOut, Mending
from audio_encoder_checker.packing.mending.entries import ENVIRONMENT, litter_at, mend_entries
from audio_encoder_checker.packing.mending.ignoring import mend_ignore
from audio_encoder_checker.packing.mending.pinning import mend_downloads
from audio_encoder_checker.printable import printable
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.sandbox.sweep import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audio_encoder_checker.catalogue import Check
    from audio_encoder_checker.evidence.source import SourceFacts
    from audio_encoder_checker.packing.mending.entries import MendedEntries
    from audio_encoder_checker.rules import Rules

STRUCTURE = "AEC10"
"""Checks of the ZIP's own records: they are asked of it as it is, all others of what it will be."""


class UnmendableError(UsageError):
    """A ZIP has faults that only its author can mend: a check says more of them."""


@dataclass(frozen=True)
class Wishes:
    """What the user asked for beside mending.

    Attributes:
        encoder: `FILE` or `FILE:CLASS`, relative to the repository; empty to search.
        isolated: leave the submission's own settings aside.
        profile: name or file of the rule book.
    """

    encoder: str = ""
    isolated: bool = False
    profile: str = "icme-2025"


@dataclass(frozen=True)
class Plan:
    """What to mend.

    Attributes:
        submission: as the user named it.
        kind: of the submission.
        root: what the names of files are relative to: the repository, of a ZIP an unpacked copy of it.
        mendings: in the order in which they are shown; empty if there is nothing to mend.
        notes: what was left alone, and why.
        target: the ZIP to write; None if the files themselves are written.
        files: what the new ZIP holds, relative to `top`.
        top: of the unpacked copy.
        declared: for the ZIP's manifest.
    """

    submission: Path
    kind: SubmissionKind
    root: Path
    mendings: tuple[Mending, ...] = ()
    notes: tuple[str, ...] = ()
    target: Path | None = None
    files: tuple[str, ...] = ()
    top: Path = Path()
    declared: Declared = field(default_factory=Declared)


@contextmanager
def planned(path: Path, wishes: Wishes | None = None) -> Iterator[Plan]:
    """Look at a submission and say what can be mended; a ZIP's unpacked copy lives as long as the plan.

    Raises:
        UnmendableError: its ZIP has faults that only its author can mend.
        UsageError: there is no such submission, or its settings cannot be read.
        MachineError: there is no room to unpack it.
    """
    wishes = wishes or Wishes()
    kind = read_submission(path, hashed=False).kind
    if kind is SubmissionKind.ARCHIVE:
        with workspace() as private:
            yield _plan_archive(path, wishes, private / "submission")
    elif kind is SubmissionKind.FOLDER:
        yield _plan_folder(path, wishes)
    else:
        mending, notes = mend_downloads(path.parent, [path.name])
        yield Plan(path, kind, path.parent, (mending,) if mending else (), notes)


def _plan_folder(path: Path, wishes: Wishes) -> Plan:
    root = path.resolve()
    sources, _ = _sources(root, wishes)
    names = list(_names(sources.root))
    mending, notes = mend_downloads(sources.root, _read_first(sources))
    mendings = [one for one in (mend_ignore(names), mending) if one]
    return Plan(path, SubmissionKind.FOLDER, sources.root, tuple(mendings), notes)


def _found(sources: SourceFacts) -> str:
    return sources.chosen.path if sources.chosen else ""


def _plan_archive(path: Path, wishes: Wishes, copy: Path) -> Plan:
    rules = load_rules(wishes.profile)
    listing = read_listing(path)
    _refuse_errors(path, lambda check: check.id.startswith(STRUCTURE), rules, listing)
    entries = mend_entries(listing, wishes.encoder)
    _refuse_errors(path, lambda check: not check.id.startswith(STRUCTURE), rules, entries.listing)
    files = sorted(entry.name for entry in entries.listing.entries if entry.kind is EntryKind.FILE)
    if not files:
        hint = "make a ZIP of the folder with your encoder: `aecc-package build DIR -o submission.zip`"
        raise UnmendableError(f"{printable(str(path))!r} holds no file that is part of a repository", hint)
    unpacked = unpack(path, entries.listing, copy)
    _refuse_errors(path, lambda check: not check.id.startswith(STRUCTURE), rules, entries.listing, unpacked)
    sources, config = _sources(copy, wishes)
    _refuse_misled(config, entries.flattened)
    pins, notes = mend_downloads(sources.root, _read_first(sources))
    prefix = below(copy.resolve(), sources.root)
    mendings = [*entries.mendings, *([pins] if pins else [])]
    ignore = mend_ignore([name.removeprefix(prefix) for name in files]) if mendings else None
    return Plan(
        submission=path,
        kind=SubmissionKind.ARCHIVE,
        root=sources.root,
        mendings=(*mendings, *([ignore] if ignore else [])),
        notes=(*entries.notes, *_mentions(entries, sources), *notes),
        target=path.with_name(f"{path.stem}-fixed.zip"),
        files=tuple(files),
        top=copy.resolve(),
        declared=declared_in(sources, wishes.encoder or config.encoder or _found(sources), rules),
    )


def below(top: Path, root: Path) -> str:
    """The path of a folder as names of a ZIP start with it: with `/` at its end, empty for the top."""
    return f"{root.relative_to(top).as_posix()}/" if root != top else ""


def _refuse_errors(path: Path, asked: Callable[[Check], bool], rules: Rules, *facts: object) -> None:
    """Refuse a ZIP that some checks find an error in.

    Raises:
        UnmendableError: the gravest, with its remedy.
    """
    worst = worst_error(rules, *facts, asked=asked)
    if worst:
        shown = printable(str(path), limit=300)
        raise UnmendableError(f"{shown!r} cannot be mended: {worst.id} {worst.name}: {worst.message}", worst.hint)


def _refuse_misled(config: Config, flattened: str) -> None:
    """Refuse to move what the settings name by its old place."""
    if flattened and config.encoder.startswith(f"{flattened}/"):
        inside = config.encoder.removeprefix(f"{flattened}/")
        message = f"AEC119: the settings name the encoder {printable(config.encoder)!r}, below the folder to take away"
        raise UsageError(message, f"write `encoder = {printable(inside)!r}` into aecc.toml")


def _sources(folder: Path, wishes: Wishes) -> tuple[SourceFacts, Config]:
    """The sources as a check would read them, and the settings."""
    config = Config() if wishes.isolated else read_config(repository_root(folder))
    return read_sources(folder, wishes.encoder or config.encoder or None), config


def _read_first(sources: SourceFacts) -> Sequence[str]:
    """The sources that the encoder needs; all where it was not found. Of links to one file only the first."""
    paths = sources.reached or [file.path for file in sources.files]
    return list({(sources.root / path).resolve(): path for path in reversed(paths)}.values())[::-1]


def _names(root: Path) -> Iterator[str]:
    """Files of a repository, without what is no part of it."""
    for at, folders, files in os.walk(root):
        folder = Path(at)
        folders[:] = [one for one in folders if not litter_at(one) and not (folder / one / ENVIRONMENT).exists()]
        yield from ((folder / one).relative_to(root).as_posix() for one in files)


def _mentions(entries: MendedEntries, sources: SourceFacts) -> Iterator[str]:
    """Sources that name what is left out: the encoder may need it after all."""
    changes = [change for mending in entries.mendings for change in mending.changes]
    left_out = {Path(change.name).name: change.name for change in changes if isinstance(change, LeftOut)}
    for path in _read_first(sources) if left_out else ():
        tree = parse_source(sources.root / path, path).tree
        for node in ast.walk(tree) if tree else ():
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            for part in sorted(left_out.keys() & set(re.split(r"[/\\]", node.value))):
                what = f"{printable(left_out.pop(part))} is left out, and the source names it: is it needed?"
                yield f"{printable(path)}:{node.lineno} {what}"
