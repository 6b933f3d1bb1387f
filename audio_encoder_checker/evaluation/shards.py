"""X-ARES shards on disk: tar files of `<key>.<audio>` and `<key>.json`, read one clip at a time, never unpacked."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evaluation.clips import SPLITS, Clip, Position
from audio_encoder_checker.evaluation.documents import read_object, write_object
from audio_encoder_checker.evaluation.job import Round
from audio_encoder_checker.evaluation.labels import LabelError, read_label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.encode import Problems
    from audio_encoder_checker.evaluation.tasks import Task

AUDIO = ("flac", "mp3", "sox", "wav", "m4a", "ogg", "wma")
"""What X-ARES takes for audio, in its order."""
DECODED = ("flac", "mp3", "wav", "ogg")
LARGEST_MEMBER = 1 << 30
"""Bytes of one recording or document: more is no clip."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Sample:
    """Where the files of one clip lie in a shard: offset and size in bytes by suffix."""

    key: str
    files: dict[str, tuple[int, int]]
    twice: bool = False


def shards_of(root: Path, task: Task, *, mini: bool) -> dict[str, tuple[Path, ...]]:
    """The shards of each part of a task, sorted (quirk 26); a part without any is there, too.

    Parts are named after splits, or after folds by their numbers. Splits that share their shards share a part.
    """
    folder = root / task.folder
    layout = task.layout
    if layout.folds:
        named: dict[str, tuple[str, ...]] = {f"fold {n}": (prefix,) for n, prefix in enumerate(layout.folds, 1)}
    else:
        named = {split: (getattr(layout, split),) for split in SPLITS}
        named.update({split: prefixes for split, prefixes in layout.mini.items() if mini})
    found = {name: _matching(folder, prefixes) for name, prefixes in named.items()}
    return {parts_of(task)[name]: shards for name, shards in found.items()}


def parts_of(task: Task) -> dict[str, str]:
    """The part of each split or fold: the first split with the same shards."""
    layout = task.layout
    if layout.folds:
        return {f"fold {number}": f"fold {number}" for number in range(1, len(layout.folds) + 1)}
    prefixes = {split: getattr(layout, split) for split in SPLITS}
    return {split: next(one for one in SPLITS if prefixes[one] == own) for split, own in prefixes.items()}


def rounds_of(task: Task) -> tuple[Round, ...]:
    """What is trained and tested on what; a fold is validation and test data at once (quirk 5)."""
    parts = parts_of(task)
    if task.layout.folds:
        return tuple(Round(tuple(other for other in parts if other != one), (one,), (one,)) for one in parts)
    return (Round(*((parts[split],) for split in SPLITS)),)


def _matching(folder: Path, prefixes: tuple[str, ...]) -> tuple[Path, ...]:
    if not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.glob("*.tar") if path.name.startswith(prefixes)))


def list_samples(shard: Path) -> tuple[list[Sample], str]:
    """The table of contents of a shard, and why it ends too early, empty if it does not.

    Only plain files count; a second clip of the same key is marked.
    """
    samples: dict[str, Sample] = {}
    again: list[Sample] = []
    problem = ""
    previous = ""
    try:
        with tarfile.open(shard, "r:") as tar:
            for member in tar:
                key, _, suffix = member.name.rpartition("/")[2].partition(".")
                if not member.isfile() or not suffix:
                    continue
                place = (member.offset_data, member.size)
                suffix = suffix.rpartition(".")[2].lower()
                one = samples.setdefault(key, Sample(key, {}))
                if suffix in one.files or (one.files and previous != key):
                    again.append(Sample(key, {suffix: place}, twice=True))
                else:
                    one.files[suffix] = place
                previous = key
            if not _ends(shard, tar.offset):
                problem = f"the shard is cut short after {shard.stat().st_size} bytes"
    except (tarfile.TarError, OSError, EOFError) as error:
        problem = f"the shard cannot be read to its end: {error}"
    return [*samples.values(), *again], problem


def _ends(shard: Path, offset: int) -> bool:
    """Whether an archive ends where its last member does: with a block of zeros."""
    with shard.open("rb") as file:
        file.seek(offset)
        return file.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)


def count_clips(shards: tuple[Path, ...]) -> int:
    """How many clips some shards hold, readable or not."""
    return sum(len(list_samples(shard)[0]) for shard in shards)


def read_clips(task: Task, shards: tuple[Path, ...], start: Position, problems: Problems) -> Iterator[Clip]:
    """The clips of some shards from a position on; what cannot be read is noted and passed over."""
    for number, shard in list(enumerate(shards))[start.shard :]:
        samples, broken = list_samples(shard)
        first = start.sample if number == start.shard else 0
        if broken:
            problems.append((shard.name, "", broken))
        with shard.open("rb") as file:
            for place, sample in list(enumerate(samples))[first:]:
                try:
                    label = _label(task, file, sample)
                    audio, rate = _audio(file, sample)
                except (LabelError, DamagedError) as error:
                    problems.append((shard.name, sample.key, str(error)))
                    continue
                yield Clip(sample.key, audio, rate, label, shard.name, Position(number, place + 1))


class DamagedError(Exception):
    """A clip that cannot be read; the text says why."""


def _label(task: Task, file: io.BufferedReader, sample: Sample) -> Any:
    if sample.twice:
        raise DamagedError("the shard holds another clip of this key")
    if "json" not in sample.files:
        raise DamagedError("there is no JSON document beside it")
    try:
        document = json.loads(_bytes(file, *sample.files["json"]))
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"its JSON document cannot be read: {error}") from None
    return read_label(task, document)


def _audio(file: io.BufferedReader, sample: Sample) -> tuple[NDArray[np.float32], int]:
    """One channel [samples] and its rate; X-ARES resamples each channel first, which is the same up to rounding."""
    import soundfile

    suffix = next((one for one in AUDIO if one in sample.files), "")
    if not suffix:
        raise DamagedError(f"there is no audio beside it ({', '.join(AUDIO)})")
    if suffix not in DECODED:
        raise DamagedError(
            f"libsndfile reads no {suffix}; convert it, `ffmpeg -i {sample.key}.{suffix} {sample.key}.flac`"
        )
    try:
        audio, rate = soundfile.read(io.BytesIO(_bytes(file, *sample.files[suffix])), dtype="float32")
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise DamagedError(f"its audio cannot be decoded: {error}") from None
    if not len(audio):
        raise DamagedError("its audio is empty")
    return (audio.mean(axis=1) if audio.ndim == 2 else audio), int(rate)


def _bytes(file: io.BufferedReader, offset: int, size: int) -> bytes:
    if size > LARGEST_MEMBER:
        raise DamagedError(f"{size} bytes are no clip")
    file.seek(offset)
    content = file.read(size)
    if len(content) < size:
        raise DamagedError("the shard ends within it")
    return content


def digest_of(shards: tuple[Path, ...], index: Path) -> str:
    """SHA-256 over names and contents of some shards.

    Args:
        shards: of a part.
        index: a file that remembers the digest of each shard by path, size and time, so that it is read once.
    """
    known = read_object(index)
    total = hashlib.sha256()
    for shard in shards:
        status = shard.stat()
        identity = f"{shard.absolute()} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
        if identity not in known:
            known[identity] = _content_digest(shard)
            with contextlib.suppress(OSError):  # without it shards are read once more
                index.parent.mkdir(parents=True, exist_ok=True)
                write_object(index, known)
        total.update(f"{shard.name} {known[identity]}\n".encode())
    return total.hexdigest()


def _content_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
