"""What encoding costs over the encoder's own compute: reading, resampling, batching, the box, pooling, the store.

Run it as `python benchmarks/encode.py [CLIPS]`. Clips of 5 s at 44.1 kHz as FLAC in a shard, batches of 16, encoders of
`tests/encoders`. The encoder's own compute is the same batches, made beforehand, through the same encoder in a plain
process with as many threads; minimum of four rounds each. Target: 1.15.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import soundfile

from audio_encoder_checker.evaluation.batches import Progress, make_batches
from audio_encoder_checker.evaluation.clips import Position
from audio_encoder_checker.evaluation.encode import Manner, embed
from audio_encoder_checker.evaluation.shards import read_clips
from audio_encoder_checker.evaluation.store import PartStore
from audio_encoder_checker.evaluation.tasks import all_tasks
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.sandbox.ask import Session
from audio_encoder_checker.sandbox.box import limits_of
from audio_encoder_checker.sandbox.choose import choose_box
from audio_encoder_checker.sandbox.sweep import subfolder, workspace
from audio_encoder_checker.stages.batchwise import Batchwise
from audio_encoder_checker.stages.load import Target, load_encoder

ROOT = Path(__file__).parent.parent
ENCODERS = ("silero", "resemblyzer", "crepe", "logmel")
RATE, SECONDS = 44100, 5
TASK = all_tasks()["esc50"]
OWN = """
import sys, time, json
import numpy as np, torch
sys.path.insert(0, sys.argv[1])
import encoder as module
(name,) = (name for name in dir(module) if name.endswith("Encoder"))
encoder = getattr(module, name)()
batches = np.load(sys.argv[2])
seconds = []
for _ in range(4):
    start = time.perf_counter()
    with torch.inference_mode():
        for batch in batches:
            encoder(torch.from_numpy(batch))
    seconds.append(time.perf_counter() - start)
print(json.dumps(min(seconds)))
"""


def write_shard(path: Path, clips: int) -> None:
    """Noise and tones, as FLAC."""
    draw = np.random.default_rng(0)
    time_s = np.arange(RATE * SECONDS) / RATE
    with tarfile.open(path, "w") as tar:
        for number in range(clips):
            tone = 0.3 * np.sin(2 * np.pi * draw.uniform(100, 4000) * time_s)
            audio = io.BytesIO()
            soundfile.write(audio, tone + 0.1 * draw.standard_normal(len(tone)), RATE, format="flac")
            files = (("flac", audio.getvalue()), ("json", json.dumps({"label": "x"}).encode()))
            for suffix, content in files:
                member = tarfile.TarInfo(f"clip{number}.{suffix}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def own_compute(repository: Path, shard: Path, folder: Path) -> float:
    """Seconds of the encoder alone."""
    clips = read_clips(TASK, (shard,), Position(), [])
    batches = make_batches(clips, 16000, TASK.encoding, Progress(Position()), every_crop=False)
    np.save(folder / "batches.npy", np.stack([batch.audio for batch in batches]))
    command = [sys.executable, "-c", OWN, str(repository), str(folder / "batches.npy")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds: float = json.loads(ended.stdout.splitlines()[-1])
    return seconds


def whole(repository: Path, shard: Path, folder: Path) -> float:
    """Seconds from the shard to pooled embeddings on disk, the encoder loaded beforehand."""
    rules = load_rules()
    limits = rules.limits
    box, _ = choose_box("auto", trust=True, repository=repository, gpu=False)
    with Session(box, repository, subfolder(folder), limits_of(rules), "cpu") as session:
        _, encoder = load_encoder(session, Target("encoder.py", "encoder"), limits.load_s)
        if encoder is None:
            raise RuntimeError(f"{repository} does not load")
        asked = Batchwise(session, int(encoder.number("output_dim") or 0), 16000, limits.call_s)
        manner = Manner(TASK, 16000, encoder.number("hop_size_in_ms") or 1.0)
        seconds = []
        for number in range(4):
            start = time.perf_counter()
            with PartStore(folder / f"store{number}") as store:
                embed(store, lambda at, bad: read_clips(TASK, (shard,), at, bad), asked.encode, manner, lambda _n: None)
            seconds.append(time.perf_counter() - start)
    return min(seconds)


def main(clips: int) -> None:
    """Print a line for each encoder."""
    for name in ENCODERS:
        with workspace() as folder:
            shard, repository = folder / "a.tar", folder / "repository"
            repository.mkdir()
            source = (ROOT / "tests" / "encoders" / f"{name}_encoder.py").read_text(encoding="utf-8")
            (repository / "encoder.py").write_text(source, encoding="utf-8")
            write_shard(shard, clips)
            alone, together = own_compute(repository, shard, folder), whole(repository, shard, folder)
            print(f"{name:14}{clips} clips of {SECONDS} s: encoder alone {alone:.2f} s, whole {together:.2f} s, "
                  f"{together / alone:.2f}")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 128)
