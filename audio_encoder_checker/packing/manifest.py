"""The list of contents that travels inside a submission: names, sizes and hashes, and nothing of the machine."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from audio_encoder_checker import __version__
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.manifest import ManifestFacts, PackedFile
from audio_encoder_checker.rules import schema

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MANIFEST = "aecc-manifest.json"
SCHEMA_VERSION = "1"
CHUNK_BYTES = 1 << 20
MOST_BYTES = 16 << 20
"""Of a manifest: 10,000 files with the longest names need less than half."""


def describe_file(path: Path, name: str) -> PackedFile:
    """Size and SHA-256 of a file, read in chunks.

    Raises:
        UsageError: it cannot be read.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        hint = "make it readable, or leave it out with a line in .aeccignore"
        raise UsageError(f"cannot read {name!r}: {error.strerror}", hint) from None
    return PackedFile(name, size, digest.hexdigest())


def manifest_text(files: Iterable[PackedFile], encoder: str) -> str:
    """The manifest as JSON; the same files give the same text.

    Args:
        files: all files of the submission but the manifest.
        encoder: the encoder file, `FILE` or `FILE:CLASS`; empty if it was left to be found.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "audio-encoder-checker", "version": __version__},
        "encoder": encoder or None,
        "files": [
            {"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256}
            for file in sorted(files, key=lambda file: file.name)
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def parse_manifest(text: str) -> tuple[PackedFile, ...]:
    """Read a manifest, which anybody may have written.

    Raises:
        ValueError: it is no JSON, or does not fit the published schema; the message says where.
    """
    import jsonschema

    try:
        document: dict[str, Any] = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    worst = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema("manifest")).iter_errors(document))
    if worst is not None:
        where = ".".join(str(part) for part in worst.absolute_path) or "top level"
        raise ValueError(f"{where}: {worst.message}")
    return tuple(PackedFile(file["name"], file["size_bytes"], file["sha256"]) for file in document["files"])


def read_manifest(root: Path) -> ManifestFacts:
    """Compare a manifest with the files beside it; whatever it holds, facts come back.

    Args:
        root: the folder of an unpacked submission, which holds no symbolic links.
    """
    path = root / MANIFEST
    if not path.is_file():
        return ManifestFacts(present=False)
    found = tuple(
        describe_file(file, file.relative_to(root).as_posix())
        for file in sorted(root.rglob("*"))
        if file.is_file() and file != path
    )
    if path.stat().st_size > MOST_BYTES:
        return ManifestFacts(present=True, unreadable=f"it is larger than {MOST_BYTES >> 20} MiB", found=found)
    try:
        return ManifestFacts(present=True, listed=parse_manifest(path.read_text(encoding="utf-8")), found=found)
    except ValueError as error:
        return ManifestFacts(present=True, unreadable=str(error), found=found)
