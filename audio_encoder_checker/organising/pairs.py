"""An engine upon an engine: a submission is judged without the evaluation first, then task by task where there is room.

A submission that is not ready without the evaluation costs no task. A part that is lost, or a task that the network
has spoilt, is repeated by itself.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.organising.jobs import Ended
from audio_encoder_checker.organising.merging import merge_reports
from audio_encoder_checker.organising.records import infrastructure_trouble, read_own_report
from audio_encoder_checker.organising.worker import LOG, PAGE, REPORT, TEXT
from audio_encoder_checker.render.html.page import page
from audio_encoder_checker.report import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audio_encoder_checker.organising.jobs import Engine, Job

FIRST = "first"
TRIES = 3
"""For each task of each submission."""


@dataclass
class Whole:
    """A submission in parts.

    Attributes:
        job: as it was given.
        options: of each task that is evaluated.
        base: the report without the evaluation.
        done: reports of tasks; None for one that was lost.
        seconds: of all parts.
        workers: where they ran.
    """

    job: Job
    options: tuple[str, ...]
    base: dict[str, Any] = field(default_factory=dict)
    done: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    seconds: float = 0.0
    workers: set[str] = field(default_factory=set)


class ByTask:
    """Hands single tasks of submissions to an engine, and puts their reports together.

    Args:
        engine: that does the work.
        tasks: ids of the tasks to evaluate.
    """

    def __init__(self, engine: Engine, tasks: Sequence[str]) -> None:
        self._engine, self._tasks = engine, tuple(tasks)
        self._parts: dict[Path, tuple[Whole, str, int]] = {}

    def submit(self, job: Job) -> None:
        """Have a submission judged without the evaluation."""
        options = tuple(one for one in job.options if not one.startswith("--tasks="))
        self._part(Whole(job, options), FIRST, 1)

    def next(self, timeout_s: float) -> Ended | None:
        """The next submission of which all parts ended, waited for so long; None if none did."""
        ended = self._engine.next(timeout_s)
        if ended is None:
            return None
        whole, name, tried = self._parts.pop(ended.job.folder)
        whole.seconds += ended.seconds
        whole.workers.add(ended.worker)
        report = read_own_report(ended.job.folder)
        trouble = ended.lost if report is None else name != FIRST and infrastructure_trouble(report)
        if trouble and tried < TRIES:
            self._part(whole, name, tried + 1)
            return None
        if name == FIRST:
            return self._first(whole, ended, report)
        whole.done[name] = report
        return self._all(whole) if len(whole.done) == len(self._tasks) else None

    def close(self) -> None:
        """End everything that runs."""
        self._engine.close()

    def _part(self, whole: Whole, name: str, tried: int) -> None:
        folder = whole.job.folder / f"{name}-{tried}"
        folder.mkdir()
        extra = ("--no-eval",) if name == FIRST else ("--stage=evaluate", f"--tasks={name}")
        self._parts[folder] = (whole, name, tried)
        self._engine.submit(replace(whole.job, folder=folder, options=(*whole.options, *extra)))

    def _first(self, whole: Whole, ended: Ended, report: dict[str, Any] | None) -> Ended | None:
        """Go on with the tasks, unless there is nothing to evaluate."""
        if report is None or report["verdict"] == Verdict.NOT_READY.value:
            for name in (REPORT, PAGE, TEXT, LOG):
                if (ended.job.folder / name).exists():
                    (ended.job.folder / name).replace(whole.job.folder / name)
            _remove_parts(whole.job.folder)
            return replace(ended, job=whole.job, seconds=whole.seconds)
        whole.base = report
        for task in self._tasks:
            self._part(whole, task, 1)
        return None

    def _all(self, whole: Whole) -> Ended:
        """Put the reports together; logs and texts stand one after the other."""
        folder = whole.job.folder
        merged = merge_reports(whole.base, {task: whole.done[task] for task in self._tasks})
        (folder / REPORT).write_text(json.dumps(merged, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        (folder / PAGE).write_text(page(merged), encoding="utf-8")
        for name in (TEXT, LOG):
            with (folder / name).open("wb") as file:
                for part in sorted(folder.glob(f"*/{name}")):
                    file.write(f"== {part.parent.name}\n".encode() + part.read_bytes())
        _remove_parts(folder)
        return Ended(whole.job, merged["exit_code"], whole.seconds, ", ".join(sorted(whole.workers)))


def _remove_parts(folder: Path) -> None:
    for part in [path for path in folder.iterdir() if path.is_dir()]:
        shutil.rmtree(part, ignore_errors=True)
