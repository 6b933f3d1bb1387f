"""How long the scorer takes for three tasks of 500 clips and 256 dimensions, both tracks, start included.

Run it as `python benchmarks/scorer.py [RUNS]`.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from audio_encoder_checker.evaluation.score import EmbeddedTask, score
from audio_encoder_checker.evaluation.tasks import quick_tasks
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from audio_encoder_checker.evaluation.tasks import Task
    from audio_encoder_checker.evidence.scores import TrackScores

CLIPS, DIM = 500, 256


def embedded(task: Task, seed: int) -> EmbeddedTask:
    """Noisy points around one centre for each class; 300 clips to train, 100 to validate, 100 to test."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, task.classes, CLIPS)
    vectors = 0.3 * draw.standard_normal((task.classes, DIM))[labels] + draw.standard_normal((CLIPS, DIM))
    split = np.repeat([0, 1, 2], [300, 100, 100]).astype(np.uint8)
    return EmbeddedTask(task, vectors.astype(np.float32), labels, split)


def timed() -> tuple[float, TrackScores]:
    """Wall seconds of one scoring, and what came of it."""
    tasks = [embedded(task, seed) for seed, task in enumerate(quick_tasks())]
    start = time.perf_counter()
    scores = score(
        tasks, load_rules().evaluation, data="builtin", encode_seconds=0, audio_seconds=0, seed=42, timeout_s=600
    )
    return time.perf_counter() - start, scores


def main(runs: int) -> None:
    """Print wall seconds over some runs, and where they went in the last of them."""
    walls = []
    scores = None
    for _ in range(runs):
        wall, scores = timed()
        walls.append(wall)
    print(f"scorer, 3 tasks of {CLIPS} x {DIM}, {runs} runs: wall seconds, start of the process included")
    print(f"  min {min(walls):.2f}  median {statistics.median(walls):.2f}  max {max(walls):.2f}")
    for track, tasks in (("A", scores.track_a), ("B", scores.track_b)) if scores else ():
        for one in tasks:
            print(f"  track {track} {one.task:13} {one.seconds:.3f} s  {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
