from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import JOB_FILE, read_job, write_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audio_encoder_checker.evaluation.job import ScoringJob


@pytest.mark.parametrize("kind", ["clip-class", "frame-multilabel", "retrieval"])
def test_a_job_comes_back_as_it_was_written(tmp_path: Path, scoring_job: Callable[..., ScoringJob], kind: str) -> None:
    job = scoring_job(kind, seed=3)
    write_job(tmp_path, job)
    back = read_job(tmp_path)
    for one in fields(job):
        if one.name != "parts":
            assert getattr(back, one.name) == getattr(job, one.name)
    for name, part in job.parts.items():
        for one in fields(part):
            mine, theirs = getattr(part, one.name), getattr(back.parts[name], one.name)
            if one.name == "texts" or mine is None:
                assert [list(own) for own in theirs or ()] == [list(own) for own in mine or ()]
            else:
                np.testing.assert_array_equal(theirs, mine, strict=True)


def test_embeddings_on_disk_are_named_and_not_copied(tmp_path: Path, scoring_job: Callable[..., ScoringJob]) -> None:
    job = scoring_job()
    np.save(tmp_path / "there.npy", job.parts["test"].x)  # type: ignore[arg-type]  # an array here
    parts = {**job.parts, "test": replace(job.parts["test"], x=tmp_path / "there.npy")}
    folder = tmp_path / "job"
    folder.mkdir()
    write_job(folder, replace(job, parts=parts))
    assert sorted(path.name for path in folder.glob("2.*")) == ["2.y.npy"]
    np.testing.assert_array_equal(read_job(folder).parts["test"].x, job.parts["test"].x)


def test_an_array_of_objects_is_neither_written_nor_read(
    tmp_path: Path, scoring_job: Callable[..., ScoringJob]
) -> None:
    job = scoring_job()
    odd = {**job.parts, "test": replace(job.parts["test"], y=np.array([{}], dtype=object))}
    with pytest.raises(ValueError, match="allow_pickle=False"):
        write_job(tmp_path, replace(job, parts=odd))
    write_job(tmp_path, job)
    np.save(tmp_path / "0.y.npy", np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="Python objects in dtype"):
        read_job(tmp_path)
    assert (tmp_path / JOB_FILE).exists()
