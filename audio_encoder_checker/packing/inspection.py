"""Look at a ZIP as the organisers will receive it: structure, checksums, manifest and sources; nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.manifest import read_manifest
from audio_encoder_checker.archive.paper import find_paper
from audio_encoder_checker.archive.source import repository_root
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.config import read_config
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.packing.contents import read_archive
from audio_encoder_checker.packing.receipt import read_receipt
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.sandbox.sweep import workspace
from audio_encoder_checker.stages.reading import packed_opener, read_repository

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.findings import Finding

MANIFEST_CHECKS = "AEC90"


def inspect_zip(path: Path, *, sources: bool) -> tuple[Finding, ...]:
    """Judge a ZIP without running anything of it.

    Args:
        path: the ZIP; it may come from anybody.
        sources: judge the sources, and not whether every file is as the manifest says.

    Returns:
        Findings, gravest first. With an error in the structure nothing is unpacked, and the rest is not judged.

    Raises:
        UsageError: there is no such file.
        MachineError: there is no room to unpack it.
    """
    evidence = Evidence()
    submission, listing = read_archive(path), read_listing(path)
    evidence.put(load_rules(), submission, listing)
    if _broken(evidence):
        return _findings(evidence)
    with workspace() as private:
        folder = private / "submission"
        unpacked = unpack(path, listing, folder, leave_packed=True)
        evidence.put(unpacked)
        if not sources:
            evidence.put(
                read_manifest(folder.resolve() / listing.top_folder, packed_opener(folder, submission, unpacked))
            )
        elif not _broken(evidence):
            encoder = read_config(repository_root(folder)).encoder
            evidence.put(*read_repository(folder, submission, encoder, unpacked))
    return _findings(evidence)


def inspect_receipt(receipt: Path, archive: Path, paper: Path | None = None) -> tuple[Finding, ...]:
    """Judge a receipt by the archive, the JSON report and the paper that it is about.

    Args:
        receipt: as `aecc-package build` wrote it, or anybody.
        archive: the ZIP.
        paper: the team's PDF; None to take the one beside the receipt or the archive.
    """
    evidence = Evidence()
    evidence.put(read_receipt(receipt, archive, paper))
    return _findings(evidence)


def inspect_paper(paper: Path, archive: Path) -> tuple[Finding, ...]:
    """Judge a paper.

    Args:
        paper: the PDF.
        archive: the ZIP that it belongs to.

    Raises:
        UsageError: the PDF is no file or cannot be read.
        MachineError: the process that reads it does not start.
    """
    evidence = Evidence()
    found = find_paper(None, archive, paper)
    evidence.put(*([found] if found else []))
    return judge(evidence, [c for c in all_checks() if c.id.startswith("AEC91")]).findings


def _broken(evidence: Evidence) -> bool:
    return any(finding.severity is Severity.ERROR for finding in _findings(evidence))


def _findings(evidence: Evidence) -> tuple[Finding, ...]:
    """What the checks of archive, manifest and sources say; those whose facts are missing say nothing."""
    checks = [c for c in all_checks() if c.stage in ("archive", "source") or c.id.startswith(MANIFEST_CHECKS)]
    return judge(evidence, checks).findings
