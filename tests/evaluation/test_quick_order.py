"""The quick set ranks encoders as real data does: nothing learnt < a plain spectrogram < something learnt."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evaluation.references import quick_references
from audio_encoder_checker.evaluation.score import Scorer
from audio_encoder_checker.evaluation.tasks import all_tasks, quick_tasks
from audio_encoder_checker.evidence.scores import goodness

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.evaluation import Reference

ROOT = Path(__file__).parent.parent.parent
REFERENCES = quick_references()
TASKS = [task.id for task in quick_tasks()]
TRAINED = ("silero", "resemblyzer", "openwakeword", "crepe")
PLAIN = ("log-mel", "mfcc")
PLAIN_LEADS = {"quick-phones"}
"""None of the networks was made for phones, and one has frames longer than they are."""
LEADERS = {
    "quick-words": "openwakeword",
    "quick-speaker": "resemblyzer",
    "quick-pitch": "crepe",
    "quick-notes": "crepe",
}
"""The encoder made for such sounds, by task."""


def known(name: str, task: str) -> Reference:
    found = REFERENCES.find(name, task)
    assert found is not None
    return found


def good(name: str, task: str) -> float:
    """Track A, higher is better."""
    return goodness(known(name, task).metric, known(name, task).track_a)


@pytest.mark.parametrize("task", TASKS)
def test_nothing_learnt_is_below_the_best_plain_spectrum_and_that_below_the_best_network(task: str) -> None:
    controls = max(good(name, task) for name in ("noise", "randomconv"))
    plain = max(good(name, task) for name in PLAIN)
    network = max(good(name, task) for name in TRAINED)
    assert good("noise", task) < plain
    assert controls < max(network, plain) < 0.985
    assert (plain < network) == (task not in PLAIN_LEADS)


@pytest.mark.parametrize("task", LEADERS)
def test_the_network_made_for_such_sounds_leads(task: str) -> None:
    leader = good(LEADERS[task], task)
    others = [good(name, task) for name in (*TRAINED, *PLAIN) if name != LEADERS[task]]
    assert leader >= max(others)
    track_b = known(LEADERS[task], task).track_b
    assert track_b is not None
    assert track_b >= max(known(name, task).track_b or 0.0 for name in PLAIN)


def test_no_network_loses_to_log_mel_on_most_tasks() -> None:
    """Or AEC803 would accuse it."""
    for name in TRAINED:
        assert sum(good(name, task) < good("log-mel", task) for task in TASKS) <= len(TASKS) / 2


def test_the_references_are_what_is_measured_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.delitem(sys.modules, "quick_references", raising=False)
    measuring = importlib.import_module("quick_references")

    encoder = measuring.load_encoder(ROOT / "tests" / "encoders" / "logmel_encoder.py")
    with Scorer() as scorer:
        for task in (all_tasks()[name] for name in ("quick-words", "quick-notes")):
            score = scorer.submit(measuring.job_of(task, encoder, tmp_path), 120.0).result()
            reference = known("log-mel", task.id)
            # the reference is the mean over three seeds of the probe
            assert score.track_a.official.value == pytest.approx(reference.track_a, abs=0.08)
            if score.track_b:
                assert score.track_b.official.value == pytest.approx(reference.track_b, abs=0.03)
