"""The verdict on every sample of a corpus of broken and hostile archives and pickles, held to its manifest.

The samples are test data of other projects and no part of this repository. `AECC_CORPUS` names a folder with a
`MANIFEST.json`, whose `files` is a list of samples, each with `file` (relative to the folder, in `zip/` or `pickle/`),
`sha256`, and `expected`: benign, malformed, malicious, policy (well-formed, not allowed in a submission), suspicious (a
strict reader refuses or warns) or unknown. Nothing is unpickled, and archives are unpacked by `unpack` alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.archive.weights.reading import read_weight_file
from audio_encoder_checker.archive.weights.streams import Budget
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.checks import weights as weight_checks
from audio_encoder_checker.evidence.weights import WeightFacts
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audio_encoder_checker.findings import Finding

if "AECC_CORPUS" not in os.environ:
    pytest.skip("AECC_CORPUS names no corpus of samples: it is not part of the repository", allow_module_level=True)

CORPUS = Path(os.environ["AECC_CORPUS"])
SAMPLES: list[dict[str, Any]] = json.loads((CORPUS / "MANIFEST.json").read_text(encoding="utf-8"))["files"]
RULES = load_rules()
ARCHIVE_CHECKS = [one for one in all_checks() if one.stage == "archive"]
WEIGHT_CHECKS = [one for one in all_checks() if one.judge.__module__ == weight_checks.__name__]


class Verdict(Enum):
    """What becomes of a sample."""

    REFUSED = "an error"
    TOLD = "a warning or note"
    CLEAN = "nothing"


NOT_REFUSED = {Verdict.TOLD, Verdict.CLEAN}
NOTICED = {Verdict.REFUSED, Verdict.TOLD}
ARCHIVES = {
    "benign": NOT_REFUSED,
    "malformed": {Verdict.REFUSED},
    "malicious": {Verdict.REFUSED},
    "policy": {Verdict.REFUSED},
    "suspicious": NOTICED,
    "unknown": set(Verdict),
}
PICKLES = {**ARCHIVES, "malformed": NOTICED, "policy": NOTICED}

DISAGREED = {
    "crc_collision_two_nonempty.zip": "two files have one CRC-32, as chance brings about: no reader mixes them up",
    "reject/non_ascii_original_name.zip": "WinZip and 7-Zip write names so: in a code page, and the same in UTF-8",
    "archive_with_invalid_zip64_headers.zip": "the ZIP64 fields are needless, and repeat the sizes that stand there",
    "nonempty_cd_comment.zip": "the format gives every entry a comment, and it is as long as it says",
    "test_read_format_zip_with_invalid_traditional_eocd.zip": "a full end record refers to the ZIP64 one, all sound",
    "malicious1.7z": "no loader of weights opens 7-Zip: it is told that the file was not looked into",
}
"""Ends of names of samples whose label is not taken over, and why."""


def _verdict(findings: Iterable[Finding]) -> Verdict:
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return Verdict.REFUSED
    return Verdict.TOLD if severities else Verdict.CLEAN


def _of_archive(path: Path, into: Path) -> Verdict:
    """As the archive stage goes: what no check objects to is unpacked, and judged again."""
    listing = read_listing(path)
    evidence = Evidence()
    evidence.put(RULES, listing)
    before = _verdict(judge(evidence, ARCHIVE_CHECKS).findings)
    if before is Verdict.REFUSED:
        return before
    evidence.put(unpack(path, listing, into))
    return _verdict(judge(evidence, ARCHIVE_CHECKS).findings)


def _of_weights(path: Path) -> Verdict:
    evidence = Evidence()
    evidence.put(WeightFacts((read_weight_file(path, path.name, (), Budget()),)))
    return _verdict(judge(evidence, WEIGHT_CHECKS).findings)


@pytest.mark.parametrize("sample", SAMPLES, ids=[one["file"] for one in SAMPLES])
def test_every_sample_has_the_verdict_that_its_label_asks_for(tmp_path: Path, sample: dict[str, Any]) -> None:
    path = CORPUS / sample["file"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sample["sha256"]
    if sample["file"].startswith("zip/"):
        agrees = _of_archive(path, tmp_path / "out") in ARCHIVES[sample["expected"]]
    else:
        agrees = _of_weights(path) in PICKLES[sample["expected"]]
    assert agrees != sample["file"].endswith(tuple(DISAGREED))
