"""KNN against a large bank: seconds, and memory beyond the embeddings.

Run it as `python benchmarks/knn.py [BANK [QUERIES]]`; 300,000 x 768 and 2,000 queries by default, one thread. The bank
lies on disk, as the scorer has it, and all of track B is measured: once with a bank of one whole part, and once where
one clip was lost, so that the rest has to be joined, as for folds. Memory is the rise of anonymous memory over what
the process held before.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from audio_encoder_checker.evaluation.job import Part, Round, ScoringJob
from audio_encoder_checker.evaluation.scorer.tracks import track_b
from audio_encoder_checker.evaluation.tasks import Task, Training

DIM, CLASSES = 768, 50


def anonymous_kib() -> int:
    """Memory of this process that no file stands behind, as the kernel counts it now."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


class Watch:
    """The largest value seen by a thread that looks all the time."""

    def __init__(self) -> None:
        from threading import Event, Thread

        self.peak = anonymous_kib()
        self._done = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._done.wait(0.002):
            self.peak = max(self.peak, anonymous_kib())

    def stop(self) -> int:
        """End it; the peak in KiB."""
        self._done.set()
        self._thread.join()
        return self.peak


def measure(what: str, bank: Part, test: Part) -> None:
    """Print seconds and memory of track B."""
    training = Training(epochs=1, batch_size=1, learning_rate=1e-3)  # of track A, which is not measured
    task = Task("knn", "KNN", "sound", "clip-class", "accuracy", CLASSES, 1.0, track_b=True, training=training)
    rounds = (Round(("train",), ("test",), ("test",)),)
    job = ScoringJob(task, {"train": bank, "test": test}, rounds, 40.0, 10, 0.07, 0)
    before = anonymous_kib()
    watch = Watch()
    start_s = time.perf_counter()
    track_b(job)
    seconds = time.perf_counter() - start_s
    print(f"{what}: {seconds:.1f} s, {(watch.stop() - before) / 2**20:.2f} GiB extra")


def main(bank: int, queries: int) -> None:
    """Make embeddings and measure."""
    torch.set_num_threads(1)
    draw = np.random.default_rng(0)
    print(f"{queries} queries against {bank} x {DIM}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bank.npy")
        array = np.lib.format.open_memmap(path, "w+", np.float32, (bank, DIM))
        for start in range(0, bank, 10_000):
            count = min(10_000, bank - start)
            array[start : start + count] = draw.standard_normal((count, DIM), dtype=np.float32)
        del array
        x, y = np.load(path, mmap_mode="r"), draw.integers(0, CLASSES, bank)
        test = Part(draw.standard_normal((queries, DIM), dtype=np.float32), draw.integers(0, CLASSES, queries))
        measure("one whole part", Part(x, y), test)
        measure("one clip lost", Part(x, y, kept=np.arange(bank) > 0), test)


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:3]]
    main(*(sizes + [300_000, 2_000][len(sizes) :]))
