from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evaluation import score as scoring
from audio_encoder_checker.evaluation.score import Scorer
from audio_encoder_checker.evaluation.unscorable import UnscorableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audio_encoder_checker.evaluation.job import ScoringJob
    from audio_encoder_checker.evaluation.score import ScoredTask

    Build = Callable[..., ScoringJob]


def scored(*jobs: ScoringJob, timeout_s: float = 120.0) -> list[ScoredTask]:
    with Scorer() as scorer:
        return [one.result() for one in [scorer.submit(job, timeout_s) for job in jobs]]


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders go during a test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.box
def test_tasks_are_scored_one_after_the_other(scoring_job: Build, private: Path) -> None:
    easy, captions = scored(scoring_job(weight=300.0), scoring_job("retrieval"))
    assert easy.track_a.official.value == 1.0
    assert easy.track_b is not None
    assert easy.track_b.official.value == 1.0
    assert (easy.track_a.task, easy.track_a.weight, easy.track_a.n_test) == ("a-clip-class", 300.0, 30)
    assert captions.track_a.official.metric == "recall@1"
    assert [one.metric for one in captions.track_a.beside] == ["recall@1 audio to text", "recall@1 text to audio"]
    assert captions.track_b is None
    assert list(private.iterdir()) == []


@pytest.mark.box
def test_modules_of_the_current_folder_do_not_reach_the_scorer(
    scoring_job: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("audio_encoder_checker", "torch", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('foreign code runs')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert scored(scoring_job())[0].track_a.official.value == 1.0


@pytest.mark.box
def test_what_cannot_be_scored_is_no_score_of_chance_and_the_next_task_is_scored(scoring_job: Build) -> None:
    job = scoring_job()
    zeros = {name: replace(part, x=np.zeros_like(part.x)) for name, part in job.parts.items()}
    with Scorer() as scorer:
        refused, fine = (scorer.submit(one, 60.0) for one in (replace(job, parts=zeros), job))
        with pytest.raises(UnscorableError, match="embeddings are all zero"):
            refused.result()
        assert fine.result().track_a.official.value == 1.0


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('no module named torch')", "ended with status 1: no module named torch"),
        ("import os; os.kill(os.getpid(), 9)", "ended with status -9: it said nothing"),
        ("pass", "ended with status 0: it said nothing"),
        ("print('{')", "ended with status 0: it said nothing"),
    ],
)
def test_a_scorer_that_fails_is_the_machines_fault_and_leaves_nothing_behind(
    scoring_job: Build, private: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    monkeypatch.setattr(scoring, "COMMAND", (sys.executable, "-I", "-c", program))
    with pytest.raises(MachineError, match=message) as caught:
        scored(scoring_job())
    assert caught.value.hint
    assert list(private.iterdir()) == []


def test_a_scorer_that_takes_too_long_is_stopped(
    scoring_job: Build, private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "COMMAND", (sys.executable, "-I", "-c", "import time; time.sleep(60)"))
    with pytest.raises(MachineError, match=r"computing the scores took longer than 0.05 s"):
        scored(scoring_job(), timeout_s=0.05)
    assert list(private.iterdir()) == []


def test_a_scorer_that_cannot_be_started_is_the_machines_fault(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "COMMAND", (str(private / "gone"),))
    with pytest.raises(MachineError, match="does not start"), Scorer():
        pass


def test_the_parents_half_imports_neither_torch_nor_numpy() -> None:
    program: Any = (
        "import sys\n"
        "from audio_encoder_checker.evaluation import assemble, batches, cache, clips, encode, job, labels, pooling\n"
        "from audio_encoder_checker.evaluation import score, shards, sources, store, tasks, unscorable\n"
        "print([n for n in ('torch', 'numpy', 'sklearn', 'soxr', 'soundfile', 'jsonschema') if n in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
