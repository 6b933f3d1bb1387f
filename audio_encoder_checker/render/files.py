"""What is known of a submission before anything of it runs: weights, paper and training data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audio_encoder_checker.checks.few import listed
from audio_encoder_checker.evidence.archive import ArchiveListing, EntryKind
from audio_encoder_checker.evidence.documents import PaperFacts
from audio_encoder_checker.evidence.training import TrainingFacts
from audio_encoder_checker.evidence.weights import WeightFacts
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.documents import Paper
    from audio_encoder_checker.evidence.training import Named
    from audio_encoder_checker.evidence.weights import WeightFile
    from audio_encoder_checker.judging import Evidence

MOST = 3
"""So many weight files get a line of their own."""
LARGEST = 20
"""So many files of an archive are listed."""


def rows(evidence: Evidence) -> list[tuple[str, str]]:
    """Lines for a terminal, label and text."""
    weights, training, papers = evidence.get(WeightFacts), evidence.get(TrainingFacts), evidence.get(PaperFacts)
    lines: list[tuple[str, str]] = []
    files = sorted(weights.files, key=lambda one: -one.size_bytes) if weights else []
    for label, one in zip(("inside", *[""] * (MOST - 1)), files, strict=False):
        lines.append((label, _file_words(one)))
    if files[MOST:]:
        lines.append(("", f"and {len(files) - MOST} more weight files"))
    if training and training.models:
        lines.append(("downloads", listed([f"{one.text} ({one.at})" for one in training.models], MOST)))
    declared = training.declaration if training else None
    if declared and (declared.data or declared.pretrained):
        named = [one.text for one in (*declared.data, *declared.pretrained)]
        lines.append(("trained on", f"{listed(named, 5)}, as declared in {declared.file}"))
    if papers and papers.paper:
        lines.append(("paper", _paper_words(papers.paper)))
    return lines


def _file_words(file: WeightFile) -> str:
    numbers = f", {file.parameters:,} numbers" if file.parameters is not None else ""
    formats = f" ({listed([name for name, _ in file.dtypes], 2)})" if file.dtypes else ""
    path = printable(file.path, limit=60)
    return f"{path}: {file.kind.value}, {size_words(file.size_bytes)}{numbers}{formats}, {file.safety.value}"


def _paper_words(paper: Paper) -> str:
    pages = "" if paper.pages is None else ", 1 page" if paper.pages == 1 else f", {paper.pages} pages"
    return f"{printable(paper.path, limit=60)}{pages}, {size_words(paper.size_bytes)}"


def as_data(evidence: Evidence) -> dict[str, Any]:
    """The same for JSON, with nothing cut."""
    weights, training, papers = evidence.get(WeightFacts), evidence.get(TrainingFacts), evidence.get(PaperFacts)
    return {
        "archive": _archive(evidence.get(ArchiveListing)),
        "weights": [_file(one) for one in weights.files] if weights else None,
        "weights_origin": _origin(weights, training),
        "training": {
            "declared_in": training.declaration.file or None,
            "data": [_named(one) for one in training.declaration.data],
            "pretrained": [_named(one) for one in training.declaration.pretrained],
            "loaded": [_named(one) for one in training.models],
        }
        if training
        else None,
        "report": _paper(papers.paper) if papers and papers.paper else None,
    }


def _archive(listing: ArchiveListing | None) -> dict[str, Any] | None:
    if listing is None:
        return None
    files = [one for one in listing.entries if one.kind is not EntryKind.FOLDER]
    return {
        "files": len(files),
        "packed_bytes": sum(one.packed_bytes for one in files),
        "unpacked_bytes": sum(one.unpacked_bytes for one in files),
        "largest": [
            {
                "path": printable(one.name, limit=1000),
                "packed_bytes": one.packed_bytes,
                "unpacked_bytes": one.unpacked_bytes,
            }
            for one in sorted(files, key=lambda one: -one.unpacked_bytes)[:LARGEST]
        ],
    }


def _origin(weights: WeightFacts | None, training: TrainingFacts | None) -> str | None:
    """Where weights come from, as far as files and sources tell: `inside`, `download`, `both` or `none`."""
    if weights is None or training is None:
        return None
    inside, download = bool(weights.files), bool(training.models)
    return {(True, True): "both", (True, False): "inside", (False, True): "download"}.get((inside, download), "none")


def _file(file: WeightFile) -> dict[str, Any]:
    return {
        "path": printable(file.path, limit=1000),
        "format": file.kind.value,
        "size_bytes": file.size_bytes,
        "numbers": file.parameters,
        "dtypes": dict(file.dtypes),
        "loading": file.safety.value,
        "pickles": file.pickles,
    }


def _named(one: Named) -> dict[str, Any]:
    return {"name": one.text, "at": one.at, "related": list(dict.fromkeys(use.evaluated for use in one.uses))}


def _paper(paper: Paper) -> dict[str, Any]:
    return {
        "path": printable(paper.path, limit=1000),
        "size_bytes": paper.size_bytes,
        "pages": paper.pages,
        "reading": paper.reading.value,
    }
