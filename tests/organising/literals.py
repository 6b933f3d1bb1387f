"""Literal records, results and an engine that is played."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.organising.inbox import Submitted
from audio_encoder_checker.organising.jobs import Ended, Needs
from audio_encoder_checker.organising.worker import REPORT
from audio_encoder_checker.render import to_json
from tests.render.reports import full_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audio_encoder_checker.organising.jobs import Job

NEEDS = Needs(1, 1 << 30)
TOOL = {"name": "audio-encoder-checker", "version": "0.1.0", "sha256": "a" * 64}
SETTING: dict[str, Any] = {
    "tool": TOOL,
    "profile": {"name": "icme-2025", "sha256": "b" * 64},
    "options": [],
    "data_sha256": None,
}


def sha(number: int) -> str:
    return f"{number:064x}"


def task(value: float | None, half: float = 0.02, weight: float = 100.0, metric: str = "accuracy") -> dict[str, Any]:
    low, high = (None, None) if value is None else (value - half, value + half)
    return {"metric": metric, "value": value, "low": low, "high": high, "weight": weight}


def summary(track_a: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    track = None if track_a is None else {"average": 0.5, "tasks": track_a}
    return {
        "encoder": "TeamEncoder in encoder.py", "parameters": 1000, "errors": 0, "warnings": 0, "causes": [],
        "open": [],
        "gpu": {"verdict": "fits", "basis": "forecast", "upper_bytes": 1 << 30, "limit_bytes": 1 << 34},
        "encode_hours": [0.1, 0.5], "data": "builtin", "track_a": track, "track_b": None, "seconds": 12.0, **changes,
    }  # fmt: skip


def record(number: int, verdict: str = "ready", **changes: Any) -> dict[str, Any]:
    attempt = {"started": "2026-01-01T00:00:00+00:00", "seconds": 12.0, "status": 0, "worker": "here", "trouble": ""}
    return {
        "schema_version": "1",
        "submission": {"sha256": sha(number), "size_bytes": 10, "files": [f"inbox/team{number}.zip"]},
        **SETTING,
        "environment": {"python": "3.11.7"},
        "attempts": [attempt],
        "verdict": verdict,
        "reason": "",
        "report_sha256": None,
        "summary": summary(),
        **changes,
    }


def cause(check_id: str = "AEC503", name: str = "zero-frames") -> dict[str, str]:
    return {"id": check_id, "name": name, "message": "no frames", "at": "encoder.py:3", "hint": "pad"}


def report(**changes: Any) -> dict[str, Any]:
    data = to_json.as_data(full_report())
    data["downloads"] = None
    return {**data, **changes}


def busy() -> dict[str, Any]:
    """A report that was spoilt by a host that had no time."""
    data = to_json.as_data(full_report())
    data["downloads"]["transfers"] = [{**data["downloads"]["transfers"][0], "status": 429}]
    return data


def submitted(number: int, folder: Path) -> Submitted:
    file = folder / f"team{number}.zip"
    file.write_bytes(b"zip%d" % number)
    return Submitted(sha(number), 4, [file])


class PlayedEngine:
    """Does a job by asking what is to become of it: a report, or how its worker was lost."""

    def __init__(self, outcome: Callable[[Job, int], dict[str, Any] | str | int]) -> None:
        self.outcome = outcome
        self.jobs: list[Job] = []
        self.attempts: dict[str, int] = {}
        self.sha256 = ""
        """Of what reports are about, if it is not the job's file."""
        self.waiting: list[Job] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        self.waiting.append(job)

    def next(self, timeout_s: float) -> Ended | None:
        if not self.waiting:
            import time

            time.sleep(min(timeout_s, 0.01))
            return None
        job = self.waiting.pop(0)
        attempt = self.attempts[job.sha256] = self.attempts.get(job.sha256, 0) + 1
        found = self.outcome(job, attempt)
        if isinstance(found, str):
            return Ended(job, None, 1.0, "there", found)
        if isinstance(found, int):
            (job.folder / "log.txt").write_text("error: it makes no sense\n  fix: mend it\n")
            return Ended(job, found, 1.0, "there")
        about = {**found["submission"], "sha256": self.sha256 or job.sha256}
        (job.folder / REPORT).write_text(json.dumps({**found, "submission": about}))
        return Ended(job, found["exit_code"], 1.0, "there")

    def close(self) -> None:
        self.waiting.clear()
