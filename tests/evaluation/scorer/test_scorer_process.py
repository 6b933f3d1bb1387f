from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import write_job
from audio_encoder_checker.evaluation.score import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audio_encoder_checker.evaluation.job import ScoringJob


PRINTING = """
import os, sys
from audio_encoder_checker.evaluation.scorer import __main__ as scorer

def answer(folder, honest=scorer.answer):
    print("a library says something")
    os.write(1, b"so does its C code\\n")
    return honest(folder)

scorer.answer = answer
scorer.main()
"""
COMPILER = "torch._dynamo"
"""A second's work to import, and nothing here needs it."""


@pytest.mark.box
def test_each_line_is_answered_by_one_in_their_order(tmp_path: Path, scoring_job: Callable[..., ScoringJob]) -> None:
    job = scoring_job()
    x = np.array(job.parts["test"].x)
    x[4] = np.nan
    broken = replace(job, parts={**job.parts, "test": replace(job.parts["test"], x=x)})
    lines = []
    for number, one in enumerate((job, broken, scoring_job("retrieval", clips=40))):
        (tmp_path / str(number)).mkdir()
        write_job(tmp_path / str(number), one)
        lines.append(json.dumps({"job": str(tmp_path / str(number))}) + "\n")
    ended = subprocess.run(COMMAND, input="".join(lines), capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    first, refused, other = map(json.loads, ended.stdout.splitlines())
    assert [answer["track_a"]["n_test"] for answer in (first, other)] == [30, 10]
    assert first["track_b"].keys() == first["track_a"].keys()
    assert other["track_b"] is None
    assert refused == {
        "unscorable": "test: 1 embeddings or more of 30 are NaN or infinite, the first is 4",
    }


@pytest.mark.box
def test_what_is_printed_is_no_answer_and_it_ends_when_nobody_can_ask_any_more(
    tmp_path: Path, scoring_job: Callable[..., ScoringJob]
) -> None:
    write_job(tmp_path, scoring_job())
    command = (*COMMAND[:2], "-c", PRINTING + f"print({COMPILER!r} in sys.modules)")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as scorer:
        assert scorer.stdin
        assert scorer.stdout
        assert scorer.stderr
        for _ in range(2):
            scorer.stdin.write(json.dumps({"job": str(tmp_path)}) + "\n")
            scorer.stdin.flush()
            assert json.loads(scorer.stdout.readline())["track_a"]["n_test"] == 30
        with pytest.raises(subprocess.TimeoutExpired):
            scorer.wait(timeout=0.3)
        scorer.stdin.close()
        assert scorer.wait(timeout=60) == 0
        assert scorer.stdout.read() == ""
        said = scorer.stderr.read()
    assert "so does its C code" in said
    assert said.endswith("False\n"), f"{COMPILER} was imported"
