"""Slurm by way of submitit, whose own local executor stands in for the cluster."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import MachineError
from tests.organising.specimens import begun, ended, job

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = [
    pytest.mark.box,
    pytest.mark.skipif(importlib.util.find_spec("submitit") is None, reason="not installed: pip install submitit"),
    pytest.mark.filterwarnings("default"),  # submitit's own
]


def test_a_job_is_done_and_a_lost_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from submitit.core.core import Job

    from audio_encoder_checker.organising.slurm_engine import SlurmEngine

    monkeypatch.setattr(Job, "_results_timeout_s", 0.1)  # for files on a network, which may be late
    engine = SlurmEngine("local")
    engine.submit(job(tmp_path, "good-frames", "--until=source"))
    found = ended(engine)
    assert found.status == 0
    assert (found.job.folder / "report.json").is_file()
    endless = job(tmp_path, "AEC508-endless-forward", "--trust", "--until=contract")
    engine.submit(endless)
    (task, _, _), *_ = engine._jobs
    begun(endless)
    task.cancel()
    assert "lost" in ended(engine).lost
    engine.close()


def test_without_slurm_the_remedy_is_named() -> None:
    from audio_encoder_checker.organising.slurm_engine import SlurmEngine

    with pytest.raises(MachineError, match="no Slurm here"):
        SlurmEngine()
