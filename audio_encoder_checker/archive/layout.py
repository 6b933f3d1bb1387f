"""Which files of a repository are litter, and which folder is its root."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

MACOS_FOLDER = "__MACOSX"


def is_macos_metadata(name: str) -> bool:
    """Whether a path is what macOS adds to an archive: it holds nothing of the submission."""
    parts = [part for part in name.split("/") if part]
    return bool(parts) and (parts[0] == MACOS_FOLDER or parts[-1] == ".DS_Store" or parts[-1].startswith("._"))


def spelled(root: Path, parts: Iterable[str], names: Callable[[Path], Collection[str]]) -> list[str]:
    """A path as it is spelled on disk, its letters' case aside; empty if there is none.

    Args:
        root: where it starts.
        parts: of the path.
        names: those in a folder; of several that differ in case only, one that fits to the letter counts, or the first.
    """
    found: list[str] = []
    for part in parts:
        known = names(root.joinpath(*found))
        match = part if part in known else min((one for one in known if one.casefold() == part.casefold()), default="")
        if not match:
            return []
        found.append(match)
    return found


def single_top_folder(names: Iterable[str]) -> str:
    """The only folder at the top if every file lies in it, else an empty text.

    macOS metadata does not count. A folder with an `__init__.py` is a package, which has to stay where it is.

    Args:
        names: paths with `/`, relative to the archive; those of folders end in `/`.
    """
    paths = [name for name in names if not is_macos_metadata(name)]
    tops = {name.partition("/")[0] for name in paths}
    top = next(iter(tops), "")
    inside = [name for name in paths if "/" in name.rstrip("/")]
    loose = any("/" not in name for name in paths)
    if len(tops) != 1 or loose or not inside or f"{top}/__init__.py" in paths:
        return ""
    return top
