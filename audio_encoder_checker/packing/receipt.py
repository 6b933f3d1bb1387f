"""The receipt of a check: which archive was checked, by what, with which result, and which report says more."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker import __version__
from audio_encoder_checker.archive.manifest import describe_file, read_json
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.evidence.manifest import PackedFile
from audio_encoder_checker.evidence.receipt import ReceiptFacts, Sealed
from audio_encoder_checker.evidence.run import Isolation
from audio_encoder_checker.evidence.submission import Submission
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.packing.writing import replaced_when_done
from audio_encoder_checker.printable import printable
from audio_encoder_checker.render import to_json
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from audio_encoder_checker.report import Report

SCHEMA_VERSION = "1"
RECEIPT, REPORT = ".receipt.json", ".report.json"
MOST_BYTES = 1 << 20
MOST_REPORT_BYTES = 256 << 20


def receipt_beside(archive: Path) -> Path:
    """Where the receipt of an archive lies."""
    return archive.with_name(archive.stem + RECEIPT)


def report_beside(archive: Path) -> Path:
    """Where the JSON report of an archive lies."""
    return archive.with_name(archive.stem + REPORT)


def write_receipt(archive: Path, report: Report, profile: str, paper: Path | None) -> Path:
    """Write the JSON report of an archive that was checked, and a receipt, beside it; earlier ones are replaced.

    Args:
        archive: the ZIP.
        report: of its check.
        profile: rule book, by name or TOML file.
        paper: the team's PDF that was looked at, None for none.

    Returns:
        Where the receipt is.

    Raises:
        UsageError: the folder cannot be written, or the archive is gone.
    """
    target = report_beside(archive)
    _write(target, to_json.render(report))
    encoder, isolation = report.evidence.get(EncoderFacts), report.evidence.get(Isolation)
    rules = load_rules(profile)
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "audio-encoder-checker", "version": __version__},
        "profile": {"name": rules.name, "sha256": rules.sha256},
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "archive": _checked(archive, report),
        "encoder": {"file": encoder.file, "class": encoder.class_name} if encoder else None,
        "verdict": report.verdict.value,
        "strict": report.strict,
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "findings": sorted({finding.id for finding in report.findings}),
        "open": sorted({skipped.id for skipped in report.open_questions}),
        "stages": list(report.stages),
        "box": isolation.tier if isolation else None,
        "report": _described(target),
        "paper": _described(paper) if paper else None,
    }
    receipt = receipt_beside(archive)
    _write(receipt, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return receipt


def _checked(archive: Path, report: Report) -> dict[str, str | int]:
    """The archive as it was when it was checked."""
    submission = report.evidence.get(Submission)
    if submission is None or not submission.sha256:
        return _described(archive)
    return {"name": archive.name, "size_bytes": submission.size_bytes, "sha256": submission.sha256}


def attach_paper(archive: Path, paper: Path) -> Path:
    """Let the receipt of an archive speak of its paper.

    Returns:
        Where the receipt is.

    Raises:
        UsageError: there is no receipt, it cannot be read or is another archive's, or the paper cannot be read.
    """
    receipt = receipt_beside(archive)
    build = f"`aecc-package build DIR -o {printable(str(archive))} --force` writes one"
    try:
        document = read_json(receipt, "receipt", MOST_BYTES)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read the receipt {printable(str(receipt))!r}: {why}", build) from None
    if document["archive"]["sha256"] != describe_file(archive, archive.name).sha256:
        raise UsageError(f"the receipt {printable(receipt.name)!r} is that of another archive", build)
    _write(receipt, json.dumps({**document, "paper": _described(paper)}, indent=1, ensure_ascii=False) + "\n")
    return receipt


def read_receipt(path: Path, archive: Path, paper: Path | None = None) -> ReceiptFacts:
    """Read a receipt, and the files that it speaks of; whatever it holds, facts come back.

    Args:
        path: of the receipt.
        archive: the ZIP that it should be about.
        paper: the team's PDF; None to take the one beside the receipt or the archive, if it is there.
    """
    name = str(path)
    try:
        document = read_json(path, "receipt", MOST_BYTES)
    except FileNotFoundError:
        return ReceiptFacts(name, unreadable="there is no such file: a receipt is sent beside the ZIP")
    except OSError as error:
        return ReceiptFacts(name, unreadable=f"the receipt cannot be read: {error.strerror}")
    except ValueError as error:
        return ReceiptFacts(name, unreadable=str(error))
    report = path.with_name(Path(document["report"]["name"]).name)
    verdict, about = _said_by(report)
    return ReceiptFacts(
        name=name,
        archive=Sealed(_packed(document["archive"]), _found(archive)),
        report=Sealed(_packed(document["report"]), _found(report)),
        paper=_paper(document["paper"], [paper] if paper else [path.parent, archive.parent]),
        verdict=document["verdict"],
        report_verdict=verdict,
        report_sha256=about,
    )


def _packed(document: dict[str, Any]) -> PackedFile:
    return PackedFile(document["name"], document["size_bytes"], document["sha256"])


def _found(path: Path) -> PackedFile | None:
    return describe_file(path, path.name) if path.is_file() else None


def _paper(document: dict[str, Any] | None, places: list[Path]) -> Sealed | None:
    """The paper that a receipt speaks of: the file given, or one of its name in the folders given."""
    if document is None:
        return None
    said = _packed(document)
    paths = [place / Path(said.name).name if place.is_dir() else place for place in places]
    return Sealed(said, next((_found(path) for path in paths if path.is_file()), None))


def _said_by(report: Path) -> tuple[str, str]:
    """Verdict and the submission's SHA-256, as a report says; empty where it cannot be read."""
    try:
        if report.stat().st_size > MOST_REPORT_BYTES:
            return "", ""
        document = json.loads(report.read_text(encoding="utf-8"))
        verdict, about = document["verdict"], document["submission"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "", ""
    return (verdict if isinstance(verdict, str) else ""), (about if isinstance(about, str) else "")


def _described(path: Path) -> dict[str, str | int]:
    file = describe_file(path, path.name)
    return {"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256}


def _write(target: Path, text: str) -> None:
    with replaced_when_done(target) as file:
        file.write(text.encode("utf-8"))
