"""Whole files that could go: leftovers of training, checkpoints beside the one in use, the same file again."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.submission import feed
from audio_encoder_checker.packing.ignore import JUNK, TRAINING
from audio_encoder_checker.packing.slimming.facts import FileKind, SavingKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audio_encoder_checker.packing.slimming.files import Item
    from audio_encoder_checker.packing.slimming.mentions import Mentions
    from audio_encoder_checker.packing.slimming.remedies import Remedies

SMALL_BYTES = 100_000
"""Less is not worth a line; training leftovers are told whatever their size."""
LEFTOVERS = JUNK[TRAINING]
"""Files and folders that training programs write for themselves."""
NUMBERED = re.compile(r"(checkpoint|ckpt|step|epoch|iter|global_step)[-_=]?\d+", re.IGNORECASE)
DIGITS = re.compile(r"\d+")


class Gone(NamedTuple):
    """Files that could go together.

    Attributes:
        kind: why.
        items: the files.
        shown: how they are told: by their names, or that of their folder.
        why: in words.
        remedy: the line or command.
        sure: nothing seems to need them.
        kept: names of files that have to stay for that reason.
    """

    kind: SavingKind
    items: tuple[Item, ...]
    shown: tuple[str, ...]
    why: str
    remedy: str
    sure: bool = True
    kept: tuple[str, ...] = ()


def gone(kind: SavingKind, items: Sequence[Item], why: str, remedy: str, *, sure: bool = True) -> Gone:
    """Files that are told by their names."""
    return Gone(kind, tuple(items), tuple(item.name for item in items), why, remedy, sure)


def leftovers(items: Sequence[Item], mentions: Mentions, remedies: Remedies) -> Iterator[Gone]:
    """What training programs write for themselves, unless a source names it."""
    for pattern in LEFTOVERS:
        found = [one for one in items if any(fnmatchcase(part, pattern) for part in one.name.split("/"))]
        found = [one for one in found if not mentions.spells(one.base)]
        if found:
            why = "training programs write it to go on later; an encoder does not read it"
            yield gone(SavingKind.LEFTOVERS, found, why, remedies.ignore(pattern))


def checkpoints(items: Sequence[Item], mentions: Mentions, remedies: Remedies) -> Iterator[Gone]:
    """Numbered folders and files, of which the sources name some and not the others."""
    for names in _numbered(items).values():
        named = {name for name in names if mentions.spells(name.rpartition("/")[2])}
        others = sorted(name for name in names if name not in named and not mentions.fits(name.rpartition("/")[2]))
        if not named or not others:
            continue
        found = [item for name in others for item in names[name]]
        folder = len(found) != len(others) or found[0].name != others[0]
        shown = tuple(f"{name}/" if folder else name for name in others)
        why = f"the sources name {printable(min(named))!r} and not {'these' if len(others) > 1 else 'this one'}"
        yield Gone(SavingKind.CHECKPOINTS, tuple(found), shown, why, remedies.leave_out(*shown))


def _numbered(items: Sequence[Item]) -> dict[str, dict[str, list[Item]]]:
    """Files by their path with every number replaced, and by that path up to its numbered part."""
    groups: dict[str, dict[str, list[Item]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        parts = item.name.split("/")
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            numbered = NUMBERED.search(part) if last else NUMBERED.fullmatch(part)
            if numbered and (not last or item.kind is FileKind.WEIGHTS):
                name = "/".join(parts[: place + 1])
                template = f"{'/'.join(parts[:place])}/{DIGITS.sub('#', part)}{'' if last else '/'}"
                groups[template][name].append(item)
                break
    return groups


def same_files(items: Sequence[Item], mentions: Mentions, remedies: Remedies) -> Iterator[Gone]:
    """Files of the same bytes; sources stay, since imports name them."""
    by_size: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        if item.size_bytes >= SMALL_BYTES and item.kind is not FileKind.CODE:
            by_size[item.size_bytes].append(item)
    for alike in by_size.values():
        for same in _same(alike) if len(alike) > 1 else ():
            ordered = sorted(same, key=lambda one: (not mentions.names(one), one.name.count("/"), one.name))
            kept, others = ordered[0], ordered[1:]
            named = [one.name for one in others if mentions.names(one)]
            first = (
                f"load {printable(kept.name)!r} where the sources load {printable(named[0])!r}, then " if named else ""
            )
            remedy = first + remedies.leave_out(*(one.name for one in others))
            why = f"the same bytes as {printable(kept.name)!r}, which stays"
            found = gone(SavingKind.SAME_FILE, others, why, remedy, sure=not named)
            yield found._replace(kept=(kept.name,))


def _same(items: Sequence[Item]) -> Iterator[list[Item]]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        digest = hashlib.sha256()
        feed(digest, item.path)
        groups[digest.hexdigest()].append(item)
    yield from (group for group in groups.values() if len(group) > 1)
