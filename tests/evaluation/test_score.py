from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evaluation import score as scoring
from audio_encoder_checker.evaluation.score import EmbeddedTask, UnscorableError, score
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audio_encoder_checker.evidence.scores import TrackScores

    Build = Callable[..., EmbeddedTask]


def scores_of(*embedded: EmbeddedTask, seed: int = 0, timeout_s: float = 120.0) -> TrackScores:
    return score(
        embedded,
        load_rules().evaluation,
        data="builtin",
        encode_seconds=1.5,
        audio_seconds=60.0,
        seed=seed,
        timeout_s=timeout_s,
    )


def seen(scores: TrackScores) -> list[tuple[str, float, float, float]]:
    """Everything but the time it took."""
    return [(one.task, one.value, one.low, one.high) for one in (*scores.track_a, *scores.track_b)]


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders go during a test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.box
def test_classes_far_apart_are_told_apart_and_noise_is_not(embedded_task: Build, private: Path) -> None:
    easy = embedded_task("quick-speech", learning_rate=0.05, weight=300.0)
    noise = embedded_task("quick-sound", clips=400, apart=0.0)
    scores = scores_of(easy, noise)
    assert (
        [one.task for one in scores.track_a] == [one.task for one in scores.track_b] == ["quick-speech", "quick-sound"]
    )
    for track, average in ((scores.track_a, scores.average_a), (scores.track_b, scores.average_b)):
        assert track[0].value == 1.0
        assert track[1].low < 0.25 < track[1].high  # chance among four classes
        assert all(one.low <= one.value <= one.high and one.seconds > 0 for one in track)
        assert average == pytest.approx((300 * track[0].value + 100 * track[1].value) / 400)
    assert (scores.track_a[1].n_test, scores.track_a[1].metric, scores.track_a[0].weight) == (100, "accuracy", 300.0)
    assert (scores.data, scores.encode_seconds, scores.audio_seconds) == ("builtin", 1.5, 60.0)
    assert list(private.iterdir()) == []


@pytest.mark.box
def test_a_task_of_track_a_alone_drops_out_of_track_b(embedded_task: Build) -> None:
    scores = scores_of(embedded_task(track_b=False), embedded_task("quick-music"))
    assert [one.task for one in scores.track_a] == ["quick-speech", "quick-music"]
    assert [one.task for one in scores.track_b] == ["quick-music"]
    assert scores.average_b == scores.track_b[0].value


@pytest.mark.box
def test_the_same_seed_gives_the_same_scores_and_another_seed_another_training(embedded_task: Build) -> None:
    hard = embedded_task(apart=0.5, clips=400)
    once = scores_of(hard, seed=1)
    assert seen(scores_of(hard, seed=1)) == seen(once)
    other = scores_of(hard, seed=2)
    assert seen(other)[0] != seen(once)[0]
    assert other.track_b[0].value == once.track_b[0].value  # nothing is drawn in track B but its interval


@pytest.mark.box
def test_modules_of_the_current_folder_do_not_reach_the_scorer(
    embedded_task: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("audio_encoder_checker", "torch", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('foreign code runs')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert scores_of(embedded_task(learning_rate=0.05)).average_a == 1.0


def test_embeddings_of_zeros_are_the_submissions_fault_and_no_score_of_chance(embedded_task: Build) -> None:
    one = embedded_task()
    with pytest.raises(UnscorableError, match="embeddings of 120 of 120 clips are all zero") as caught:
        scores_of(replace(one, embeddings=np.zeros_like(one.embeddings)))
    assert caught.value.task == "quick-speech"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('no module named torch')", "ended with status 1: no module named torch"),
        ("import os; os.kill(os.getpid(), 9)", "ended with status -9: it said nothing"),
        ("pass", "gave no answer: .*out.json"),
        ("import sys; open(sys.argv[2], 'w').write('{')", "gave no answer: "),
        ("import sys; open(sys.argv[2], 'w').write('{}')", "gave no answer: 'tasks'"),
    ],
)
def test_a_scorer_that_fails_is_the_machines_fault_and_leaves_nothing_behind(
    embedded_task: Build, private: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    monkeypatch.setattr(scoring, "SCORER", (sys.executable, "-I", "-c", program))
    with pytest.raises(MachineError, match=message) as caught:
        scores_of(embedded_task())
    assert caught.value.hint
    assert list(private.iterdir()) == []


def test_a_scorer_that_takes_too_long_is_stopped(embedded_task: Build, private: Path) -> None:
    with pytest.raises(MachineError, match=r"not done after 0.05 s"):
        scores_of(embedded_task(), timeout_s=0.05)
    assert list(private.iterdir()) == []


def test_a_full_or_missing_disk_is_the_machines_fault(
    embedded_task: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(MachineError, match="gave no answer"):
        scores_of(embedded_task())


def test_the_parents_half_imports_neither_torch_nor_numpy() -> None:
    program = (
        "import sys\n"
        "from audio_encoder_checker.evaluation import averages, clips, encode, job, pooling, score, tasks, unscorable\n"
        "print([name for name in ('torch', 'numpy', 'sklearn', 'soxr', 'jsonschema') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
