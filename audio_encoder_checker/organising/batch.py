"""Judge many submissions: new ones go to the engine, results are kept, what the machine spoilt is tried again."""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.organising.jobs import Job
from audio_encoder_checker.organising.records import (
    UNJUDGED,
    infrastructure_trouble,
    make_record,
    read_own_report,
)
from audio_encoder_checker.organising.results import is_sound, known_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audio_encoder_checker.organising.inbox import Submitted
    from audio_encoder_checker.organising.jobs import Ended, Engine, Needs
    from audio_encoder_checker.organising.results import Results

PAUSES_S = (5.0, 30.0)
"""Before the second and the third attempt."""
USAGE, BUG = 2, 70
"""Exit statuses that come again however often one tries."""
REPLACED = "another file took its place before it was judged"


@dataclass
class Underway:
    """A submission that is being judged, and the attempts so far."""

    submitted: Submitted
    attempts: list[dict[str, Any]] = field(default_factory=list)
    started: str = ""


class Batch:
    """All submissions of a run.

    Args:
        results: where to keep what comes back.
        engine: does the work.
        setting: that results depend on, see `records.Setting`.
        options: of `aecc-check`, for every submission.
        needs: of each.
        told: hears of each record that is kept, with its report, None if there is none.
        pauses_s: before each further attempt.
    """

    def __init__(  # noqa: PLR0913 - all but two are passed by name
        self,
        results: Results,
        engine: Engine,
        *,
        setting: dict[str, Any],
        options: tuple[str, ...],
        needs: Needs,
        told: Callable[[dict[str, Any], dict[str, Any] | None], None],
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self.results, self.engine = results, engine
        self.setting, self.options, self.needs = setting, options, needs
        self.told, self.pauses_s = told, pauses_s
        self.records = known_records(results.root)
        self.underway: dict[str, Underway] = {}
        self.judged = 0
        """How many were judged to the end by this run."""
        self._later: list[tuple[float, str]] = []

    def add(self, submissions: Iterable[Submitted]) -> int:
        """Hand over what has no valid result yet; how many of them have one."""
        valid = 0
        for one in submissions:
            if one.sha256 in self.underway:
                self.underway[one.sha256].submitted = one
            elif self._is_valid(one):
                valid += 1
                self._name_files(one)
            else:
                self.underway[one.sha256] = Underway(one)
                self._start(one.sha256)
        return valid

    def step(self, timeout_s: float) -> dict[str, Any] | None:
        """Wait so long for something to end; the record if a submission is done with."""
        while self._later and self._later[0][0] <= time.monotonic():
            self._start(heapq.heappop(self._later)[1])
        if self._later:
            timeout_s = min(timeout_s, max(self._later[0][0] - time.monotonic(), 0.05))
        ended = self.engine.next(timeout_s)
        return self._ended(ended) if ended else None

    def _is_valid(self, one: Submitted) -> bool:
        record = self.records.get(one.sha256)
        if record is None or record["verdict"] == UNJUDGED or not is_sound(self.results.root, record):
            return False
        return self.is_current(record)

    def is_current(self, record: dict[str, Any]) -> bool:
        """Whether a record is of this run's setting."""
        return all(record[key] == value for key, value in self.setting.items())

    def _name_files(self, one: Submitted) -> None:
        """Let a result that is there speak of the files that were sent since with the same content."""
        record = self.records[one.sha256]
        files = list(dict.fromkeys([*record["submission"]["files"], *one.as_data()["files"]]))
        if files != record["submission"]["files"]:
            record = {**record, "submission": {**record["submission"], "files": files}}
            self.results.rewrite(record)
            self.records[one.sha256] = record
            self.told(record, read_own_report(self.results.root / one.sha256))

    def _start(self, sha256: str) -> None:
        one = self.underway[sha256]
        one.started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        folder = self.results.begin(sha256)
        self.engine.submit(Job(sha256, one.submitted.files[0].absolute(), folder, self.options, self.needs))

    def _ended(self, ended: Ended) -> dict[str, Any] | None:
        job = ended.job
        one = self.underway[job.sha256]
        report = read_own_report(job.folder)
        replaced = _is_of_another(report, job)
        report = None if replaced else report
        trouble = REPLACED if replaced else ended.lost or infrastructure_trouble(report) or _no_report(ended, report)
        one.attempts.append(
            {
                "started": one.started,
                "seconds": round(ended.seconds, 1),
                "status": ended.status,
                "worker": ended.worker,
                "trouble": trouble,
            }
        )
        again = len(one.attempts) - 1
        if trouble and not replaced and again < len(self.pauses_s):
            self.results.drop(job.folder)
            heapq.heappush(self._later, (time.monotonic() + self.pauses_s[again], job.sha256))
            return None
        record = make_record(one.submitted.as_data(), self.setting, one.attempts, job.folder, report)
        self.results.keep(job.folder, record)
        del self.underway[job.sha256]
        self.judged += 1
        self.records[job.sha256] = record
        self.told(record, report)
        return record


def _is_of_another(report: dict[str, Any] | None, job: Job) -> bool:
    """Whether a report is about another content than the job: its file was replaced while it waited for its turn."""
    return bool(report and report["submission"]["sha256"] not in ("", None, job.sha256))


def _no_report(ended: Ended, report: dict[str, Any] | None) -> str:
    """A machine that could not, or a process that ended in the middle: no word about the submission."""
    if report or ended.status in (USAGE, BUG):
        return ""
    return f"the checker ended with status {ended.status} and no report"
