"""Specimens as ZIPs."""

from __future__ import annotations

import zipfile
from pathlib import Path

SPECIMENS = Path(__file__).parents[1] / "specimens"


def zipped(name: str, target: Path) -> Path:
    """One specimen, packed as a participant would."""
    folder = SPECIMENS / name
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "expected" not in path.name and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(folder))
    return target
