"""The `.aeccignore` that a submission lacks: the template's, which leaves out nothing that is there now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.packing.ignore import GIT, OWN
from audio_encoder_checker.packing.mending.changes import Added, Mending
from audio_encoder_checker.packing.template import COMMON, find_templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def mend_ignore(names: Sequence[str]) -> Mending | None:
    """The file to add, unless there is one, or `.gitignore` takes its place: a new one would end that.

    Args:
        names: of all files of the repository, relative to its root.
    """
    if any(name == OWN or name.rpartition("/")[2] == GIT for name in names):
        return None
    template = (find_templates() / COMMON / OWN).read_text(encoding="utf-8")
    text = "".join(f"{line}\n" for line in _lines(template, names))
    return Mending("", f"a {OWN} says what `aecc-package build` leaves out", (Added(OWN, text),))


def _lines(template: str, names: Sequence[str]) -> Iterator[str]:
    """The template's lines; a pattern that fits a file of today becomes a comment: the encoder may need it."""
    from pathspec import GitIgnoreSpec

    for line in template.splitlines():
        pattern = line.strip()
        fits = pattern and not pattern.startswith("#") and any(GitIgnoreSpec.from_lines([pattern]).match_files(names))
        if fits:
            yield "# The next pattern fits files that are here. Take its # away if the encoder does not need them."
        yield f"# {line}" if fits else line
