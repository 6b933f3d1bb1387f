"""What a wheel may bring that runs before the encoder does: code at the start of Python, or another torch.

It would run in the box as all of the submission does, but the organisers' machine would not be the same afterwards,
and torch as the checker measures it must be the one that it lent.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.modules import module_name
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from audio_encoder_checker.installing.base import Lent

HOOK = re.compile(r"(sitecustomize|usercustomize)(\..*)?")
MAX_PTH_BYTES = 1 << 20
MOST = 50


def neutralise(site: Path, lent: Iterable[Lent]) -> tuple[str, ...]:
    """Remove it from a fresh folder of packages.

    Args:
        site: where they were installed.
        lent: what is linked behind them on the path.

    Returns:
        What was removed and why, in words.
    """
    modules = {module_name(top) for one in lent for top in one.tops}
    removed = []
    for path in sorted(site.iterdir()):
        reason = ""
        if HOOK.fullmatch(path.name):
            reason = "it would run whenever Python starts"
        elif path.suffix == ".pth" and not _harmless(path, site):
            reason = "it runs code, or leads elsewhere, whenever Python starts"
        elif module_name(path.name) in modules and not _namespace(path):
            reason = "it would hide what the checker lends"
        if reason:
            _remove(path)
            removed.append(f"{printable(path.name, limit=80)}: {reason}")
    return tuple(removed[:MOST])


def _harmless(path: Path, site: Path) -> bool:
    """Whether it only adds folders of this environment to the path."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_PTH_BYTES:
        return False
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        if line.startswith(("import ", "import\t")):
            return False
        if (
            line.strip()
            and not line.startswith("#")
            and not (site / line.strip()).resolve().is_relative_to(site.resolve())
        ):
            return False
    return True


def _namespace(path: Path) -> bool:
    """Whether several distributions may have a part of it, such as `nvidia`."""
    return path.is_dir() and "__init__" not in (module_name(one.name) for one in path.iterdir())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
