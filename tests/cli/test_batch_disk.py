"""A disk that is full while results are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.cli import batch
from audio_encoder_checker.cli.check import check
from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.organising import results
from tests.organising.literals import PlayedEngine, report
from tests.organising.test_results import full_disk

if TYPE_CHECKING:
    from pathlib import Path


def test_a_full_disk_is_the_machines_fault_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.zip").write_bytes(b"a")
    engine = PlayedEngine(lambda _job, _attempt: report())
    monkeypatch.setattr(batch, "make_engine", lambda *_words: engine)
    arguments = [str(tmp_path / "a.zip"), "--out", str(tmp_path / "out")]
    with monkeypatch.context() as full:
        full.setattr(results, "_sync", full_disk)
        with pytest.raises(MachineError, match="the results cannot be kept: No space left") as told:
            check.main(arguments, standalone_mode=False)
    assert "--resume goes on" in told.value.hint
    assert check.main([*arguments, "--resume"], standalone_mode=False) == 0
    assert len(engine.jobs) == 2
