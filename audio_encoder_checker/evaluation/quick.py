"""The clips of the built-in quick set: generated on first use, kept in the user's cache folder, never downloaded."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evaluation.cache import cache_folder
from audio_encoder_checker.evaluation.clips import Clips
from audio_encoder_checker.evaluation.quickset import music, scenes, sound, speech, talk
from audio_encoder_checker.evaluation.quickset.signals import RATE_HZ, STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

QUICK_SET_VERSION = "4"
"""Raised with every change of what is heard; the cache and the reference scores carry it."""
MAKERS = {
    "quick-words": speech.make_words,
    "quick-speaker": talk.make_speaker,
    "quick-language": talk.make_language,
    "quick-phones": talk.make_phones,
    "quick-spoof": talk.make_spoof,
    "quick-count": talk.make_count,
    "quick-events": sound.make_events,
    "quick-textures": scenes.make_textures,
    "quick-scenes": scenes.make_scenes,
    "quick-rooms": scenes.make_rooms,
    "quick-captions": scenes.make_captions,
    "quick-pitch": music.make_pitch,
    "quick-instruments": music.make_instruments,
    "quick-notes": music.make_notes,
}


def quick_clips(task_id: str) -> Clips:
    """The clips of a task of the quick set; the same on every call, from the cache after the first.

    A cache that is damaged is made again, one that cannot be written is done without.

    Raises:
        UsageError: there is no such task.
    """
    if task_id not in MAKERS:
        raise UsageError(f"there is no quick task {task_id!r}", f"choose one of {', '.join(MAKERS)}")
    path = cache_folder() / f"{task_id}-{QUICK_SET_VERSION}.npz"
    cached = _read(path)
    if cached is not None:
        return cached
    clips = MAKERS[task_id]()
    with contextlib.suppress(OSError):  # a full disk or a read-only home costs seconds, not the evaluation
        _write(path, clips)
    return clips


def _read(path: Path) -> Clips | None:
    """The clips in a cache file, None if it is not there, damaged or something else."""
    import numpy as np

    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("audio", "labels", "split")}
            if str(file["digest"]) != _digest(arrays):
                return None
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    audio = arrays["audio"].astype(np.float32) / np.float32(STEPS)
    return Clips(audio, RATE_HZ, tuple(json.loads(str(arrays["labels"]))), arrays["split"])


def _write(path: Path, clips: Clips) -> None:
    """Write a cache file in one move, so that a run beside this one finds all of it or nothing.

    Raises:
        OSError: it cannot be written.
    """
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.round(clips.audio * STEPS).astype(np.int16)
    labels = np.array(json.dumps(clips.labels))
    arrays: dict[str, NDArray[np.generic]] = {"audio": samples, "labels": labels, "split": clips.split}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, digest=np.array(_digest(arrays)), **arrays)  # type: ignore[arg-type]  # its stub is odd
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _digest(arrays: Mapping[str, NDArray[np.generic]]) -> str:
    """SHA-256 over names, types, shapes and contents."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def fingerprint(clips: Clips) -> list[float]:
    """Mean magnitude of a few clips, the same on every machine to four digits: tells one version from another."""
    import numpy as np

    chosen = clips.audio[:: len(clips.audio) // 8]
    return [round(float(value), 6) for value in np.abs(chosen).mean(axis=1)]
