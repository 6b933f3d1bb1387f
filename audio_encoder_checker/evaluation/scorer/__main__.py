"""The scorer process: `python -I -m audio_encoder_checker.evaluation.scorer`.

It is trusted: it has embeddings and labels, and no code of a submission. Each line on stdin is one task,
`{"job": FOLDER}` (see `evaluation.job`), and is answered by a line on stdout:
`{"track_a": ANSWER, "track_b": ANSWER or null, "projection": POINTS or null}`, or `{"unscorable": PROBLEM}` where a
score would mean nothing. It ends when its stdin does, which is when the checker is done or was killed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

from audio_encoder_checker.evaluation.job import read_job
from audio_encoder_checker.evaluation.scorer.projection import projection
from audio_encoder_checker.evaluation.scorer.tracks import track_a, track_b
from audio_encoder_checker.evaluation.scorer.transcripts import transcripts
from audio_encoder_checker.evaluation.unscorable import problem_of

NICE = 10
"""The encoder, which works meanwhile, goes first."""


def answer(folder: Path) -> dict[str, Any]:
    """Score one job."""
    job = read_job(folder)
    problem = problem_of(job)
    if problem:
        return {"unscorable": problem}
    if job.task.kind == "asr":
        return {"track_a": transcripts(job), "track_b": None, "projection": None}
    return {"track_a": track_a(job), "track_b": track_b(job), "projection": projection(job)}


def main() -> None:
    """Answer every question."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    torch.set_num_threads(1)  # one order of adding, so the same figures however many cores there are
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin:
        said = answer(Path(json.loads(line)["job"]))
        answers.write(json.dumps(said) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
