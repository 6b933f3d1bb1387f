"""What `aecc-package slim` says, line by line; every name is printable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audio_encoder_checker.packing.slimming.converting import Converted
    from audio_encoder_checker.packing.slimming.facts import Saving, Slimming

MOST_PATHS = 3
MOST_LEFT_OUT = 5


def slimming_lines(found: Slimming) -> Iterator[str]:
    """What takes the space, and what could go."""
    yield f"{size_words(found.size_bytes)} in all"
    for total in found.totals:
        files = "1 file" if total.files == 1 else f"{total.files} files"
        yield f"  {total.kind.value:<10} {size_words(total.size_bytes):>10}  in {files}"
    yield "largest files"
    for file in found.largest:
        yield f"  {size_words(file.size_bytes):>10}  {printable(file.path)}"
    for note in found.notes:
        yield f"note: {note}"
    yield from _savings("could go", [one for one in found.savings if one.sure])
    yield from _savings("could go, but have a look first", [one for one in found.savings if not one.sure])
    if not found.savings:
        yield "nothing was found that could go"


def _savings(title: str, savings: Sequence[Saving]) -> Iterator[str]:
    if savings:
        yield f"{title}: {size_words(sum(one.size_bytes for one in savings))}"
    for one in savings:
        yield f"  {size_words(one.size_bytes)}: {one.kind.value}: {_few(one.paths, MOST_PATHS)}"
        yield f"    {one.why}"
        yield f"    -> {one.remedy}"


def converted_lines(done: Converted) -> Iterator[str]:
    """What was taken, what was left out, and that all is equal."""
    where = f" at {printable('.'.join(done.path))!r}" if done.path else ""
    yield f"{printable(str(done.target), limit=300)}: {_count(done.tensors)}{where}, {size_words(done.tensor_bytes)}"
    for copied in done.copied:
        names = _few(copied.names, MOST_PATHS)
        yield f"shared in the checkpoint, each on its own now ({size_words(copied.extra_bytes)} more): {names}"
    large = [f"{printable(key, limit=80)} ({size_words(size)})" for key, size in done.left_out if size]
    if large:
        yield f"left out: {_few(large, MOST_LEFT_OUT)}"
    small = [printable(key, limit=80) for key, size in done.left_out if not size]
    if small:
        yield f"left out, without numbers: {_few(small, MOST_LEFT_OUT)}"
    yield f"size: {size_words(done.before_bytes)} before, {size_words(done.after_bytes)} now"
    yield f"compared with the checkpoint byte by byte, outside the {done.box} box: {_count(done.tensors)}, all equal"


def _count(tensors: int) -> str:
    return "1 tensor" if tensors == 1 else f"{tensors:,} tensors"


def _few(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(printable(name) for name in names[:most]) + more
