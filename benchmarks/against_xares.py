"""Both tracks of one clip task: X-ARES from its shards against ours from frame embeddings, processor time and scores.

Run it as `python benchmarks/against_xares.py [XARES_PYTHON]`. 2,000 clips to train, 400 to validate, 500 to test,
of 125 to 250 frames of 768 features and ten classes; needs 4 GB of memory and 3 GB of disk. XARES_PYTHON is the
interpreter of an environment with xares 0.1.3 in it; without it only ours is measured. Both take one thread. X-ARES's
time is taken around `run_mlp` and `run_knn`, ours around pooling and both tracks: neither counts imports.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from audio_encoder_checker.evaluation.job import Part, Round, ScoringJob
from audio_encoder_checker.evaluation.pooling import mean_over_frames
from audio_encoder_checker.evaluation.scorer.tracks import track_a, track_b
from audio_encoder_checker.evaluation.tasks import Task, Training

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = {"train": 2000, "valid": 400, "test": 500}
DIM, CLASSES, EPOCHS = 768, 10, 10

XARES = """
import json, sys, time
import torch
from xares.task import TaskConfig, XaresTask

class StubEncoder(torch.nn.Module):
    sampling_rate, output_dim, hop_size_in_ms = 16000, 768, 40

root = sys.argv[1]
config = TaskConfig(
    name="bench", env_root=root, encoder=StubEncoder(), output_dim=10, epochs=10, eval_weight=500,
    torch_num_threads=1, label_processor=lambda x: x["label"],
)
task = XaresTask(config)
start = time.process_time()
mlp, _ = task.run_mlp()
between = time.process_time()
knn, _ = task.run_knn()
print(json.dumps({"mlp": mlp, "knn": knn, "mlp_s": between - start, "knn_s": time.process_time() - between}))
"""


def make_clips() -> dict[str, tuple[list[NDArray[np.float32]], NDArray[np.int64]]]:
    """Frames of each clip [T, D] and its class: a weak direction of the class in strong noise."""
    draw = np.random.default_rng(0)
    centres = draw.standard_normal((CLASSES, DIM)).astype(np.float32)
    made = {}
    for split, count in SIZES.items():
        labels = draw.integers(0, CLASSES, count)
        clips = []
        for label in labels:
            own = 0.11 * centres[label] + draw.standard_normal(DIM).astype(np.float32)
            noise = draw.standard_normal((draw.integers(125, 251), DIM), dtype=np.float32)
            clips.append(own + noise)
        made[split] = (clips, labels)
    return made


def write_shards(folder: Path, made: dict[str, Any]) -> None:
    """X-ARES's encoded shards, as it would have written them."""
    for split, (clips, labels) in made.items():
        with tarfile.open(folder / f"wds-encoded-{split}0000000.tar", "w") as tar:
            for number, (clip, label) in enumerate(zip(clips, labels, strict=True)):
                buffer = io.BytesIO()
                np.save(buffer, clip)
                document = json.dumps({"label": int(label)}).encode()
                for suffix, content in (("json", document), ("npy", buffer.getvalue())):
                    member = tarfile.TarInfo(f"clip{number}.{suffix}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))


def run_xares(python: str, made: dict[str, Any]) -> None:
    """Time X-ARES in its own environment."""
    with tempfile.TemporaryDirectory() as root:
        shards = Path(root, "bench", "embeddings", "StubEncoder")
        shards.mkdir(parents=True)
        write_shards(shards, made)
        ended = subprocess.run([python, "-c", XARES, root], capture_output=True, text=True, check=False)
    if ended.returncode:
        print(f"X-ARES did not run: {ended.stderr.strip().splitlines()[-1:]}")
        return
    found = json.loads(ended.stdout.splitlines()[-1])
    print(f"X-ARES  track A {found['mlp']:.3f} in {found['mlp_s']:.1f} CPU s, track B {found['knn']:.3f} in "
          f"{found['knn_s']:.1f} CPU s, together {found['mlp_s'] + found['knn_s']:.1f}")  # fmt: skip


def run_ours(made: dict[str, Any]) -> None:
    """Time ours."""
    task = Task(
        "bench", "", "sound", "clip-class", "accuracy", CLASSES, 500, track_b=True, training=Training(EPOCHS, 32, 1e-3)
    )
    start = time.process_time()
    parts = {
        split: Part(np.concatenate([mean_over_frames(clip[None]) for clip in clips]), labels)
        for split, (clips, labels) in made.items()
    }
    pooled = time.process_time()
    job = ScoringJob(task, parts, (Round(("train",), ("valid",), ("test",)),), 40.0, 10, 0.07, seed=42)
    answer_a = track_a(job)
    trained = time.process_time()
    answer_b = track_b(job)
    end = time.process_time()
    a, b = answer_a["measures"][0], answer_b["measures"][0] if answer_b else {"value": float("nan")}
    print(f"ours    track A {a['value']:.3f} [{a['low']:.3f}, {a['high']:.3f}], track B {b['value']:.3f}; pooling "
          f"{pooled - start:.2f}, track A {trained - pooled:.2f}, track B {end - trained:.2f}, together "
          f"{end - start:.2f} CPU s")  # fmt: skip


def main(arguments: list[str]) -> None:
    """Run both on the same embeddings."""
    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1)])  # loads much of torch: no time of X-ARES's first task
    made = make_clips()
    for _ in range(3):
        run_ours(made)
    if arguments:
        run_xares(arguments[0], made)


if __name__ == "__main__":
    main(sys.argv[1:])
