"""The record of one submission: by what it was judged, on which machine, in how many attempts, and with what result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker import __version__
from audio_encoder_checker.archive.manifest import describe_file
from audio_encoder_checker.datasets.download import AGAIN
from audio_encoder_checker.datasets.remote import content_sha256, is_address
from audio_encoder_checker.organising.worker import LOG, REPORT
from audio_encoder_checker.printable import printable
from audio_encoder_checker.render.places import ids_in_words
from audio_encoder_checker.report import grave_severities
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA_VERSION = "1"
UNJUDGED = "unjudged"
IGNORED, WAITS = "ignored: ", "waits until "
"""How reasons begin why a check could not be judged: see `judging` and `stages.job`."""
MOST_REPORT_BYTES = 256 << 20
LOG_TAIL_BYTES = 2000
OF_THE_RUN = ("date",)
"""What of the environment differs from run to run."""


@dataclass(frozen=True)
class Setting:
    """What results depend on beside the submission.

    Attributes:
        profile: rule book, by name or TOML file.
        options: of `aecc-check`.
        data: folder or address of the evaluation's data, empty for the built-in quick set.
    """

    profile: str
    options: tuple[str, ...]
    data: str = ""

    def as_data(self) -> dict[str, Any]:
        """The setting as it stands in a record; two records with equal ones can be compared."""
        rules = load_rules(self.profile)
        return {
            "tool": {"name": "audio-encoder-checker", "version": __version__, "sha256": tool_sha256()},
            "profile": {"name": rules.name, "sha256": rules.sha256},
            "options": list(self.options),
            "data_sha256": data_sha256(self.data) if self.data else None,
        }


@lru_cache(maxsize=1)
def tool_sha256() -> str:
    """Of every file of the checker: sources, rule books, tables."""
    root = Path(str(files("audio_encoder_checker")))
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@lru_cache(maxsize=4)
def data_sha256(data: str) -> str:
    """Of names and sizes of all files of a folder, which take hours to read; of an address, of its list of hashes."""
    if is_address(data):
        return content_sha256(data)
    folder = Path(data)
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\n".encode())
    return digest.hexdigest()


def make_record(
    submission: dict[str, Any],
    setting: dict[str, Any],
    attempts: Sequence[dict[str, Any]],
    folder: Path,
    report: dict[str, Any] | None,
) -> dict[str, Any]:
    """The record of a submission whose last attempt left its files in a folder.

    Args:
        submission: its `sha256`, `size_bytes` and `files`.
        setting: see `Setting.as_data`.
        attempts: what became of each.
        folder: of the last attempt.
        report: that lies there, None if there is none.
    """
    verdict, reason = (report["verdict"], _open(report)) if report else (UNJUDGED, _reason(attempts[-1], folder))
    environment = report["environment"] if report else {}
    return {
        "schema_version": SCHEMA_VERSION,
        "submission": submission,
        **setting,
        "environment": {key: value for key, value in environment.items() if key not in OF_THE_RUN},
        "attempts": list(attempts),
        "verdict": verdict,
        "reason": reason,
        "report_sha256": describe_file(folder / REPORT, REPORT).sha256 if report else None,
        "summary": summary(report) if report else None,
    }


def open_reasons(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a verdict waits for: ids of checks by the reason, without those that only wait for another finding."""
    found: dict[str, list[str]] = {}
    for one in report["skipped"]:
        if one["open"]:
            found.setdefault(one["reason"], []).append(one["id"])
    return {reason: ids for reason, ids in found.items() if not reason.startswith(WAITS)} or found


def _open(report: Mapping[str, Any]) -> str:
    """Why a report is undecided; empty if it is not."""
    if report["verdict"] != "undecided":
        return ""
    words = [f"{ids_in_words(ids)}: {reason}" for reason, ids in open_reasons(report).items()]
    return printable("; ".join(words), limit=400)


def read_own_report(folder: Path) -> dict[str, Any] | None:
    """The JSON report that our own process wrote; None if it did not come so far."""
    path = folder / REPORT
    try:
        if path.stat().st_size > MOST_REPORT_BYTES:
            return None
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) and "verdict" in report and not report["interrupted"] else None


def _reason(attempt: dict[str, Any], folder: Path) -> str:
    """Why there is no verdict: what the checker said last."""
    if attempt["trouble"]:
        return str(attempt["trouble"])
    try:
        tail = (folder / LOG).read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace")
    except OSError:
        tail = ""
    said = [line.strip() for line in tail.splitlines() if line.strip()]
    return printable("; ".join(said[-2:]) or f"the checker ended with status {attempt['status']}", limit=400)


def infrastructure_trouble(report: dict[str, Any] | None) -> str:
    """What kept the machine or the network, not the submission, from a whole judgement; empty for nothing."""
    if not report or not report["downloads"]:
        return ""
    for one in report["downloads"]["transfers"]:
        if one["fault"] or one["refused"]:
            continue  # of our own making
        if one["trouble"]:
            return f"{one['host']}: {one['trouble']}"
        if one["status"] in AGAIN:
            return f"{one['host']}: status {one['status']}"
    return ""


def summary(report: dict[str, Any]) -> dict[str, Any]:
    """What the board shows of a report."""
    own = [one for one in report["findings"] if not one["because_of"]]
    grave = grave_severities(strict=report["strict"])
    encoder, contract, budget = report["submission"]["encoder"], report["contract"], report["budget"]
    hours = report["timings"]["budget"]
    return {
        "encoder": f"{encoder['class']} in {encoder['file']}" if encoder else None,
        "parameters": contract["parameters"] if contract else None,
        "errors": sum(one["severity"] == "error" for one in own),
        "warnings": sum(one["severity"] == "warning" for one in own),
        "causes": [_cause(one) for one in own if one["severity"] in grave],
        "open": [one["id"] for one in report["skipped"] if one["open"]],
        "gpu": _gpu(budget["gpu"]) if budget else None,
        "encode_hours": hours["encode_hours_total"] if hours else None,
        "data": report["scores"]["data"] if report["scores"] else None,
        "track_a": _track(report["scores"]["track_a"]) if report["scores"] else None,
        "track_b": _track(report["scores"]["track_b"]) if report["scores"] else None,
        "seconds": round(sum(report["timings"]["stages"].values()), 1),
    }


def _cause(one: dict[str, Any]) -> dict[str, str]:
    return {key: one[key] for key in ("id", "name", "message", "at", "hint")}


def _gpu(gpu: dict[str, Any]) -> dict[str, Any]:
    return {key: gpu[key] for key in ("verdict", "basis", "upper_bytes", "limit_bytes")}


def _track(track: dict[str, Any]) -> dict[str, Any]:
    keys = ("metric", "value", "low", "high", "weight")
    return {
        "average": track["weighted_average"],
        "tasks": {one["task"]: {key: one[key] for key in keys} for one in track["tasks"]},
    }
