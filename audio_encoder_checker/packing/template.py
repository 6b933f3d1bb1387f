"""Start a submission: copy a template into a new folder, under a class name of its own."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.abc import Traversable

PLACEHOLDER = "TemplateEncoder"
"""The class name that the templates carry."""
COMMON = "common"
"""The folder of what all templates share."""
SUFFIX = "Encoder"


@dataclass(frozen=True)
class Template:
    """A starting point.

    Attributes:
        summary: what it is, in a line.
        missing: what only the author can fill in.
    """

    summary: str
    missing: tuple[str, ...]


RANDOM = "weights: they are random; "
OTHERS = (
    "training data: [training] of aecc.toml says what the encoder was trained on",
    "the paper: `paper = ...` in aecc.toml",
    "audio_encoder_checker.py: a complete repository holds the challenge's own checker, from its template (AEC123)",
)
TEMPLATES = {
    "plain": Template(
        "a model written in PyTorch alone, its weights beside it",
        (f"{RANDOM}the top of encoder.py says where yours go", *OTHERS),
    ),
    "transformers": Template(
        "a model of the library transformers, from its config.json",
        (f"{RANDOM}put your config.json and model.safetensors in place and set WEIGHTS in encoder.py", *OTHERS),
    ),
    "hub": Template(
        "weights downloaded from the Hub at a pinned revision",
        (f"{RANDOM}set REPOSITORY and REVISION in encoder.py; `aecc-package upload` prints both", *OTHERS),
    ),
    "checkpoint": Template(
        "a checkpoint of your training, as safetensors beside it",
        (f"{RANDOM}`python export.py CHECKPOINT` puts yours in place", *OTHERS),
    ),
    "wrapper": Template(
        "a wrapper around a package that brings its weights",
        ("your package: encoder.py and requirements.txt show what a wrapper has to get right", *OTHERS),
    ),
}
"""The starting points by the name of their folder."""
TAKEN = ("MyEncoder",)
"""The official template's name: X-ARES keeps scores by class name, so two of a name would share theirs."""


def start_submission(folder: Path, template: str, name: str = "") -> tuple[str, tuple[str, ...]]:
    """Copy a template into a folder that is new or empty.

    Args:
        folder: where to put it.
        template: one of `TEMPLATES`.
        name: of the encoder class; empty to make one of the folder's name.

    Returns:
        The class name, and the files written, relative to the folder.

    Raises:
        UsageError: the folder is not empty or cannot be written, or the class name will not do.
    """
    name = name or class_name_for(folder.resolve().name)
    _refuse_bad_name(name)
    refuse_used_folder(folder)
    written = []
    try:
        for relative, content in _contents(template).items():
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.replace(PLACEHOLDER.encode(), name.encode()))
            written.append(relative)
    except OSError as error:
        raise UsageError(f"cannot write {printable(str(folder))!r}: {error.strerror}", "name another folder") from None
    return name, tuple(sorted(written))


def class_name_for(folder: str) -> str:
    """A class name made of a folder's name: `my-team_v2` becomes `MyTeamV2Encoder`; empty if it gives none."""
    words = re.findall(r"[A-Za-z0-9]+", folder)
    stem = "".join(word[0].upper() + word[1:] for word in words).removesuffix(SUFFIX).lstrip("0123456789")
    return f"{stem[0].upper()}{stem[1:]}{SUFFIX}" if stem else ""


def _refuse_bad_name(name: str) -> None:
    hint = "choose one with --name, such as `--name TeamName2025Encoder`"
    if not name:
        raise UsageError("the folder's name gives no class name", hint)
    if not (name.isidentifier() and name.isascii() and name.endswith(SUFFIX)) or keyword.iskeyword(name):
        raise UsageError(f"{printable(name)!r} is no class name that ends in {SUFFIX}", hint)
    if name in TAKEN or name == SUFFIX:
        raise UsageError(f"the class name {name!r} is not unique: X-ARES keeps scores by class name", hint)


def refuse_used_folder(folder: Path) -> None:
    """Refuse a folder that holds anything.

    Raises:
        UsageError: it does, or is a file.
    """
    shown = printable(str(folder))
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{shown!r} is a file", "name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        hint = f"name a new folder, such as `aecc-package init {shown}/my_encoder`, or empty this one"
        raise UsageError(f"{shown!r} is not empty, and nothing is overwritten", hint)


def find_templates() -> Traversable:
    """The templates inside the installed package, or beside it in a source checkout.

    Raises:
        UsageError: the installation has lost them.
    """
    package = resources.files("audio_encoder_checker")
    for folder in (package / "templates", Path(str(package)).parent / "templates"):
        if folder.is_dir():
            return folder
    raise UsageError("the templates are not installed", "`pip install --force-reinstall audio-encoder-checker`")


def _contents(template: str) -> dict[str, bytes]:
    """The files of a template by relative name: those that all share, and its own, which take their place."""
    templates = find_templates()
    return {**dict(_template_files(templates / COMMON)), **dict(_template_files(templates / template))}


def _template_files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Relative name and content of every file of a folder."""
    for entry in folder.iterdir():
        if entry.is_file() and not entry.name.endswith(".pyc"):
            yield prefix + entry.name, entry.read_bytes()
        elif entry.is_dir() and entry.name not in ("__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"):
            yield from _template_files(entry, f"{prefix}{entry.name}/")
