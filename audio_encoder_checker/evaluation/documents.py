"""Small JSON documents on disk: read if they make sense, written in one move."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def read_object(path: Path) -> dict[str, Any]:
    """The object in a file; empty if it is not there, damaged or something else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def write_object(path: Path, data: dict[str, Any]) -> None:
    """Write an object so that others, and a power loss, find all of it or what was there before.

    Raises:
        OSError: it cannot be written.
    """
    passing = path.with_suffix(f".{os.getpid()}.new")
    passing.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    passing.replace(path)
