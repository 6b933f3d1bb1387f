"""The list of contents inside a submission, read back and held against the files that are there."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.archive.window import opened_plainly
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.manifest import ManifestFacts, PackedFile
from audio_encoder_checker.printable import printable
from audio_encoder_checker.rules import schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

MANIFEST = "aecc-manifest.json"
CHUNK_BYTES = 1 << 20
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
    size = 0
    try:
        with opened(path) as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        hint = "make it readable, or leave it out with a line in .aeccignore"
        raise UsageError(f"cannot read {printable(name)!r}: {error.strerror}", hint) from None
    return PackedFile(name, size, digest.hexdigest())


def parse_json(text: str, schema_name: str) -> dict[str, Any]:
    """Read JSON that anybody may have written, and that has to fit a published schema.

    Raises:
        ValueError: it is no JSON, or does not fit; the message says where.
    """
    import jsonschema

    try:
        document: dict[str, Any] = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    errors = jsonschema.Draft202012Validator(schema(schema_name)).iter_errors(document)
    worst = jsonschema.exceptions.best_match(errors)
    if worst is not None:
        where = ".".join(str(part) for part in worst.absolute_path) or "top level"
        raise ValueError(f"{where}: {worst.message}")
    return document


def parse_manifest(text: str) -> tuple[PackedFile, ...]:
    """The files that a manifest lists.

    Raises:
        ValueError: it is no manifest; the message says where.
    """
    files = parse_json(text, "manifest")["files"]
    return tuple(PackedFile(file["name"], file["size_bytes"], file["sha256"]) for file in files)


def read_manifest(root: Path, opened: Callable[[Path], BinaryIO] = opened_plainly) -> ManifestFacts:
    """Compare a manifest with the files beside it; whatever it holds, facts come back.

    Args:
        root: the folder of an unpacked submission, which holds no symbolic links.
        opened: opens a file; its bytes may lie elsewhere.
    """
    path = root / MANIFEST
    if not path.is_file():
        return ManifestFacts(present=False)
    files = sorted(file for file in root.rglob("*") if file.is_file() and file != path)
    with ThreadPoolExecutor(THREADS) as threads:
        names = [file.relative_to(root).as_posix() for file in files]
        found = tuple(threads.map(lambda file, name: describe_file(file, name, opened), files, names))
    if path.stat().st_size > MOST_BYTES:
        return ManifestFacts(present=True, unreadable=f"it is larger than {MOST_BYTES >> 20} MiB", found=found)
    try:
        return ManifestFacts(present=True, listed=parse_manifest(path.read_text(encoding="utf-8")), found=found)
    except ValueError as error:
        return ManifestFacts(present=True, unreadable=str(error), found=found)
