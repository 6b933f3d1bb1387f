"""The weak box where there is no launcher: macOS, played here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.sandbox import process
from audio_encoder_checker.sandbox.choose import survey
from tests.sandbox.test_boxes import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.box
def test_without_the_launcher_the_child_answers_within_its_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = survey()[-1].box
    assert box is not None
    monkeypatch.setattr(process, "LINUX", False)
    monkeypatch.setenv("HF_TOKEN", "canary")
    code = (
        "import resource\n"
        "raise ValueError((resource.getrlimit(resource.RLIMIT_CORE), os.getsid(0) == os.getpid(), sorted(os.environ)))"
    )
    answers, conduct = run(box, tmp_path, code)
    raised = answers[0].outcome.raised
    assert raised
    assert raised.message.startswith("((0, 0), True, [")
    assert "HF_TOKEN" not in raised.message
    assert conduct.ended_by is Ending.ANSWERED
