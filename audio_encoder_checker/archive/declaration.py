"""What a repository says of its training: `[training]` in `aecc.toml`, or `[tool.aecc.training]` in `pyproject.toml`.

    [training]
    data = ["AudioSet", "LibriSpeech train-clean-360"]    # data sets, as they are usually called
    pretrained = ["facebook/wav2vec2-base"]               # public models that it starts from, or holds

It is no setting but testimony, so it is read even where settings are left aside, and a broken one is a fact.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from audio_encoder_checker import toml
from audio_encoder_checker.archive.corpora import as_known, model_named, uses_in, uses_of
from audio_encoder_checker.evidence.training import Declaration, Named
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = ("aecc.toml", "pyproject.toml")
KEYS = ("data", "pretrained")
MOST_NAMES = 200
MOST_BYTES = 1 << 20


def read_declaration(root: Path) -> Declaration:
    """Read what the repository says; nothing is fine.

    Args:
        root: of the repository.
    """
    for name in FILES:
        path = root / name
        if path.is_symlink() or not path.is_file():
            continue
        try:
            with path.open("rb") as file:
                text = file.read(MOST_BYTES).decode("utf-8")
            table = toml.loads(text)
        except (OSError, ValueError):
            return Declaration()  # whoever reads the settings says so
        return _declared(table if name == FILES[0] else _own(table), text, name)
    return Declaration()


def _own(table: dict[str, Any]) -> Any:
    tool = table.get("tool")
    return tool.get("aecc") if isinstance(tool, dict) else None


def _declared(table: Any, text: str, name: str) -> Declaration:
    given = table.get("training") if isinstance(table, dict) else None
    if given is None:
        return Declaration()
    if not isinstance(given, dict):
        return Declaration(name, ("training: expected a table",))
    lines = text.splitlines()
    lists = {key: tuple(_texts(given.get(key, []))) for key in KEYS}
    return Declaration(
        file=name,
        troubles=tuple(_troubles(given)),
        data=tuple(Named(printable(one), _at(name, lines, one), uses_in(one)) for one in lists["data"]),
        pretrained=tuple(named_model(one, _at(name, lines, one)) for one in lists["pretrained"]),
    )


def _texts(value: Any) -> Iterator[str]:
    for one in value[:MOST_NAMES] if isinstance(value, list) else []:
        if isinstance(one, str) and one.strip():
            yield one


def _troubles(table: dict[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if key not in KEYS:
            close = difflib.get_close_matches(str(key), KEYS, n=1)
            guess = f"did you mean {close[0]!r}?" if close else f"known are {' and '.join(KEYS)}"
            yield printable(f"training: unknown key {key!r}, {guess}")
        elif not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            yield printable(f"training.{key}: expected a list of names, found {value!r}", limit=120)


def named_model(text: str, at: str) -> Named:
    """A model by what it is called: what is known of it, or else what its name says.

    Args:
        text: an identifier, an address or prose.
        at: where that stands.
    """
    model = model_named(text)
    shown = printable(text, limit=120)
    if model is None:
        return Named(shown, at, uses_in(text))
    return Named(shown, at, uses_of(model.data), as_known(model))


def _at(name: str, lines: list[str], value: str) -> str:
    """The line where a name stands, below the head of the table if there is one."""
    head = next((n for n, line in enumerate(lines) if re.match(r"\s*\[[\w.]*training\]", line)), 0)
    quoted = (f'"{value}"', f"'{value}'")
    found = next((n for n, line in enumerate(lines[head:], head + 1) if any(one in line for one in quoted)), 0)
    return f"{name}:{found}" if found else name
