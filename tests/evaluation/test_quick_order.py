"""The quick set ranks encoders as it should: nothing learnt < a plain spectrogram < something learnt."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from audio_encoder_checker.evaluation.encode import embed
from audio_encoder_checker.evaluation.quick import quick_clips
from audio_encoder_checker.evaluation.score import EmbeddedTask, score
from audio_encoder_checker.evaluation.tasks import QUICK_TASKS, quick_tasks
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.stages.evaluate import read_references

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evidence.scores import TrackScores

ROOT = Path(__file__).parent.parent.parent
FILES = {
    "noise": ROOT / "tests/encoders/noise_encoder.py",
    "randomconv": ROOT / "tests/encoders/randomconv_encoder.py",
    "log-mel": ROOT / "tests/encoders/logmel_encoder.py",
    "example": ROOT / "example_submission/encoder.py",
}


def load_encoder(path: Path) -> torch.nn.Module:
    spec = spec_from_file_location(f"quick_order_{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    (name,) = (name for name in dir(module) if name.endswith("Encoder"))
    encoder: torch.nn.Module = getattr(module, name)()
    return encoder


def score_of(path: Path) -> TrackScores:
    encoder, rules = load_encoder(path), load_rules().evaluation

    def encode(audio: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            frames: NDArray[np.float32] = encoder(torch.from_numpy(audio)).numpy()
        return frames

    embedded = []
    for task in quick_tasks():
        clips = quick_clips(task.id)
        vectors = embed(clips, encode, clips.sampling_rate, rules.encode_batch, lambda _done, _all: None)
        embedded.append(EmbeddedTask(task, vectors, clips.labels, clips.split))
    return score(embedded, rules, data="builtin", encode_seconds=0, audio_seconds=0, seed=42, timeout_s=300)


@pytest.fixture(scope="module")
def scores() -> dict[str, TrackScores]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    measured = {name: score_of(path) for name, path in FILES.items()}
    torch.set_num_threads(threads)
    return measured


@pytest.mark.parametrize("number", range(len(QUICK_TASKS)), ids=QUICK_TASKS)
@pytest.mark.parametrize("control", ["noise", "randomconv"])
def test_track_a_puts_controls_below_log_mel(scores: dict[str, TrackScores], control: str, number: int) -> None:
    below, floor = scores[control].track_a[number], scores["log-mel"].track_a[number]
    assert below.value + 0.05 < floor.value < 0.75


@pytest.mark.parametrize("number", range(len(QUICK_TASKS)), ids=QUICK_TASKS)
def test_track_a_puts_the_example_above_log_mel(scores: dict[str, TrackScores], number: int) -> None:
    floor, learnt = scores["log-mel"].track_a[number], scores["example"].track_a[number]
    assert floor.value + 0.05 < learnt.value


@pytest.mark.parametrize("number", range(len(QUICK_TASKS)), ids=QUICK_TASKS)
def test_track_b_puts_noise_below_log_mel_below_the_example(scores: dict[str, TrackScores], number: int) -> None:
    noise, floor, learnt = (scores[name].track_b[number].value for name in ("noise", "log-mel", "example"))
    assert noise < floor < learnt


@pytest.mark.parametrize("name", FILES)
def test_the_references_in_the_report_are_these_scores(scores: dict[str, TrackScores], name: str) -> None:
    references = read_references()
    for track_a, track_b in zip(scores[name].track_a, scores[name].track_b, strict=True):
        reference = references.find(name, track_a.task)
        assert reference is not None
        assert reference.track_a == pytest.approx(track_a.value, abs=0.06)  # the mean over three seeds of the probe
        assert reference.track_b == pytest.approx(track_b.value, abs=0.03)


def test_references_know_encoders_that_beat_log_mel_by_far_in_their_own_domain() -> None:
    references = read_references()
    leaders = (("openwakeword", "quick-speech"), ("silero", "quick-sound"), ("crepe", "quick-music"))
    for name, task in leaders:
        leader, floor = references.find(name, task), references.find("log-mel", task)
        assert leader is not None
        assert floor is not None
        assert floor.track_a + 0.15 < leader.track_a < 0.97
        assert floor.track_b < leader.track_b
