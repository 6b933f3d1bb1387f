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
from audio_encoder_checker.evaluation.score import ScoredTask, Scorer
from audio_encoder_checker.evaluation.unscorable import UnscorableError
from audio_encoder_checker.evidence.scores import Measure, Projection, TaskScore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audio_encoder_checker.evaluation.job import ScoringJob

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
def test_tasks_are_scored_one_after_the_other_and_what_cannot_be_is_no_score_of_chance(
    scoring_job: Build, private: Path
) -> None:
    job = scoring_job()
    zeros = {name: replace(part, x=np.zeros_like(part.x)) for name, part in job.parts.items()}
    jobs = (scoring_job(weight=300.0), replace(job, parts=zeros), scoring_job("retrieval", clips=40))
    with Scorer() as scorer:
        first, refused, last = [scorer.submit(one, 120.0) for one in jobs]
        with pytest.raises(UnscorableError, match="embeddings are all zero"):
            refused.result()
        easy, captions = first.result(), last.result()
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


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('no module named torch\\n')", "ended with status 1: no module named torch"),
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


ANSWERING = """
import json, sys, time
for line in sys.stdin:
    number = json.loads(line)["job"][-1]
    if number == "1":
        {first}
    print(json.dumps({answer!r}).replace("NUMBER", number), flush=True)
"""


def answering(answer: dict[str, Any], first: str = "pass") -> tuple[str, ...]:
    """The command of a scorer that says the same to every question, and does something else at the first."""
    return sys.executable, "-I", "-c", ANSWERING.format(answer=answer, first=first)


@pytest.mark.parametrize(
    ("fails", "limit_s", "message"),
    [
        ("sys.exit(1)", 60.0, "ended with status 1: it said nothing"),
        ("time.sleep(60)", 0.05, "took longer than 0.05 s"),
        ("print('{', flush=True)", 60.0, "gave no answer that can be understood: it said nothing"),
    ],
)
def test_the_task_after_a_failure_has_a_scorer_of_its_own(
    scoring_job: Build, private: Path, monkeypatch: pytest.MonkeyPatch, fails: str, limit_s: float, message: str
) -> None:
    monkeypatch.setattr(scoring, "ENDING_S", 1.0)
    monkeypatch.setattr(scoring, "COMMAND", answering({"unscorable": "all alike in NUMBER"}, fails))
    with Scorer() as scorer:
        first, second, third = (scorer.submit(scoring_job(), limit) for limit in (limit_s, 60.0, 60.0))
        with pytest.raises(MachineError, match=message):
            first.result()
        for number, other in ((2, second), (3, third)):
            with pytest.raises(UnscorableError, match=f"task a-clip-class: all alike in {number}"):
                other.result()
        (folder,) = private.iterdir()
        assert list((folder / "2").iterdir()) == list((folder / "3").iterdir()) == []  # labels are gone


def test_a_scorer_that_ends_between_two_tasks_is_started_again_and_leaves_nothing_open(
    scoring_job: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        scoring, "COMMAND", answering({"unscorable": "all alike"}, "print('{\"unscorable\": 1}', flush=True); break")
    )
    with Scorer() as scorer:
        with pytest.raises(UnscorableError, match="1"):
            scorer.submit(scoring_job(), 60.0).result()
        assert scorer._process is not None
        scorer._process.wait()
        started = []
        for _ in range(2):
            with pytest.raises(UnscorableError, match="all alike"):
                scorer.submit(scoring_job(), 60.0).result()
            started.append(scorer._process)
        assert started[0] is started[1]


def test_what_waits_when_the_scorer_ends_is_never_begun(
    scoring_job: Build, private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "COMMAND", (sys.executable, "-I", "-c", "import time; time.sleep(60)"))
    with Scorer() as scorer:
        first, second = (scorer.submit(scoring_job(), 5.0) for _ in range(2))
    assert first.cancelled() or "took longer" not in str(first.exception())
    assert second.cancelled()
    assert list(private.iterdir()) == []


def test_an_answer_is_taken_over_whole(scoring_job: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    official, beside, corrected = (
        {"metric": metric, "value": 0.5, "low": 0.25, "high": 0.75} for metric in ("accuracy", "cosine KNN", "EER")
    )
    plain = {
        "measures": [official],
        "corrected": None,
        "folds": [],
        "n_test": 30,
        "seconds": 1.5,
        "note": "",
    }
    full = plain | {"measures": [official, beside], "corrected": corrected, "folds": [0.25, 0.75], "note": "some vote"}
    seen = {"shares": [0.75, 0.125], "points": [[0.5, -0.5, 3]]}
    said: list[dict[str, Any]] = [
        {"track_a": full, "track_b": None, "projection": None},
        {"track_a": plain, "track_b": full, "projection": seen},
    ]
    results = []
    for answer in said:
        monkeypatch.setattr(scoring, "COMMAND", answering(answer))
        results += scored(scoring_job(weight=300.0))
    measures = {name: Measure(name, 0.5, 0.25, 0.75) for name in ("accuracy", "cosine KNN", "EER")}
    short = TaskScore("a-clip-class", measures["accuracy"], 30, 300.0, 1.5)
    long = replace(
        short,
        beside=(measures["cosine KNN"],),
        corrected=measures["EER"],
        folds=(0.25, 0.75),
        note="some vote",
    )
    projection = Projection("a-clip-class", (0.75, 0.125), ((0.5, -0.5, 3),))
    assert results == [ScoredTask(long, None), ScoredTask(short, long, projection)]


def test_the_scorer_has_one_thread_and_leaves_its_files_in_its_folder(
    scoring_job: Build, private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import json, os\n"
        "names = [os.environ.get(name) for name in ('TMPDIR', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS')]\n"
        "print(json.dumps({'unscorable': ' '.join([*names, os.getcwd()])}))"
    )
    monkeypatch.setattr(scoring, "COMMAND", (sys.executable, "-I", "-c", program))
    with Scorer(private) as scorer, pytest.raises(UnscorableError) as caught:
        scorer.submit(scoring_job(), 60.0).result()
    temporary, *threads, current = caught.value.problem.split()
    assert threads == ["1", "1"]
    assert temporary == current
    assert temporary.startswith(str(private))


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
