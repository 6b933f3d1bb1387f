"""Embeddings and labels in, scores of both tracks out; the work is done in a process of its own.

That process holds torch, which the parent does without, and no code of the submission, so that nobody can
reach the labels. See `scorer/`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evaluation.averages import weighted_average
from audio_encoder_checker.evaluation.job import EmbeddedTask, ScoringJob, write_job
from audio_encoder_checker.evaluation.unscorable import UnscorableError, refuse_unscorable
from audio_encoder_checker.evidence.scores import TaskScore, TrackScores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audio_encoder_checker.rules import EvaluationRules

__all__ = ["EmbeddedTask", "UnscorableError", "score"]

SCORER = (sys.executable, "-I", "-m", "audio_encoder_checker.evaluation.scorer")
UNTIL_STDIN_ENDS = "until-stdin-ends"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def score(  # noqa: PLR0913 - five of them are passed by name
    embedded: Sequence[EmbeddedTask],
    rules: EvaluationRules,
    *,
    data: str,
    encode_seconds: float,
    audio_seconds: float,
    seed: int,
    timeout_s: float,
    folder: Path | None = None,
) -> TrackScores:
    """Score tasks under both tracks.

    Args:
        embedded: the tasks.
        rules: constants of both tracks.
        data: what the tasks are made of, `builtin` or `xares`; passed on.
        encode_seconds: passed on.
        audio_seconds: passed on.
        seed: of initial weights, shuffling and bootstrap: the same seed gives the same scores.
        timeout_s: for all tasks together.
        folder: where embeddings and labels lie meanwhile, the system's temporary folder by default.

    Raises:
        UnscorableError: embeddings of a task cannot be scored; the submission is to blame, not the machine.
        MachineError: the scorer itself failed.
    """
    job = ScoringJob(tuple(embedded), rules.knn_neighbours, rules.knn_temperature, seed)
    refuse_unscorable(job)
    answers = _run_scorer(job, timeout_s, folder)
    track_a = tuple(_task_score(one, answer["track_a"]) for one, answer in zip(job.tasks, answers, strict=True))
    track_b = tuple(
        _task_score(one, answer["track_b"]) for one, answer in zip(job.tasks, answers, strict=True) if one.task.track_b
    )
    return TrackScores(
        data=data,
        track_a=track_a,
        track_b=track_b,
        average_a=weighted_average((one.value, one.weight) for one in track_a),
        average_b=weighted_average((one.value, one.weight) for one in track_b),
        encode_seconds=encode_seconds,
        audio_seconds=audio_seconds,
    )


def _run_scorer(job: ScoringJob, timeout_s: float, parent: Path | None) -> list[dict[str, Any]]:
    """One answer for each task; the files live in a folder that only we can read, and not for long."""
    try:
        with tempfile.TemporaryDirectory(prefix="aecc-scorer-", dir=parent) as folder:
            asked, answered = Path(folder, "in.npz"), Path(folder, "out.json")
            write_job(asked, job)
            _call([*SCORER, str(asked), str(answered)], folder, timeout_s)
            answers: list[dict[str, Any]] = json.loads(answered.read_text(encoding="utf-8"))["tasks"]
            return answers
    except (OSError, ValueError, KeyError) as error:
        raise MachineError(
            f"the scorer gave no answer: {error}", "free some disk space and memory, then repeat"
        ) from None


def _call(command: list[str], folder: str, timeout_s: float) -> None:
    lifeline, ours = os.pipe()
    try:
        ended = subprocess.run(
            [*command, UNTIL_STDIN_ENDS],
            cwd=folder,
            env=os.environ | ONE_THREAD | {"TMPDIR": folder},  # torch leaves a cache folder there
            stdin=lifeline,  # whose other end only we hold, so that it ends when we are killed
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MachineError(f"the scorer was not done after {timeout_s:g} s", "repeat on a less busy machine") from None
    finally:
        os.close(lifeline)
        os.close(ours)
    if ended.returncode != 0:
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        last = said[-1] if said else "it said nothing"
        raise MachineError(
            f"the scorer ended with status {ended.returncode}: {last}",
            f"`{Path(sys.executable).name} -I -c 'import torch, audio_encoder_checker'` shows whether it can start",
        )


def _task_score(one: EmbeddedTask, answer: dict[str, Any]) -> TaskScore:
    return TaskScore(task=one.task.id, weight=one.task.weight, **answer)
