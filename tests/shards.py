"""Small X-ARES shards of any task, with audio that a probe can learn."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from audio_encoder_checker.evaluation.tasks import all_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.tasks import Task

RATE = 16000
CAPTIONS = ("a low hum goes on", "something beeps", "a high tone is heard", "a shrill whistle")


def tone(kind: int, seconds: float, seed: int) -> NDArray[np.float32]:
    """A tone of one of four pitches in noise, [samples]."""
    draw = np.random.default_rng((kind, seed))
    time = np.arange(round(seconds * RATE)) / RATE
    wave = 0.3 * np.sin(2 * np.pi * (200, 600, 1500, 3500)[kind] * time) + 0.02 * draw.standard_normal(len(time))
    return wave.astype(np.float32)


def encoded(audio: NDArray[np.float32], suffix: str = "flac", rate: int = RATE) -> bytes:
    """An audio file."""
    file = io.BytesIO()
    soundfile.write(file, audio, rate, format=suffix)
    return file.getvalue()


def document(task: Task, kind: int, number: int) -> Any:
    """The JSON document beside a clip of one of four kinds."""
    names = task.labels.names
    name: Any = names[kind % len(names)] if names else f"class-{kind % max(task.classes, 1)}"
    by_kind: dict[str, Any] = {
        "frame-class": [{"start": 0.0, "end": 1.5, "phone": f"{name}1" if name in ("AA", "AE") else name}],
        "frame-multilabel": [{"onset": 0.1, "offset": 1.4, "label": str(name)}],
        "retrieval": {f"caption_{index}": f"{CAPTIONS[kind]} {index}" for index in range(1, 6)},
        "clip-regression": {one: float(2 * kind + 1) for one in names},
        "clip-multilabel": {task.labels.field: ";".join(f"class-{one}" for one in sorted({kind, number % 3}))},
        "asr": {task.labels.field: "a short text"},
    }
    if task.id == "maestro":
        return [{"start": 0.1, "end": 1.4, "note": int(name)}]
    numbers = {"num_speakers": kind, "pitch": 60 + kind, "broadcasting": kind % 2}
    return by_kind.get(task.kind, {task.labels.field: numbers.get(task.labels.field, name)})


def write_shard(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    """A tar file with these members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def clip_files(task: Task, number: int, kinds: int = 4, seconds: float = 1.5) -> list[tuple[str, bytes]]:
    """The two files of one clip; clips differ in length a little."""
    kind = number % kinds
    audio = tone(kind, seconds + 0.1 * (number % 3), number)
    return [
        (f"clip{number:03}.flac", encoded(audio)),
        (f"clip{number:03}.json", json.dumps(document(task, kind, number)).encode()),
    ]


def write_task(root: Path, task_id: str, clips: int = 24) -> Path:
    """All shards of a task, with so many clips in each; returns its folder."""
    task = all_tasks()[task_id]
    kinds = min(4, task.classes) if task.kind == "clip-class" else 4
    layout = task.layout
    prefixes = layout.folds or tuple(dict.fromkeys((layout.train, layout.valid, layout.test)))
    for index, prefix in enumerate(prefixes):
        numbers = range(index * clips, (index + 1) * clips)
        files = [file for number in numbers for file in clip_files(task, number, kinds)]
        write_shard(root / task.folder / f"{prefix}0000.tar", files)
    return root / task.folder
