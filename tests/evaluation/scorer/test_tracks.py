from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import Round
from audio_encoder_checker.evaluation.scorer import captions, tracks
from audio_encoder_checker.evaluation.scorer.linear import train
from audio_encoder_checker.evaluation.scorer.rounds import Items
from audio_encoder_checker.evaluation.scorer.tracks import track_a, track_b
from audio_encoder_checker.evaluation.tasks import Training
from audio_encoder_checker.evidence.scores import COSINE
from tests.scoring import clip_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from audio_encoder_checker.evaluation.job import ScoringJob
    from audio_encoder_checker.evaluation.scorer.tracks import Answer

    Build = Callable[..., ScoringJob]

KINDS = ("clip-class", "clip-multilabel", "clip-regression", "frame-class", "frame-multilabel", "retrieval")


@pytest.fixture(autouse=True)
def _small_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "HIDDEN", 128)


def value(answer: Answer | None) -> float:
    assert answer is not None
    return answer["measures"][0]["value"]


@pytest.mark.parametrize("kind", KINDS)
def test_classes_far_apart_are_told_apart_and_noise_is_not(scoring_job: Build, kind: str) -> None:
    easy, noise = track_a(scoring_job(kind)), track_a(scoring_job(kind, apart=0.0))
    lower = kind == "clip-regression"
    best = {"clip-regression": 0.05, "retrieval": 4 / 30 - 0.05}.get(kind, 0.8)
    assert (value(easy) < best) if lower else (value(easy) > best)
    assert (value(noise) > 0.1) if lower else (value(noise) < 0.75 * value(easy))
    for one in (easy, noise):
        measure = one["measures"][0]
        assert measure["low"] <= measure["value"] + 1e-9
        assert measure["value"] <= measure["high"] + 1e-9
        assert one["n_test"] == 30
    if kind == "retrieval":
        both, there, back = (one["value"] for one in noise["measures"])
        assert there != back
        assert both == pytest.approx((there + back) / 2)


@pytest.mark.parametrize("kind", ["clip-class", "frame-class", "frame-multilabel"])
def test_neighbours_tell_classes_apart_too(scoring_job: Build, kind: str) -> None:
    easy, noise = track_b(scoring_job(kind)), track_b(scoring_job(kind, apart=0.0))
    assert value(easy) > 0.8
    assert value(noise) < 0.7
    assert easy is not None
    assert easy["measures"][1]["metric"] == COSINE
    assert easy["measures"][1]["value"] > 0.8
    assert easy["note"] == ""


@pytest.mark.parametrize("kind", ["clip-multilabel", "clip-regression", "retrieval"])
def test_a_task_of_track_a_alone_has_no_track_b(scoring_job: Build, kind: str) -> None:
    assert track_b(scoring_job(kind)) is None


def test_the_rule_books_metric_stands_beside_x_ares(scoring_job: Build) -> None:
    answer = track_a(scoring_job(classes=4, also=("mAP",)))
    assert [one["metric"] for one in answer["measures"]] == ["accuracy", "mAP"]
    assert (answer["folds"], answer["note"], answer["corrected"]) == ([], "", None)


def seen(answer: Answer | None) -> Any:
    assert answer is not None
    return {**answer, "seconds": 0}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_scores(scoring_job: Build, kind: str) -> None:
    job = scoring_job(kind, apart=0.5, seed=3)
    assert seen(track_a(job)) == seen(track_a(job))


def test_folds_are_averaged_and_told(scoring_job: Build) -> None:
    parts = {f"fold {number}": clip_part("clip-class", 40, 16, 1.0, number) for number in range(2)}
    rounds = tuple(Round(tuple(o for o in parts if o != one), (one,), (one,)) for one in parts)
    answer = track_a(replace(scoring_job(also=("mAP",)), parts=parts, rounds=rounds))
    assert len(answer["folds"]) == 2
    assert value(answer) == pytest.approx(np.mean(answer["folds"]))
    assert answer["n_test"] == 80


def test_items_that_x_ares_loses_count_in_the_corrected_figure_alone(scoring_job: Build) -> None:
    job = scoring_job(clips=240, corrected=True)
    parts = dict(job.parts)
    for name, part in parts.items():
        y = np.asarray(part.y)
        clips = np.arange(len(y))
        kept = clips // 4 % 2 == 0
        y = np.where(kept, y, (y + 1) % 4)
        parts[name] = replace(part, y=y, kept=kept, clip=clips)
    answer = track_a(replace(job, parts=parts))
    assert answer["n_test"] == 32
    assert value(answer) == 1.0
    assert answer["corrected"] is not None
    assert answer["corrected"]["value"] < 0.8  # half of its labels are wrong


@pytest.mark.parametrize("track", [track_a, track_b])
def test_crops_of_a_clip_count_together_in_the_corrected_figure_alone(
    scoring_job: Build, track: Callable[..., Answer]
) -> None:
    job = scoring_job(clips=240, corrected=True, apart=0.7, also=("mAP",), training=Training(5, 16, 0.02))
    parts = {}
    for name, part in job.parts.items():
        order = np.argsort(np.asarray(part.y), kind="stable")
        crops = np.arange(len(order)) // 5  # of one class each
        parts[name] = replace(part, x=np.asarray(part.x)[order], y=np.asarray(part.y)[order], clip=crops)
    answer = track(replace(job, parts=parts))
    assert answer["n_test"] == 60
    assert answer["corrected"] is not None
    assert answer["corrected"]["value"] > value(answer) + 0.05
    assert answer["corrected"]["metric"] == "accuracy"
    assert 0 < answer["seconds"] < 300


def test_a_class_that_is_not_in_the_test_counts_in_x_ares_figure_alone(scoring_job: Build) -> None:
    job = scoring_job("clip-multilabel", corrected=True, training=Training(1, 16, 0.02))
    y = np.array(job.parts["test"].y)
    y[:, 3] = 0
    answer = track_a(replace(job, parts={**job.parts, "test": replace(job.parts["test"], y=y)}))
    assert answer["corrected"] is not None
    assert value(answer) == pytest.approx(answer["corrected"]["value"] * 3 / 4)


@pytest.mark.parametrize(("kind", "low", "high"), [("frame-multilabel", 0.4, 0.6), ("frame-class", 0.3, 0.4)])
def test_neighbours_decide_by_half_where_classes_come_together_and_by_the_most_else(
    scoring_job: Build, kind: str, low: float, high: float
) -> None:
    job = scoring_job(kind)
    frames = Items(job, ["test"]).frames()
    own = np.concatenate(list(frames.y))
    hot = own == 1 if own.ndim == 2 else own[:, None] == np.arange(4)
    assert tracks._by_frame(job, np.where(hot, high, low), frames, by_time=False).value == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_corrected_figure(scoring_job: Build, kind: str) -> None:
    corrected = track_a(scoring_job(kind, corrected=True))["corrected"]
    assert corrected is not None
    assert corrected["metric"] == track_a(scoring_job(kind))["measures"][0]["metric"]


def test_padding_is_left_out_of_the_corrected_figure(scoring_job: Build) -> None:
    job = scoring_job(corrected=True, apart=0.0)
    easy = scoring_job(apart=8.0)
    parts = {name: replace(part, true_x=easy.parts[name].x) for name, part in job.parts.items()}
    answer = track_b(replace(job, parts=parts))
    assert value(answer) < 0.6
    assert answer is not None
    assert answer["corrected"] is not None
    assert answer["corrected"]["value"] == 1.0


@pytest.mark.parametrize("track", [track_a, track_b])
def test_frames_of_padding_are_left_out_of_the_corrected_figure(
    scoring_job: Build, track: Callable[..., Answer]
) -> None:
    job = scoring_job("frame-class", corrected=True)
    parts = {}
    for name, part in job.parts.items():
        starts, ends = np.asarray(part.offsets)[:-1], np.asarray(part.offsets)[1:]
        own, y = (ends - starts) // 2, np.array(part.y)
        for start, count, end in zip(starts, own, ends, strict=True):
            y[start + count : end] = (y[start + count : end] + 1) % 4
        parts[name] = replace(part, y=y, true_frames=own)
    answer = track(replace(job, parts=parts))
    assert answer["corrected"] is not None
    assert value(answer) < 0.7
    assert answer["corrected"]["value"] > 0.9


@pytest.mark.parametrize("track", [track_a, track_b])
def test_segments_are_cut_by_time_in_the_corrected_figure_alone(
    scoring_job: Build, track: Callable[..., Answer]
) -> None:
    job = scoring_job("frame-multilabel", corrected=True, apart=1.0, training=Training(2, 16, 0.02))
    answer = track(replace(job, hop_ms=70.0))  # X-ARES takes three frames for a segment of 200 ms
    assert answer["corrected"] is not None
    assert answer["corrected"]["value"] != value(answer)


def test_frames_beyond_the_bound_are_left_out_and_it_is_said(
    scoring_job: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks, "BANK_FRAMES", 200)
    monkeypatch.setattr(tracks, "QUERY_FRAMES", 300)
    answer = track_b(scoring_job("frame-class"))
    assert value(answer) > 0.95
    assert answer is not None
    assert answer["note"] == (
        f"200 training frames, chosen at random, vote; {answer['n_test']} test clips, chosen at random, are asked"
    )
    assert answer["n_test"] < 15


def test_a_corrected_figure_does_not_choose_its_epoch_on_the_test_data(
    scoring_job: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_badly_at_the_end(*args: Any, **options: Any) -> Any:
        trained = train(*args, **options)
        for weights in trained.last.parameters():
            weights.data.zero_()
        return trained

    monkeypatch.setattr(tracks, "train", train_badly_at_the_end)
    for kind in ("clip-class", "frame-class", "retrieval"):
        job = scoring_job(kind, corrected=True)
        same = replace(job, rounds=(Round(("train",), ("test",), ("test",)),))
        for one, last in ((job, False), (same, True)):
            answer = track_a(one)
            assert answer["corrected"] is not None
            assert (answer["corrected"]["value"] < 0.9 * value(answer)) == last
