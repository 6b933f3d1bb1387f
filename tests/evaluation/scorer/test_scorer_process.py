from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import write_job
from audio_encoder_checker.evaluation.score import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audio_encoder_checker.evaluation.job import ScoringJob


def answers_of(folder: Path, *jobs: ScoringJob) -> list[dict[str, Any]]:
    lines = []
    for number, job in enumerate(jobs):
        (folder / str(number)).mkdir()
        write_job(folder / str(number), job)
        lines.append(json.dumps({"job": str(folder / str(number))}) + "\n")
    ended = subprocess.run(COMMAND, input="".join(lines), capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.box
def test_each_line_is_answered_by_one_in_their_order(tmp_path: Path, scoring_job: Callable[..., ScoringJob]) -> None:
    job = scoring_job()
    x = np.array(job.parts["test"].x)
    x[4] = np.nan
    broken = replace(job, parts={**job.parts, "test": replace(job.parts["test"], x=x)})
    one, refused, other = answers_of(tmp_path, job, broken, scoring_job("retrieval", clips=200))
    assert [answer["track_a"]["n_test"] for answer in (one, other)] == [30, 50]
    assert one["track_b"].keys() == one["track_a"].keys()
    assert other["track_b"] is None
    assert refused == {
        "unscorable": "test: 1 embeddings or more of 30 are NaN or infinite, the first is 4",
    }


PRINTING = """
import os, sys
from audio_encoder_checker.evaluation.scorer import __main__ as scorer

def answer(folder):
    print("a library says something")
    os.write(1, b"so does its C code\\n")
    return {"unscorable": str(folder)}

scorer.answer = answer
scorer.main()
"""


@pytest.mark.box
def test_what_is_printed_meanwhile_is_no_answer() -> None:
    command = (*COMMAND[:2], "-c", PRINTING)
    ended = subprocess.run(command, input='{"job": "x"}\n', capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(ended.stdout) == {"unscorable": "x"}
    assert "so does its C code" in ended.stderr


@pytest.mark.box
def test_it_ends_when_nobody_can_ask_any_more() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE) as scorer:
        assert scorer.stdin is not None
        with pytest.raises(subprocess.TimeoutExpired):
            scorer.wait(timeout=5)
        scorer.stdin.close()
        assert scorer.wait(timeout=60) == 0
