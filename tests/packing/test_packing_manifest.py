from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from audio_encoder_checker.archive.manifest import (
    MANIFEST,
    MOST_BYTES,
    describe_file,
    parse_json,
    read_manifest,
)
from audio_encoder_checker.archive.submission import CHUNK_BYTES
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.manifest import ManifestFacts, PackedFile
from audio_encoder_checker.packing.manifest import Declared, manifest_text
from audio_encoder_checker.rules import schema

if TYPE_CHECKING:
    from pathlib import Path

A = PackedFile("a.py", 3, "a" * 64)
B = PackedFile("sub/b.py", 0, "b" * 64)
DECLARED = Declared("a.py", profile="icme-2025", profile_sha256="c" * 64)


def document(**changes: Any) -> str:
    return json.dumps({**json.loads(manifest_text([A, B], DECLARED)), **changes})


def test_the_schema_is_one_and_the_manifest_fits_it() -> None:
    jsonschema.Draft202012Validator.check_schema(schema("manifest"))
    for encoder in ("encoder.py:MyTeamEncoder", ""):
        jsonschema.Draft202012Validator(schema("manifest")).validate(
            json.loads(manifest_text([A], replace(DECLARED, encoder=encoder)))
        )


def test_what_is_written_is_read_back_sorted() -> None:
    assert parse_json(manifest_text([B, A], DECLARED), "manifest")["files"] == [asdict(A), asdict(B)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "top level: .* is not of type 'object'"),
        (document(schema_version="1"), "schema_version"),
        (document(surprise=1), "surprise"),
        (document(files=[]), "files"),
        (document(files=[{"name": "a", "size_bytes": 1, "sha256": "xyz"}]), "files.0.sha256"),
        (document(files=[{"name": "a", "size_bytes": -1, "sha256": "a" * 64}]), "files.0.size_bytes"),
    ],
)
def test_a_manifest_that_does_not_fit_says_where(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_json(text, "manifest")


def test_a_manifest_nested_up_to_pythons_limit_does_not_fit() -> None:
    for depth in range(sys.getrecursionlimit() - 150, sys.getrecursionlimit()):
        with pytest.raises(ValueError, match=r"files|nested too deeply"):
            parse_json(document(files=[]).replace("[]", "[" * depth + "]" * depth), "manifest")


def test_a_file_is_hashed_in_chunks_and_as_a_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * (CHUNK_BYTES // 256) + b"end"
    (tmp_path / "big.bin").write_bytes(data)
    assert describe_file(tmp_path / "big.bin", "sub/big.bin") == PackedFile(
        "sub/big.bin", len(data), hashlib.sha256(data).hexdigest()
    )
    with pytest.raises(UsageError, match="cannot read 'gone'"):
        describe_file(tmp_path / "gone", "gone")


def test_facts_hold_what_is_listed_and_what_is_there(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == ManifestFacts(present=False)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.py").touch()
    (tmp_path / MANIFEST).write_text(manifest_text([A], DECLARED))
    empty = PackedFile("sub/c.py", 0, hashlib.sha256().hexdigest())
    assert read_manifest(tmp_path) == ManifestFacts(present=True, listed=(A,), found=(empty,))


@pytest.mark.parametrize("data", [b"\xff", b"{", b" " * (MOST_BYTES + 1)], ids=["not utf-8", "not json", "too large"])
def test_a_manifest_that_cannot_be_read_is_a_fact(tmp_path: Path, data: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(data)
    facts = read_manifest(tmp_path)
    assert facts.present
    assert facts.unreadable
    assert facts.listed == ()
