"""How long the scorer takes for a task of each kind, both tracks, the process already running.

Run it as `python benchmarks/scorer.py`. 500 clips of 256 features, 300 to train; frame tasks have 100 frames a clip.
"""

from __future__ import annotations

import time

import numpy as np

from audio_encoder_checker.evaluation.job import Part, Round, ScoringJob
from audio_encoder_checker.evaluation.score import Scorer
from audio_encoder_checker.evaluation.tasks import Task, quick_tasks

SIZES = {"train": 300, "valid": 100, "test": 100}
DIM, FRAMES = 256, 100


def part(task: Task, clips: int, seed: int) -> Part:
    """Noisy points around one centre for each class, in clips or frames."""
    draw = np.random.default_rng(seed)
    rows = clips * (FRAMES if task.per_frame else 1)
    classes = max(task.classes, 2)
    labels = draw.integers(0, classes, rows)
    centres = np.random.default_rng(0).standard_normal((classes, DIM))
    x = (0.3 * centres[labels] + draw.standard_normal((rows, DIM))).astype(np.float32)
    if task.kind == "retrieval":
        return Part(x, texts=tuple([f"kind {label} number {n}" for n in range(5)] for label in labels))
    offsets = np.arange(clips + 1) * FRAMES if task.per_frame else None
    hot = np.eye(classes, dtype=np.uint8)[labels]
    y = labels if task.kind.endswith("-class") else hot.astype(np.float32) if "regression" in task.kind else hot
    return Part(x, y, offsets=offsets)


def main() -> None:
    """Print seconds of one task of each kind."""
    tasks = {task.kind: task for task in quick_tasks()}
    start = time.perf_counter()
    with Scorer() as scorer:
        for number, (kind, task) in enumerate(tasks.items()):
            parts = {name: part(task, clips, seed) for seed, (name, clips) in enumerate(SIZES.items(), 10 * number)}
            job = ScoringJob(task, parts, (Round(*((name,) for name in SIZES)),), 20.0, 10, 0.07, seed=42)
            scored = scorer.submit(job, 600).result()
            track_b = f"{scored.track_b.seconds:.2f}" if scored.track_b else "-"
            track_a = f"{scored.track_a.seconds:.2f}"
            print(f"{kind:18}{task.training.epochs:4} epochs  track A {track_a:>5} s  track B {track_b:>5} s")
    print(f"all, start of the process included: {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
