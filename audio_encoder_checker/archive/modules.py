"""Which modules lie at the root of a repository, where `python -m` looks first."""

from __future__ import annotations

import os
import sysconfig
from importlib.machinery import PathFinder, all_suffixes
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.source import TopModule

if TYPE_CHECKING:
    from pathlib import Path

MOST = 2_000


def top_modules(root: Path) -> tuple[TopModule, ...]:
    """The modules and packages of a root, by name, compiled ones among them.

    A folder without `__init__` is left out: any module of its name elsewhere on the path comes before it.
    """
    found: dict[str, TopModule] = {}
    for entry in sorted(os.scandir(root), key=lambda one: one.name)[:MOST]:
        name = module_name(entry.name)
        package = f"{entry.name}/__init__" if name == entry.name else name
        path = next((package + suffix for suffix in all_suffixes() if (root / (package + suffix)).is_file()), "")
        if name.isidentifier() and path and (name == entry.name or name not in found):
            found[name] = TopModule(name, path, is_installed(name))  # a package comes before a module
    return tuple(found.values())


def module_name(entry: str) -> str:
    """What a file or folder of this name is imported as; the name itself where it is no module's."""
    return entry.removesuffix(next((suffix for suffix in all_suffixes() if entry.endswith(suffix)), ""))


def is_installed(name: str) -> bool:
    """Whether a package of this name is installed beside the checker; it is looked up, not imported."""
    folders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    spec = PathFinder.find_spec(name, folders)
    return spec is not None and spec.has_location
