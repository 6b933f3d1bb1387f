"""What the scorer process is asked: embeddings and labels of one task, in a folder without pickle.

The folder holds `job.json` and one `.npy` file for each array of each part. Embeddings that lie on disk already are
named by their path instead of being copied.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from audio_encoder_checker.evaluation.tasks import Task, as_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

JOB_FILE = "job.json"


@dataclass(frozen=True, eq=False)
class Part:
    """The items of one split or fold. An item is a clip, or one crop of it.

    Attributes:
        x: embeddings, float32: [N, D] pooled over frames, or [F, D], all frames of all items, for the frame kinds.
        y: labels: int64 [N] (clip-class), uint8 [N, C] (clip-multilabel), float32 [N, C] (clip-regression), int64 [F]
            with -1 for frames without a label (frame-class), uint8 [F, C] (frame-multilabel). Labels of frames go on
            where an event outlasts its item.
        texts: N lists of captions (retrieval), or N transcripts (asr); `y` is None then.
        offsets: int64 [N + 1], where the frames of each item begin and end; for the frame kinds and asr.
        label_offsets: the same for `y`; for the frame kinds.
        kept: bool [N], the items that X-ARES trains and tests on (quirk 2); None for all.
        clip: int64 [N], the clip that each item was cut from; None where each item is a clip.
        true_x: like `x`, without the frames that lie behind a clip's own end; only for `corrected`.
        true_frames: int64 [N], frames that are the item's own; only for `corrected`.
    """

    x: NDArray[np.float32] | Path
    y: NDArray[Any] | None = None
    texts: tuple[Any, ...] | None = None
    offsets: NDArray[np.int64] | None = None
    label_offsets: NDArray[np.int64] | None = None
    kept: NDArray[np.bool_] | None = None
    clip: NDArray[np.int64] | None = None
    true_x: NDArray[np.float32] | Path | None = None
    true_frames: NDArray[np.int64] | None = None

    @property
    def items(self) -> int:
        """How many items it has, once its arrays are read."""
        return len(self.x if self.offsets is None else self.offsets[1:])  # type: ignore[arg-type]  # no path by now


class Round(NamedTuple):
    """One training and its test, by names of parts; k folds make k of them."""

    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ScoringJob:
    """Everything the scorer has to know of one task.

    Attributes:
        task: to score, under both tracks where it counts for both.
        parts: splits or folds by name.
        rounds: what is trained and tested on what.
        hop_ms: declared time from frame to frame, for the frame kinds.
        neighbours: k of track B.
        temperature: of track B.
        seed: of initial weights, shuffling and bootstrap.
        corrected: figures without X-ARES's quirks are wanted, too.
    """

    task: Task
    parts: Mapping[str, Part]
    rounds: tuple[Round, ...]
    hop_ms: float
    neighbours: int
    temperature: float
    seed: int
    corrected: bool = False


def write_job(folder: Path, job: ScoringJob) -> None:
    """Write a job into an existing folder.

    Raises:
        OSError: it cannot be written.
    """
    parts = {name: _write_part(folder, f"{number}", part) for number, (name, part) in enumerate(job.parts.items())}
    data = {one.name: getattr(job, one.name) for one in fields(job)} | {"task": asdict(job.task), "parts": parts}
    (folder / JOB_FILE).write_text(json.dumps(data), encoding="utf-8")


def _write_part(folder: Path, stem: str, part: Part) -> dict[str, Any]:
    import numpy as np

    written: dict[str, Any] = {}
    for one in fields(part):
        value = getattr(part, one.name)
        if value is None or one.name == "texts":
            written[one.name] = value
        elif isinstance(value, Path):
            written[one.name] = str(value.absolute())
        else:
            written[one.name] = f"{stem}.{one.name}.npy"
            np.save(folder / written[one.name], value, allow_pickle=False)
    return written


def read_job(folder: Path) -> ScoringJob:
    """Read what `write_job` wrote; large arrays stay on disk until they are used.

    Raises:
        OSError: it cannot be read.
        KeyError, TypeError, ValueError: it is something else.
    """
    data = json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))
    data["task"] = as_task(data["task"])
    data["parts"] = {name: _read_part(folder, written) for name, written in data["parts"].items()}
    data["rounds"] = tuple(Round(*(tuple(names) for names in one)) for one in data["rounds"])
    return ScoringJob(**data)


def _read_part(folder: Path, written: Mapping[str, Any]) -> Part:
    import numpy as np

    arrays = {
        name: np.load(folder / path, mmap_mode="r", allow_pickle=False)
        for name, path in written.items()
        if path is not None and name != "texts"
    }
    texts = written.get("texts")
    return Part(**arrays, texts=None if texts is None else tuple(texts))
