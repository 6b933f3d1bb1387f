"""From what stands beside a clip to what a probe learns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evaluation.clips import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.tasks import Labels, Task

NO_LABEL = -1
"""Of a frame that has none."""
BEGIN, END = ("onset", "start"), ("offset", "end")
WHAT = ("label", "note", "phone")
"""Keys of an event in DESED, MAESTRO and phone intervals."""


class LabelError(Exception):
    """A label that does not fit its task; the text says why."""


def read_label(task: Task, document: Any) -> Any:
    """The label of one clip, as `clips.Clip.label` tells, from the JSON document beside it.

    Raises:
        LabelError: it is missing, of another type, or unknown.
    """
    found = document
    if task.labels.field:
        if not isinstance(document, dict) or task.labels.field not in document:
            raise LabelError(f"the JSON document has no field {task.labels.field!r}")
        found = document[task.labels.field]
    try:
        return READERS[task.kind](task.labels, found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LabelError(f"the label is not what a {task.kind} task has: {type(error).__name__}: {error}") from None


def _class(labels: Labels, found: Any) -> Any:
    """One class; numbers stay numbers where the data alone names the classes."""
    if not isinstance(found, (str, int, bool)):
        raise TypeError(f"expected a text or a number, found {type(found).__name__}")
    if not labels.names:
        return found
    name = labels.aliases.get(str(found), str(found))
    if name in labels.names or name in labels.aliases.values():
        return name
    if labels.otherwise:
        return labels.otherwise
    raise LabelError(f"the label {found!r} is none of the task's {len(labels.names)} classes")


def _classes(labels: Labels, found: Any) -> tuple[Any, ...]:
    names = found.split(labels.separator) if isinstance(found, str) else found
    return tuple(_class(labels, name) for name in names)


def _numbers(labels: Labels, found: Any) -> tuple[float, ...]:
    values = [found[name] for name in labels.names] if labels.names else found
    numbers = tuple(float(value) / labels.scale for value in values)
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a number is not finite")
    return numbers


def _events(labels: Labels, found: Any) -> tuple[Event, ...]:
    """Each class of each event on its own; an event whose class is aliased to nothing is passed over."""
    events = []
    for one in found:
        start, end, what = (_first(one, keys) for keys in (BEGIN, END, WHAT))
        names = what.split(labels.separator) if labels.separator else [what]
        for name in names:
            bare = name.rstrip("012") if isinstance(name, str) and "phone" in one else name  # stress of ARPAbet
            known = _class(labels, bare)
            if known != "":
                events.append(Event(float(start), float(end), known))
    return tuple(events)


def _first(mapping: Mapping[str, Any], keys: Iterable[str]) -> Any:
    for key in keys:
        if key in mapping:
            return mapping[key]
    raise KeyError(" or ".join(keys))


def _captions(_labels: Labels, found: Any) -> tuple[str, ...]:
    captions = tuple(found.values() if isinstance(found, dict) else found)
    if not captions or not all(isinstance(caption, str) for caption in captions):
        raise TypeError("expected captions")
    return captions


def _text(_labels: Labels, found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError("expected a text")
    return found


READERS: dict[str, Callable[[Labels, Any], Any]] = {
    "clip-class": _class,
    "clip-multilabel": _classes,
    "clip-regression": _numbers,
    "frame-class": _events,
    "frame-multilabel": _events,
    "retrieval": _captions,
    "asr": _text,
}


def _classes_of(label: Any) -> list[Any]:
    """All classes that a label names."""
    if not isinstance(label, (list, tuple)):
        return [label]
    return [one[2] if isinstance(one, (list, tuple)) else one for one in label]


def class_names(task: Task, labels: Iterable[Any]) -> tuple[Any, ...]:
    """The classes in the order of their numbers: the task's, or the sorted ones found in all its data.

    Raises:
        LabelError: more are found than the task has.
    """
    if task.labels.names:
        return task.labels.names
    found = {name for label in labels for name in _classes_of(label)}
    if len(found) > task.classes:
        raise LabelError(f"{len(found)} classes are found, the task has {task.classes}")
    return tuple(sorted(found, key=lambda name: (not isinstance(name, int), name)))


def missing_from_training(names: Sequence[Any], train: Iterable[Any], test: Iterable[Any]) -> tuple[str, ...]:
    """The classes that are tested and cannot be learnt, in the order of their numbers."""
    learnt, tested = ({name for label in labels for name in _classes_of(label)} for labels in (train, test))
    return tuple(str(name) for name in names if name in tested - learnt)


def label_frames(labels: Sequence[Any], frames: Sequence[int], hop_ms: float) -> list[int]:
    """How many frames each item's labels have: its own, or more where an event outlasts them.

    X-ARES cuts labels to the longest item of a batch only, so a shorter item's padding can have labels.
    """
    ends = (max((one[1] for one in label), default=0.0) for label in labels)
    return [max(own, _frame(end, hop_ms)) for own, end in zip(frames, ends, strict=True)]


def as_array(
    task: Task, names: Sequence[Any], labels: Sequence[Any], frames: Sequence[int] | None, hop_ms: float
) -> NDArray[Any]:
    """What a probe learns of some items; shapes and types as in `job.Part.y`.

    Args:
        task: tells the kind.
        names: see `class_names`.
        labels: one for each item.
        frames: of each item's labels, for the frame kinds; see `label_frames`.
        hop_ms: from frame to frame, for the frame kinds.

    Raises:
        LabelError: a label does not fit.
    """
    import numpy as np

    number = {name: place for place, name in enumerate(names)}
    try:
        if task.kind == "clip-regression":
            return _regression(task, labels)
        if task.kind == "clip-class":
            return np.array([number[label] for label in labels], dtype=np.int64)
        if task.kind == "clip-multilabel":
            hot = np.zeros((len(labels), task.classes), dtype=np.uint8)
            for row, label in zip(hot, labels, strict=True):
                row[[number[name] for name in label]] = 1
            return hot
        fill = _frame_classes if task.kind == "frame-class" else _frame_events
        items = zip(labels, frames or (), strict=True)
        return np.concatenate([fill(task, number, label, count, hop_ms) for label, count in items])
    except KeyError as error:
        raise LabelError(f"the label {error} is none of the task's classes") from None


def _regression(task: Task, labels: Sequence[Any]) -> NDArray[np.float32]:
    import numpy as np

    if any(len(label) != task.classes for label in labels):
        raise LabelError(f"expected {task.classes} numbers for each clip")
    return np.array(labels, dtype=np.float32).reshape(len(labels), task.classes)


def _frame_events(
    task: Task, number: Mapping[Any, int], label: Sequence[Any], count: int, hop_ms: float
) -> NDArray[np.uint8]:
    """Marks [T, C]; begins and ends are rounded up to whole frames, as X-ARES does for DESED and MAESTRO (quirk 14)."""
    import numpy as np

    marks = np.zeros((count, task.classes), dtype=np.uint8)
    for start_s, end_s, name in label:
        marks[_frame(start_s, hop_ms) : _frame(end_s, hop_ms), number[name]] = 1
    return marks


def _frame(seconds: float, hop_ms: float) -> int:
    return math.ceil(seconds / (hop_ms / 1000))


def _frame_classes(
    _task: Task, number: Mapping[Any, int], label: Sequence[Any], count: int, hop_ms: float
) -> NDArray[np.int64]:
    """The class at the middle of each frame [T]."""
    import numpy as np

    middle = (np.arange(count) + 0.5) * hop_ms / 1000
    classes = np.full(count, NO_LABEL, dtype=np.int64)
    for start_s, end_s, name in label:
        classes[(middle >= start_s) & (middle < end_s)] = number[name]
    return classes
