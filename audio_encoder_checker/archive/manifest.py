"""The list of contents inside a submission, read back and held against the files that are there."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.archive.submission import feed
from audio_encoder_checker.archive.window import opened_plainly
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.manifest import ManifestFacts, PackedFile
from audio_encoder_checker.printable import printable
from audio_encoder_checker.rules import complaint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

MANIFEST = "aecc-manifest.json"
MOST_BYTES = 16 << 20
"""Of a manifest: 10,000 files with the longest names need less than half."""
MOST_PLAIN_BYTES = 256 << 20
"""Larger archives are hashed only if they are run: to hash takes longer than all else that is done without."""
THREADS = min(4, os.cpu_count() or 1)


def describe_file(path: Path, name: str, opened: Callable[[Path], BinaryIO] = opened_plainly) -> PackedFile:
    """Size and SHA-256 of a file, read in chunks.

    Raises:
        UsageError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        size = feed(digest, path, opened)
    except OSError as error:
        hint = "make it readable, or leave it out with a line in .aeccignore"
        raise UsageError(f"cannot read {printable(name)!r}: {error.strerror}", hint) from None
    return PackedFile(name, size, digest.hexdigest())


def describe_files(root: Path, opened: Callable[[Path], BinaryIO] = opened_plainly) -> dict[str, PackedFile]:
    """Every file below a folder by its name relative to that, hashed by several threads.

    Args:
        root: the folder, which holds no symbolic links.
        opened: opens a file; its bytes may lie elsewhere.

    Raises:
        UsageError: one cannot be read.
    """
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    names = [path.relative_to(root).as_posix() for path in paths]
    with ThreadPoolExecutor(THREADS) as threads:
        found = threads.map(lambda path, name: describe_file(path, name, opened), paths, names)
        return dict(zip(names, found, strict=True))


def read_json(
    path: Path, schema_name: str, most_bytes: int, opened: Callable[[Path], BinaryIO] = opened_plainly
) -> dict[str, Any]:
    """Read a JSON file that anybody may have written, and that has to fit a published schema.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large, no UTF-8, no JSON, or does not fit; the message says what.
    """
    with opened(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it is larger than {most_bytes >> 20} MiB")
    return parse_json(content.decode("utf-8"), schema_name)


def parse_json(text: str, schema_name: str) -> dict[str, Any]:
    """Read JSON that anybody may have written, and that has to fit a published schema.

    Raises:
        ValueError: it is no JSON, or does not fit; the message says where.
    """
    try:
        document: dict[str, Any] = json.loads(text)
        wrong = complaint(document, schema_name)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if wrong:
        raise ValueError(wrong)
    return document


def read_manifest(root: Path, opened: Callable[[Path], BinaryIO] = opened_plainly) -> ManifestFacts:
    """Compare a manifest with the files beside it; whatever it holds, facts come back.

    Args:
        root: the folder of an unpacked submission, which holds no symbolic links.
        opened: opens a file; its bytes may lie elsewhere.
    """
    path = root / MANIFEST
    if not path.is_file():
        return ManifestFacts(present=False)
    found = tuple(file for name, file in describe_files(root, opened).items() if name != MANIFEST)
    try:
        files = read_json(path, "manifest", MOST_BYTES, opened)["files"]
    except ValueError as error:
        return ManifestFacts(present=True, unreadable=str(error), found=found)
    return ManifestFacts(present=True, listed=tuple(PackedFile(**file) for file in files), found=found)
