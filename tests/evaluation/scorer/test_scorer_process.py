from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import EmbeddedTask, ScoringJob, write_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ended = subprocess.CompletedProcess[str]


def run_scorer(folder: Path, *tasks: EmbeddedTask) -> tuple[Ended, Path]:
    write_job(folder / "in.npz", ScoringJob(tasks, neighbours=10, temperature=0.07, seed=0))
    command = [sys.executable, "-I", "-m", "audio_encoder_checker.evaluation.scorer"]
    files = [str(folder / "in.npz"), str(folder / "out.json")]
    ended = subprocess.run([*command, *files], capture_output=True, text=True, check=False, timeout=120)
    return ended, folder / "out.json"


@pytest.mark.box
def test_answers_come_in_the_order_of_tasks_with_none_where_a_track_does_not_count(
    tmp_path: Path, embedded_task: Callable[..., EmbeddedTask]
) -> None:
    one, other = embedded_task(clips=120), embedded_task("quick-sound", clips=200, track_b=False)
    ended, written = run_scorer(tmp_path, one, other)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    answers: list[dict[str, Any]] = json.loads(written.read_text(encoding="utf-8"))["tasks"]
    assert [answer["track_a"]["n_test"] for answer in answers] == [30, 50]
    assert answers[0]["track_b"].keys() == answers[0]["track_a"].keys()
    assert answers[1]["track_b"] is None


@pytest.mark.box
def test_what_cannot_be_scored_ends_with_a_message_and_no_answer(
    tmp_path: Path, embedded_task: Callable[..., EmbeddedTask]
) -> None:
    one = embedded_task()
    vectors = one.embeddings.copy()
    vectors[4] = np.nan
    ended, written = run_scorer(tmp_path, replace(one, embeddings=vectors))
    assert ended.returncode == 1
    assert ended.stderr == "task quick-speech: embeddings of 1 of 120 clips are NaN or infinite, the first is clip 4\n"
    assert not written.exists()


@pytest.mark.box
def test_it_ends_with_the_checker(tmp_path: Path) -> None:
    """Its stdin is a pipe whose other end only the checker holds."""
    os.mkfifo(tmp_path / "in.npz")  # nobody will ever write the job: it waits for ever
    command = [sys.executable, "-I", "-m", "audio_encoder_checker.evaluation.scorer"]
    files = [str(tmp_path / "in.npz"), str(tmp_path / "out.json")]
    with subprocess.Popen([*command, *files, "until-stdin-ends"], stdin=subprocess.PIPE) as scorer:
        assert scorer.stdin is not None
        with pytest.raises(subprocess.TimeoutExpired):
            scorer.wait(timeout=6)
        scorer.stdin.close()
        assert scorer.wait(timeout=60) == 1
