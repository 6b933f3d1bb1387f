"""The scorer process: `python -I -m audio_encoder_checker.evaluation.scorer IN.npz OUT.json [until-stdin-ends]`.

It is trusted: it has embeddings and labels, and no code of a submission. It writes one answer for each task,
in their order: `{"tasks": [{"track_a": {...}, "track_b": {...} or null}]}`. With the third word it ends when its stdin
does, which is when the checker is killed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import torch

from audio_encoder_checker.evaluation.job import read_job
from audio_encoder_checker.evaluation.scorer.tracks import Answer, track_a, track_b
from audio_encoder_checker.evaluation.unscorable import UnscorableError, refuse_unscorable


def main(asked: Path, answered: Path) -> None:
    """Score the job in one file and write the answer to another.

    Raises:
        UnscorableError: embeddings or labels of a task make no sense.
    """
    torch.set_num_threads(1)  # one order of adding, so the same figures however many cores there are
    torch.optim.Adam([torch.zeros(1)])  # the first optimiser loads much of torch: not the first task's time
    job = read_job(asked)
    refuse_unscorable(job)
    tasks: list[dict[str, Answer | None]] = [
        {"track_a": track_a(one, job), "track_b": track_b(one, job) if one.task.track_b else None} for one in job.tasks
    ]
    answered.write_text(json.dumps({"tasks": tasks}), encoding="utf-8")


def _end_with_stdin() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        main(*map(Path, sys.argv[1:3]))
    except UnscorableError as refused:
        sys.exit(str(refused))
