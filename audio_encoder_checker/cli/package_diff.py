"""`aecc-package diff`: what differs between two ZIPs, a line for each file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.cli import console
from audio_encoder_checker.packing.difference import compare_archives
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audio_encoder_checker.packing.difference import Changed, Difference, Tensors

MOST_TENSORS = 3
"""So many tensors of a kind are named."""


def diff(first: Path, second: Path, *, text: bool) -> int:
    """Say what differs.

    Args:
        first: a ZIP.
        second: another.
        text: show changed texts line by line.

    Returns:
        0 if the contents are the same, else 1.

    Raises:
        UsageError: one is no ZIP, or a broken one.
        MachineError: there is no room to unpack them.
    """
    found = compare_archives(first, second)
    for line in _lines(found, text=text):
        console.say(line)
    return int(bool(found))


def _lines(found: Difference, *, text: bool) -> Iterator[str]:
    for file in found.removed:
        yield f"- {printable(file.name)} ({size_words(file.size_bytes)})"
    for file in found.added:
        yield f"+ {printable(file.name)} ({size_words(file.size_bytes)})"
    for before, after in found.renamed:
        yield f"> {printable(before.name)} is now {printable(after.name)}"
    for changed in found.changed:
        yield f"~ {printable(changed.before.name)}: {_what(changed)}"
        if text:
            yield from (f"    {printable(line, limit=1000)}" for line in changed.lines)
    for key, before_value, after_value in found.manifests:
        yield f"manifest: {key} was {printable(before_value)}, is {printable(after_value)}"
    same = "1 file is" if found.same == 1 else f"{found.same} files are"
    yield f"{same} the same" + ("" if found else "; nothing differs")


def _what(changed: Changed) -> str:
    before, after = changed.before.size_bytes, changed.after.size_bytes
    if changed.lines:
        body = changed.lines[2:]  # behind the names of both
        added, removed = (sum(line.startswith(sign) for line in body) for sign in "+-")
        return f"+{added} -{removed} lines"
    if changed.tensors:
        return "; ".join(_tensor_words(changed.tensors)) or "the same tensors in another layout"
    return f"{size_words(before)}, now {size_words(after)}" if before != after else f"other {size_words(before)}"


def _tensor_words(tensors: Tensors) -> Iterator[str]:
    kinds = (
        (tensors.changed, "with other values"),
        (tensors.reshaped, "of another shape or format"),
        (tensors.added, "new"),
        (tensors.removed, "gone"),
    )
    total = tensors.same + sum(len(names) for names, _ in kinds)
    for names, word in kinds:
        if names:
            shown = ", ".join(printable(name, limit=80) for name in names[:MOST_TENSORS])
            yield f"{len(names)} of {total} tensors {word} ({shown}{', ...' if len(names) > MOST_TENSORS else ''})"
