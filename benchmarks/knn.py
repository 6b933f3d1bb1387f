"""KNN against a large bank: seconds, and memory beyond the embeddings.

Run it as `python benchmarks/knn.py [BANK [QUERIES]]`; 300,000 x 768 and 2,000 queries by default, one thread. The bank
lies on disk, as the scorer has it; memory is the rise of anonymous memory over what the process held before.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from audio_encoder_checker.evaluation.scorer.knn import knn_scores

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


def main(bank: int, queries: int) -> None:
    """Print seconds and memory."""
    torch.set_num_threads(1)
    draw = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bank.npy")
        array = np.lib.format.open_memmap(path, "w+", np.float32, (bank, DIM))
        for start in range(0, bank, 10_000):
            rows = array[start : start + 10_000]
            rows[:] = draw.standard_normal(rows.shape, dtype=np.float32)
        del array
        x = np.load(path, mmap_mode="r")
        labels = draw.integers(0, CLASSES, bank)
        test = draw.standard_normal((queries, DIM), dtype=np.float32)
        before = anonymous_kib()
        watch = Watch()
        start_s = time.perf_counter()
        knn_scores(x, labels, test, classes=CLASSES, neighbours=10, temperature=0.07)
        seconds = time.perf_counter() - start_s
        extra = (watch.stop() - before) / 2**20
        print(f"{queries} queries against {bank} x {DIM}: {seconds:.1f} s, {extra:.2f} GiB extra")


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:3]]
    main(*(sizes + [300_000, 2_000][len(sizes) :]))
