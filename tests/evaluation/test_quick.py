from __future__ import annotations

import json
import os
import stat
import sys
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evaluation import cache as cache_module
from audio_encoder_checker.evaluation import quick
from audio_encoder_checker.evaluation.clips import TEST, TRAIN, VALID, Clips, Event
from audio_encoder_checker.evaluation.labels import as_array, class_names
from audio_encoder_checker.evaluation.quick import QUICK_SET_VERSION, fingerprint, quick_clips
from audio_encoder_checker.evaluation.quickset import music, scenes, signals, sound, speech, talk
from audio_encoder_checker.evaluation.quickset.signals import RATE_HZ, STEPS
from audio_encoder_checker.evaluation.tasks import all_tasks, quick_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.tasks import Task

QUICK_TASKS = [task.id for task in quick_tasks()]
BALANCED = [task.id for task in quick_tasks() if task.kind == "clip-class"]
REFERENCES = json.loads(
    (resources.files("audio_encoder_checker") / "resources" / "references" / "quick.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder for the tests of this file, in whatever worker: the first use of a task generates it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "quick" / "not" / "yet"
    before = os.environ.get(cache_module.CACHE_VARIABLE)
    os.environ[cache_module.CACHE_VARIABLE] = str(folder)
    yield folder
    if before is None:
        del os.environ[cache_module.CACHE_VARIABLE]
    else:
        os.environ[cache_module.CACHE_VARIABLE] = before


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that nobody else looks at."""
    monkeypatch.setenv(cache_module.CACHE_VARIABLE, str(tmp_path / "own"))
    return tmp_path / "own"


def same(one: Clips, other: Clips) -> bool:
    return (
        np.array_equal(one.audio, other.audio)
        and json.dumps(one.labels) == json.dumps(other.labels)
        and np.array_equal(one.split, other.split)
        and one.sampling_rate == other.sampling_rate
    )


def file_of(cache: Path, task_id: str) -> Path:
    return cache / f"{task_id}-{QUICK_SET_VERSION}.npz"


@pytest.mark.parametrize("task_id", QUICK_TASKS)
def test_what_is_cached_is_what_is_generated_a_second_time_bit_by_bit(
    task_id: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = quick_clips(task_id)
    assert file_of(cache, task_id).exists()
    if task_id in ("quick-rooms", "quick-captions", "quick-events"):
        assert same(quick_clips(task_id), quick.MAKERS[task_id]())
        return
    first = first_clips(task_id, monkeypatch)
    assert np.array_equal(quick_clips(task_id).audio, clips.audio)
    assert np.array_equal(clips.audio[: len(first)], first)


def first_clips(task_id: str, monkeypatch: pytest.MonkeyPatch, count: int = 24) -> NDArray[np.float32]:
    """The first clips of a task, generated: each depends on its own number only."""
    made: list[NDArray[np.float32]] = []

    class EnoughError(Exception):
        pass

    def recorded(*words: Any) -> NDArray[np.float32]:
        if len(made) == count:
            raise EnoughError
        made.append(signals.record(*words))
        return made[-1]

    for module in (music, scenes, sound, speech, talk):
        monkeypatch.setattr(module, "record", recorded)
    with pytest.raises(EnoughError):
        quick.MAKERS[task_id]()
    return signals.assemble(made, [0] * count, np.zeros(count, dtype=np.uint8)).audio


@pytest.mark.parametrize("task_id", QUICK_TASKS)
def test_clips_are_what_the_reference_scores_were_measured_on(task_id: str) -> None:
    assert REFERENCES["quick_set_version"] == QUICK_SET_VERSION
    assert fingerprint(quick_clips(task_id)) == pytest.approx(REFERENCES["fingerprints"][task_id], rel=1e-3), (
        "the audio changed: raise QUICK_SET_VERSION and run `python benchmarks/quick_references.py --write`"
    )


@pytest.mark.parametrize("task_id", QUICK_TASKS)
def test_audio_is_finite_and_audible_and_never_clips(task_id: str) -> None:
    clips = quick_clips(task_id)
    assert clips.audio.dtype == np.float32
    assert clips.sampling_rate == 16000
    assert np.isfinite(clips.audio).all()
    assert np.abs(clips.audio).max() < 1
    power_db = 10 * np.log10(np.square(clips.audio).mean(axis=1))
    assert power_db.min() > -35  # a click that must not clip is soft on the whole
    assert power_db.max() < -12


@pytest.mark.parametrize("task_id", BALANCED)
def test_classes_are_balanced_in_every_split_and_labels_follow_no_pattern(task_id: str) -> None:
    clips, task = quick_clips(task_id), all_tasks()[task_id]
    labels = np.array(clips.labels)
    for split in (TRAIN, VALID, TEST):
        counts = Counter(labels[clips.split == split].tolist())
        assert set(counts) == set(range(task.classes))
        assert max(counts.values()) - min(counts.values()) <= 1
    for period in range(1, 2 * task.classes):
        assert (labels[:-period] == labels[period:]).mean() < 1 / task.classes + 0.15


@pytest.mark.parametrize("task", quick_tasks(), ids=lambda task: str(task.id))
def test_labels_are_of_the_tasks_kind_and_every_class_is_heard_in_every_split(task: Task) -> None:
    clips = quick_clips(task.id)
    if task.kind == "retrieval":
        assert all(len(set(label)) == 5 for label in clips.labels)
        return
    names = () if task.kind == "clip-regression" else class_names(task, clips.labels)
    for split in (TRAIN, VALID, TEST):
        labels = [label for label, own in zip(clips.labels, clips.split, strict=True) if own == split]
        frames = [round(clips.audio.shape[1] / 160)] * len(labels) if task.per_frame else None
        array = as_array(task, names, labels, frames, 10.0)
        if task.kind == "clip-regression":
            assert (array.min() >= 0, array.max() <= 1, array.std() > 0.2) == (True, True, True)
        elif split != VALID:
            found = (
                set(array[array >= 0].tolist()) if array.ndim == 1 else set(np.flatnonzero(array.any(axis=0)).tolist())
            )
            assert found == set(range(task.classes))


@pytest.mark.parametrize("task_id", QUICK_TASKS)
def test_no_clip_occurs_twice(task_id: str) -> None:
    clips = quick_clips(task_id)
    assert len({clip.tobytes() for clip in clips.audio}) == len(clips.audio)


def test_the_set_is_short_enough_for_a_preview() -> None:
    minutes = sum(quick_clips(task.id).audio.size for task in quick_tasks()) / 16000 / 60
    assert 28 <= minutes <= 31.25  # 60 MB in 16 bits


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(UsageError, match="quick-smell"):
        quick_clips("quick-smell")


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def written_anew(**changed: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Path], None]:
    """A change of some arrays of a cache file, which stays a good archive."""

    def damage(path: Path) -> None:
        with np.load(path) as file:
            arrays = dict(file)
        np.savez(path, **arrays | {name: change(arrays[name]) for name, change in changed.items()})

    return damage


def without_split(path: Path) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    del arrays["split"]
    np.savez(path, **arrays)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": half,
    "a sample": written_anew(audio=lambda array: array + (np.arange(array.size).reshape(array.shape) == 75)),
    "a label": written_anew(labels=lambda array: np.array(str(array).replace("1", "2"))),
    "splits": written_anew(split=lambda array: array[::-1]),
    "a shape": written_anew(audio=lambda array: array.reshape(array.shape[::-1])),
    "a type": written_anew(audio=lambda array: array.view(np.uint16)),
    "an array": without_split,
    "format": lambda path: path.write_bytes(b"no archive at all"),
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.fixture
def events(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Clips:
    """What `quick-events` is made of for a moment: clips that cost nothing to make, and are not those cached before."""
    own_cache.mkdir()
    audio = (np.arange(-60, 60, dtype=np.float32).reshape(12, 10) * 17) / np.float32(STEPS)
    labels = tuple((Event(0.0, 0.5, number),) for number in range(12))
    clips = Clips(audio, RATE_HZ, labels, np.arange(12, dtype=np.uint8) % 3)
    monkeypatch.setitem(quick.MAKERS, "quick-events", lambda: clips)
    return clips


def test_a_cache_is_read_and_not_made_again(events: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    assert quick_clips("quick-events") is events
    monkeypatch.setitem(quick.MAKERS, "quick-events", lambda: pytest.fail("it is made again"))
    found = quick_clips("quick-events")
    assert same(found, events)
    assert [str(array.dtype) for array in (found.audio, found.split)] == ["float32", "uint8"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_made_again(damage: str, own_cache: Path, events: Clips) -> None:
    quick_clips("quick-events")
    path = file_of(own_cache, "quick-events")
    before = path.read_bytes()
    DAMAGES[damage](path)
    assert path.read_bytes() != before
    assert quick_clips("quick-events") is events
    assert path.read_bytes() == before
    assert [file.name for file in own_cache.iterdir() if file.suffix == ".tmp"] == []


def test_a_cache_that_holds_a_pickle_is_not_opened(own_cache: Path, events: Clips) -> None:
    np.savez(file_of(own_cache, "quick-events"), audio=np.array([print], dtype=object), digest=np.array(""))
    assert quick_clips("quick-events") is events


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: Clips
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(cache_module.CACHE_VARIABLE, str(tmp_path / "file" / "folder"))
    assert quick_clips("quick-events") is events


def test_a_write_that_fails_leaves_nothing_half_written(own_cache: Path, events: Clips) -> None:
    path = file_of(own_cache, "quick-events")
    path.mkdir(parents=True)
    assert quick_clips("quick-events") is events
    assert [file.name for file in own_cache.iterdir() if file.suffix == ".tmp"] == []
    path.rmdir()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
@pytest.mark.usefixtures("events")
def test_the_cache_is_nobody_elses_to_write(own_cache: Path) -> None:
    quick_clips("quick-events")
    mode = stat.S_IMODE(file_of(own_cache, "quick-events").stat().st_mode)
    assert mode & 0o022 == 0


def test_without_a_named_folder_the_users_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache_module.CACHE_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_module.cache_folder().name == "audio-encoder-checker"
