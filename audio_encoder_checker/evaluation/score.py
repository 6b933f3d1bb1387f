"""Embeddings and labels in, scores of both tracks out; the work is done in a process of its own.

That process holds torch, which the parent does without, and no code of the submission, so that nobody can
reach the labels. See `scorer/`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evaluation.job import JOB_FILE, write_job
from audio_encoder_checker.evaluation.unscorable import UnscorableError
from audio_encoder_checker.evidence.scores import Measure, Projection, TaskScore

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType

    from audio_encoder_checker.evaluation.job import ScoringJob

COMMAND = (sys.executable, "-I", "-m", "audio_encoder_checker.evaluation.scorer")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
ENDING_S = 10.0
"""How long a process may take to end once it has said its last."""


class ScoredTask(NamedTuple):
    """One task's scores; track B is None where it does not count for it, the projection where there is none."""

    track_a: TaskScore
    track_b: TaskScore | None
    projection: Projection | None = None


class Scorer:
    """The scorer process; use it as a context manager.

    It starts at once, so that it is ready when the first task is encoded. A process that ends is started again for
    the next task.

    Args:
        parent: where its private folder is made, the system's temporary folder by default.

    Raises:
        MachineError: it does not start.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="aecc-scorer-", dir=parent)
        self._thread = ThreadPoolExecutor(1, "scorer")
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs = 0
        self._starting = Lock()
        self._over = False

    def __enter__(self) -> Scorer:
        """Start it."""
        try:
            self._start()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End it, whatever it is doing."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        with self._starting:
            self._over = True
            self._end()
        self._thread.shutdown()
        self._folder.cleanup()

    def submit(self, job: ScoringJob, timeout_s: float) -> Future[ScoredTask]:
        """Have one task scored; tasks are scored one after the other.

        The future raises `UnscorableError` if a score would mean nothing (the submission is to blame, not the
        machine), and `MachineError` if the scorer itself failed.

        Raises:
            OSError: the job cannot be written.
        """
        self._jobs += 1
        folder = Path(self._folder.name, str(self._jobs))
        folder.mkdir()
        write_job(folder, job)
        return self._thread.submit(self._score, job, folder, timeout_s)

    def _score(self, job: ScoringJob, folder: Path, timeout_s: float) -> ScoredTask:
        said = self._ask(folder, timeout_s)
        for file in folder.glob("*.npy"):  # labels lie there no longer than they must
            file.unlink()
        (folder / JOB_FILE).unlink()
        if "unscorable" in said:
            raise UnscorableError(job.task.id, said["unscorable"])
        track_b, seen = said["track_b"], said["projection"]
        return ScoredTask(
            _task_score(job, said["track_a"]),
            _task_score(job, track_b) if track_b else None,
            Projection(job.task.id, tuple(seen["shares"]), tuple(map(tuple, seen["points"]))) if seen else None,
        )

    def _ask(self, folder: Path, timeout_s: float) -> dict[str, Any]:
        lines: SimpleQueue[bytes] = SimpleQueue()
        with self._starting:  # or it might start behind the back of `__exit__`, and outlive it
            if not self._over and (self._process is None or self._process.poll() is not None):
                self._start()
            process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise MachineError("the process that computes scores does not run", "repeat on a less busy machine")
        try:
            process.stdin.write(json.dumps({"job": str(folder)}).encode() + b"\n")
            process.stdin.flush()
            Thread(target=_read_line, args=(process.stdout, lines), daemon=True).start()
            line = lines.get(timeout=timeout_s)
            said: dict[str, Any] = json.loads(line)
        except Empty:
            self._end()
            raise MachineError(
                f"computing the scores took longer than {timeout_s:g} s", "repeat on a less busy machine"
            ) from None
        except (OSError, ValueError):
            raise self._failure() from None
        return said

    def _start(self) -> None:
        self._end()  # of one that ended by itself the pipes are still open
        self._errors = Path(self._folder.name, "stderr").open("w+b")  # noqa: SIM115 - closed with the process
        try:
            self._process = subprocess.Popen(
                COMMAND,
                cwd=self._folder.name,
                env=os.environ | ONE_THREAD | {"TMPDIR": self._folder.name},  # torch leaves a cache folder there
                stdin=subprocess.PIPE,  # whose other end only we hold, so that it ends when we are killed
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except OSError as error:
            self._errors.close()
            raise MachineError(
                f"the process that computes scores does not start: {error}",
                "free some disk space and memory, then repeat",
            ) from None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()
        self._errors.close()

    def _failure(self) -> MachineError:
        """What the scorer died of; one that lives on after an answer that is none is ended."""
        try:
            how = f"ended with status {self._process.wait(ENDING_S) if self._process else 0}"
        except subprocess.TimeoutExpired:
            how = "gave no answer that can be understood"
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        self._end()
        return MachineError(
            f"the scorer {how}: {said[-1] if said else 'it said nothing'}",
            f"`{Path(sys.executable).name} -I -c 'import torch, audio_encoder_checker'` shows whether it can start",
        )


def _read_line(stream: IO[bytes], lines: SimpleQueue[bytes]) -> None:
    """Put a line, or nothing where the stream has ended or was closed meanwhile."""
    line = b""
    with contextlib.suppress(ValueError):
        line = stream.readline()
    lines.put(line)


def _task_score(job: ScoringJob, answer: dict[str, Any]) -> TaskScore:
    official, *beside = (Measure(**one) for one in answer["measures"])
    return TaskScore(
        task=job.task.id,
        official=official,
        n_test=answer["n_test"],
        weight=job.task.weight,
        seconds=answer["seconds"],
        beside=tuple(beside),
        corrected=Measure(**answer["corrected"]) if answer["corrected"] else None,
        folds=tuple(answer["folds"]),
        note=answer["note"],
    )
