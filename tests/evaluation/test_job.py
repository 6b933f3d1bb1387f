from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import EmbeddedTask, ScoringJob, read_job, write_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_job_comes_back_as_it_was_written(tmp_path: Path, embedded_task: Callable[..., EmbeddedTask]) -> None:
    tasks = (embedded_task(), embedded_task("quick-music", clips=40, dim=3, track_b=False))
    write_job(tmp_path / "job.npz", ScoringJob(tasks, neighbours=10, temperature=0.07, seed=3))
    back = read_job(tmp_path / "job.npz")
    assert (back.neighbours, back.temperature, back.seed) == (10, 0.07, 3)
    assert [one.task for one in back.tasks] == [one.task for one in tasks]
    for one, other in zip(back.tasks, tasks, strict=True):
        for name in ("embeddings", "labels", "split"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)


def test_a_job_is_written_without_pickle_whatever_the_arrays_were(
    tmp_path: Path, embedded_task: Callable[..., EmbeddedTask]
) -> None:
    one = embedded_task()
    odd = replace(one, embeddings=one.embeddings.astype(object), labels=one.labels.astype(np.int32))
    write_job(tmp_path / "job.npz", ScoringJob((odd,), neighbours=10, temperature=0.07, seed=3))
    with zipfile.ZipFile(tmp_path / "job.npz") as archive:
        headers = {name: archive.read(name)[:128] for name in archive.namelist()}
    assert len(headers) == 4
    assert not any(b"'|O'" in header for header in headers.values())
    assert read_job(tmp_path / "job.npz").tasks[0].labels.dtype == np.int64


def test_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "job.npz", job=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_job(tmp_path / "job.npz")
