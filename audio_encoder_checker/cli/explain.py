"""What the commands say about checks: the docstrings, laid out."""

from __future__ import annotations

import shutil
import sys
import textwrap

from audio_encoder_checker.catalogue import all_checks, matching
from audio_encoder_checker.errors import UsageError

WIDTH = 96


def explain(word: str) -> str:
    """The help of the checks that an id, prefix or name chooses.

    Raises:
        UsageError: it chooses none.
    """
    chosen, unknown = matching((word,))
    if unknown:
        close = _close(word)
        raise UsageError(
            f"no check is called {word!r}",
            f"did you mean {close}?" if close else "see `aecc-check --list-checks`",
        )
    pages = []
    for one in chosen:
        head = f"{one.id} {one.name} ({one.severity.value}, {one.stage} stage)"
        parts = [head, one.title, _fold(one.why), _fold(f"Fix: {one.fix}")]
        pages.append("\n\n".join(parts))
    return "\n\n\n".join(pages)


def list_checks() -> str:
    """All checks, one a line: id, severity, name, title."""
    wide = max(len(one.name) for one in all_checks())
    return "\n".join(f"{c.id}  {c.severity.value:<7}  {c.name:<{wide}}  {c.title}" for c in all_checks())


def _fold(text: str) -> str:
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    return "\n".join(textwrap.wrap(text, min(WIDTH, columns)))


def _close(word: str) -> str:
    import difflib

    names = [name for one in all_checks() for name in (one.id, one.name)]
    found = difflib.get_close_matches(word, names, n=1)
    return found[0] if found else ""
