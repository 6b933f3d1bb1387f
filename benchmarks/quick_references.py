"""Score the known encoders on the built-in quick set, and keep the figures as the report's references.

Run it as `python benchmarks/quick_references.py [--write] [NAME...]`. It wants the wheels of
`tests/encoders/requirements*.txt`; `--write` renews `resources/references/quick.json`, for all encoders only.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from audio_encoder_checker.evaluation.encode import embed
from audio_encoder_checker.evaluation.quick import QUICK_SET_VERSION, fingerprint, quick_clips
from audio_encoder_checker.evaluation.score import EmbeddedTask, score
from audio_encoder_checker.evaluation.tasks import quick_tasks
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audio_encoder_checker.evidence.scores import TrackScores

ROOT = Path(__file__).parent.parent
REFERENCES = ROOT / "audio_encoder_checker" / "resources" / "references" / "quick.json"
FOLDER = ROOT / "tests" / "encoders"
ENCODERS = {
    "noise": FOLDER / "noise_encoder.py",
    "randomconv": FOLDER / "randomconv_encoder.py",
    "log-mel": FOLDER / "logmel_encoder.py",
    "silero": FOLDER / "silero_encoder.py",
    "resemblyzer": FOLDER / "resemblyzer_encoder.py",
    "openwakeword": FOLDER / "openwakeword_encoder.py",
    "crepe": FOLDER / "crepe_encoder.py",
    "example": ROOT / "example_submission" / "encoder.py",
}
SEEDS = (42, 43, 44)
"""Of the probe: the reference is the mean over them, a submission is scored with the first."""


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


def embed_all(encoder: torch.nn.Module) -> list[EmbeddedTask]:
    """The clips of every task, encoded in this process."""

    def encode(audio: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            frames: NDArray[np.float32] = encoder(torch.from_numpy(audio)).numpy()
        return frames

    rate, batch = int(getattr(encoder, "sampling_rate")), load_rules().evaluation.encode_batch  # noqa: B009 - mypy sees a Module
    embedded = []
    for task in quick_tasks():
        clips = quick_clips(task.id)
        vectors = embed(clips, encode, rate, batch, lambda _done, _total: None)
        embedded.append(EmbeddedTask(task, vectors, clips.labels, clips.split))
    return embedded


def score_all(embedded: list[EmbeddedTask]) -> list[TrackScores]:
    """Both tracks, once for each seed."""
    rules = load_rules().evaluation
    return [
        score(embedded, rules, data="builtin", encode_seconds=0, audio_seconds=0, seed=seed, timeout_s=600)
        for seed in SEEDS
    ]


def measure(name: str) -> list[dict[str, Any]]:
    """One line of the table for each task, printed, too; none where the encoder's wheel is not installed."""
    start = time.perf_counter()
    try:
        encoder = load_encoder(ENCODERS[name])
    except (FileNotFoundError, ModuleNotFoundError) as error:
        sys.stdout.write(f"{name:14}skipped: {error}\n")
        return []
    embedded = embed_all(encoder)
    seconds = time.perf_counter() - start
    runs = score_all(embedded)
    lines = []
    for number, one in enumerate(embedded):
        values = [run.track_a[number].value for run in runs]
        track_b = runs[0].track_b[number].value
        lines.append(
            {
                "name": name,
                "task": one.task.id,
                "track_a": round(float(np.mean(values)), 4),
                "track_b": round(track_b, 4),
            }
        )
        spread = float(np.std(values))
        sys.stdout.write(f"{name:14}{one.task.id:14}{np.mean(values):7.3f} ±{spread:.3f}{track_b:9.3f}\n")
    sys.stdout.write(f"{name:14}{'encoding':14}{seconds:7.1f} s\n")
    sys.stdout.flush()
    return lines


def main(arguments: list[str]) -> None:
    """Measure the encoders named, or all."""
    torch.set_num_threads(1)
    names = [argument for argument in arguments if not argument.startswith("-")] or list(ENCODERS)
    sys.stdout.write(f"{'encoder':14}{'task':14}{'track A':>7} (sd) {'track B':>9}\n")
    scores = [line for name in names for line in measure(name)]
    if "--write" in arguments and {line["name"] for line in scores} == set(ENCODERS):
        document = {
            "quick_set_version": QUICK_SET_VERSION,
            "fingerprints": {task.id: fingerprint(quick_clips(task.id)) for task in quick_tasks()},
            "scores": scores,
        }
        REFERENCES.parent.mkdir(exist_ok=True)
        REFERENCES.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        sys.stdout.write(f"wrote {REFERENCES.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
