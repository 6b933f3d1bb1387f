"""What takes the space in a submission, and what of it could go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.streams import Budget
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.contents import opened_archive
from audio_encoder_checker.packing.slimming.facts import FileKind, Saving, SavingKind, Sized, Slimming, Total
from audio_encoder_checker.packing.slimming.files import list_items
from audio_encoder_checker.packing.slimming.formats import indexed, same_weights, unused_shards
from audio_encoder_checker.packing.slimming.insides import look_inside
from audio_encoder_checker.packing.slimming.mentions import Mentions
from audio_encoder_checker.packing.slimming.remedies import Remedies
from audio_encoder_checker.packing.slimming.whole import SMALL_BYTES, checkpoints, gone, leftovers, same_files
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from audio_encoder_checker.packing.slimming.files import Item
    from audio_encoder_checker.packing.slimming.whole import Gone

    Finder = Callable[[Sequence[Item], Mentions, Remedies], Iterator[Gone]]

MOST_LARGEST = 10
FINDERS: tuple[Finder, ...] = (leftovers, checkpoints, unused_shards, same_files, same_weights)
"""In this order: a file that one of them takes away is not shown to the next."""


def find_savings_in(submission: Path) -> Slimming:
    """The same of a folder or a ZIP.

    Raises:
        UsageError: there is none, it is broken, cannot be read, or holds nothing to pack.
        MachineError: there is no room to unpack it.
    """
    if submission.is_dir():
        return find_savings(submission)
    with opened_archive(submission, leave_packed=False) as contents:
        return find_savings(contents.root, unpacked=True)


def find_savings(root: Path, *, unpacked: bool = False) -> Slimming:
    """Say what takes the space in a submission and what could go. Nothing is loaded, run or written.

    Args:
        root: the repository's folder.
        unpacked: it is an unpacked ZIP, of which every file counts; otherwise what would be packed does.

    Raises:
        UsageError: the folder cannot be read, or holds nothing to pack.
    """
    budget, notes = Budget(), list[str]()
    items = list_items(root, unpacked=unpacked, budget=budget)
    mentions, remedies = Mentions(items), Remedies(root)
    left = {item.name: item for item in items}
    try:
        savings = list(_whole_files(left, mentions, remedies))
        doubtful = [*_unnamed([*left.values()], mentions, remedies)]
        away = {item.name for one in doubtful for item in one.items}
        for item in left.values():
            if item.name not in away:
                savings += look_inside(item, mentions, remedies, budget, notes)
    except OSError as error:
        raise UsageError(
            f"cannot read {printable(str(error.filename))!r}: {error.strerror}", "make it readable"
        ) from None
    savings += [_saving(one) for one in doubtful]
    return Slimming(
        root=root,
        totals=_totals(items),
        largest=tuple(Sized(one.name, one.size_bytes) for one in sorted(items, key=_by_size)[:MOST_LARGEST]),
        savings=tuple(sorted(savings, key=lambda one: (not one.sure, -one.size_bytes, one.paths))),
        notes=tuple(notes),
    )


def _whole_files(left: dict[str, Item], mentions: Mentions, remedies: Remedies) -> Iterator[Saving]:
    """What the finders take away, which goes out of `left`; what has to stay for one of them stays."""
    kept: set[str] = set()
    for find in FINDERS:
        for one in list(find([*left.values()], mentions, remedies)):
            names = {item.name for item in one.items}
            if kept.isdisjoint(names) and names <= left.keys() and left.keys() >= set(one.kept):
                kept.update(one.kept)
                for name in names:
                    del left[name]
                yield _saving(one)


def _saving(one: Gone) -> Saving:
    return Saving(one.kind, one.shown, sum(item.size_bytes for item in one.items), one.why, one.remedy, one.sure)


def _unnamed(items: Sequence[Item], mentions: Mentions, remedies: Remedies) -> Iterator[Gone]:
    """Weights that nothing names, where something names others: else they are found in a way that does not show."""
    weights, by_index = [item for item in items if item.kind is FileKind.WEIGHTS], indexed(items)
    named = [item for item in weights if item.name in by_index or mentions.names(item)]
    for item in weights if named else ():
        if item not in named and item.size_bytes >= SMALL_BYTES:
            why = f"no source and no settings name it, as they name {printable(named[0].name)!r}: is it needed?"
            yield gone(SavingKind.UNNAMED, [item], why, remedies.leave_out(item.name), sure=False)


def _totals(items: Sequence[Item]) -> tuple[Total, ...]:
    found = []
    for kind in FileKind:
        sizes = [item.size_bytes for item in items if item.kind is kind]
        if sizes:
            found.append(Total(kind, len(sizes), sum(sizes)))
    return tuple(sorted(found, key=lambda one: -one.size_bytes))


def _by_size(item: Item) -> tuple[int, str]:
    return -item.size_bytes, item.name
