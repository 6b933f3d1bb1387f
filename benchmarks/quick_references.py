"""Score the known encoders on the built-in quick set, and keep the figures as the report's references.

Run it as `python benchmarks/quick_references.py [--write] [NAME...] [TASK...]`. It wants the wheels of
`tests/encoders/requirements*.txt`; `--write` puts what was measured into `resources/references/quick.json`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from audio_encoder_checker.evaluation.assemble import assemble
from audio_encoder_checker.evaluation.encode import Manner, embed
from audio_encoder_checker.evaluation.quick import QUICK_SET_VERSION, fingerprint, quick_clips
from audio_encoder_checker.evaluation.score import Scorer
from audio_encoder_checker.evaluation.sources import generated
from audio_encoder_checker.evaluation.store import PartStore
from audio_encoder_checker.evaluation.tasks import quick_tasks
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.batches import Batch
    from audio_encoder_checker.evaluation.job import ScoringJob
    from audio_encoder_checker.evaluation.tasks import Task

ROOT = Path(__file__).parent.parent
REFERENCES = ROOT / "audio_encoder_checker" / "resources" / "references" / "quick.json"
FOLDER = ROOT / "tests" / "encoders"
ENCODERS = {
    "noise": FOLDER / "noise_encoder.py",
    "randomconv": FOLDER / "randomconv_encoder.py",
    "log-mel": FOLDER / "logmel_encoder.py",
    "mfcc": FOLDER / "mfcc_encoder.py",
    "silero": FOLDER / "silero_encoder.py",
    "resemblyzer": FOLDER / "resemblyzer_encoder.py",
    "openwakeword": FOLDER / "openwakeword_encoder.py",
    "crepe": FOLDER / "crepe_encoder.py",
    "example": ROOT / "example_submission" / "encoder.py",
}
SEEDS = (42, 43, 44)
"""Of the probe: the reference is the mean over them, a submission is scored with the first."""
SCORING_S = 600.0


def load_encoder(path: Path) -> torch.nn.Module:
    """An instance of the one class in a file whose name ends in `Encoder`."""
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    (name,) = (name for name in dir(module) if name.endswith("Encoder"))
    encoder: torch.nn.Module = getattr(module, name)()
    return encoder


def job_of(task: Task, encoder: torch.nn.Module, folder: Path) -> ScoringJob:
    """The clips of a task, encoded in this process."""

    def encode(batch: Batch) -> NDArray[np.float32]:
        with torch.inference_mode():
            frames: NDArray[np.float32] = encoder(torch.from_numpy(batch.audio)).numpy()
        return frames

    declared: Any = encoder
    manner = Manner(task, int(declared.sampling_rate), float(declared.hop_size_in_ms))
    data = generated(task)
    stores = {}
    for name, source in data.parts.items():
        with PartStore(folder / task.id / name) as store:
            embed(store, source, encode, manner, lambda _done: None)
        stores[name] = store
    return assemble(stores, data.rounds, manner, load_rules().evaluation, SEEDS[0]).job


def measure(name: str, tasks: list[Task], scorer: Scorer) -> list[dict[str, Any]]:
    """One line of the table for each task, printed, too; none where the encoder's wheel is not installed."""
    try:
        encoder = load_encoder(ENCODERS[name])
    except (FileNotFoundError, ModuleNotFoundError) as error:
        sys.stdout.write(f"{name:14}skipped: {error}\n")
        return []
    lines = []
    for task in tasks:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            job = job_of(task, encoder, Path(folder))
            seconds = time.perf_counter() - start
            runs = [scorer.submit(replace(job, seed=seed), SCORING_S) for seed in SEEDS]
            scores = [run.result() for run in runs]
        values = [score.track_a.official.value for score in scores]
        track_b = scores[0].track_b.official.value if scores[0].track_b else None
        lines.append(
            {
                "name": name,
                "task": task.id,
                "metric": task.metric,
                "track_a": round(float(np.mean(values)), 4),
                "track_b": None if track_b is None else round(track_b, 4),
            }
        )
        second = "" if track_b is None else f"{track_b:.3f}"
        sys.stdout.write(
            f"{name:14}{task.id:20}{np.mean(values):7.3f} ±{np.std(values):.3f}{second:>9}  encoded in "
            f"{seconds:.1f} s, scored in {scores[0].track_a.seconds:.2f} s\n"
        )
        sys.stdout.flush()
    return lines


def main(arguments: list[str]) -> None:
    """Measure the encoders and tasks named, or all."""
    torch.set_num_threads(1)
    names = [name for name in ENCODERS if name in arguments] or list(ENCODERS)
    tasks = [task for task in quick_tasks() if task.id in arguments] or list(quick_tasks())
    sys.stdout.write(f"{'encoder':14}{'task':20}{'track A':>7} (sd) {'track B':>9}\n")
    with Scorer() as scorer:
        scores = [line for name in names for line in measure(name, tasks, scorer)]
    if "--write" in arguments:
        write(scores)
        sys.stdout.write(f"wrote {REFERENCES.relative_to(ROOT)}\n")


def write(scores: list[dict[str, Any]]) -> None:
    """Put new scores in the place of old ones of the same encoders and tasks."""
    old = json.loads(REFERENCES.read_text(encoding="utf-8"))["scores"] if REFERENCES.exists() else []
    merged = {(one["name"], one["task"]): one for one in [*old, *scores]}
    order = [(name, task.id) for name in ENCODERS for task in quick_tasks()]
    document = {
        "quick_set_version": QUICK_SET_VERSION,
        "fingerprints": {task.id: fingerprint(quick_clips(task.id)) for task in quick_tasks()},
        "scores": [merged[key] for key in order if key in merged],
    }
    REFERENCES.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
