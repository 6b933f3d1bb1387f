"""What outlives a run in the user's cache folder: generated clips, and embeddings by the content they come from.

Embeddings are keyed by everything that they depend on: the bytes of the submission, which class was constructed, how it
was run, the environment's packages, the task's clips, the way they were cut and batched. Two submissions whose class
has the same name never share any (quirk 18), and a changed file starts anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE_VARIABLE = "AECC_CACHE_DIR"
"""Environment variable that names another cache folder."""
MOST_BYTES = 20 * 2**30
"""Embeddings that are kept; beyond it those that were not used for the longest time go."""


def cache_folder() -> Path:
    """The user's cache folder for this tool; it need not exist yet."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("audio-encoder-checker"))


def content_key(*facts: Any) -> str:
    """A name for everything that embeddings depend on; the facts can be written as JSON."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:40]


@functools.cache
def environment_facts() -> dict[str, Any]:
    """The interpreter and the packages that an encoder can see, with their versions."""
    import platform
    from importlib.metadata import distributions

    packages = {f"{one.name}=={one.version}" for one in distributions()}
    return {"python": platform.python_version(), "machine": platform.machine(), "packages": sorted(packages)}


@contextlib.contextmanager
def kept_folder(key: str, otherwise: Path) -> Iterator[Path]:
    """The cached folder of a key for this process alone, or another one where that cannot be had.

    A second run of the same submission on the same data does its work in a folder of its own. A cache that cannot be
    written is done without.
    """
    from filelock import FileLock, Timeout

    root = cache_folder() / "embeddings"
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(root / f"{key}.lock", timeout=0)
        lock.acquire()
    except (OSError, Timeout, NotImplementedError):
        yield otherwise
        return
    try:
        yield root / key
    finally:
        lock.release()


def prune(most_bytes: int = MOST_BYTES) -> None:
    """Delete the embeddings that were not used for the longest time, until the others fit."""
    root = cache_folder() / "embeddings"
    folders = sorted((path for path in root.glob("*/") if path.is_dir()), key=_last_use, reverse=True)
    total = 0
    for folder in folders:
        total += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        if total > most_bytes:
            _remove(folder)


def _remove(folder: Path) -> None:
    """Delete one folder, unless another run is using it."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder.with_suffix(".lock"), timeout=0)
    with contextlib.suppress(Timeout, OSError), lock:
        shutil.rmtree(folder)
        Path(lock.lock_file).unlink()


def _last_use(folder: Path) -> float:
    states = [file.stat().st_mtime for file in folder.rglob("state.json")]
    return max(states, default=folder.stat().st_mtime)
