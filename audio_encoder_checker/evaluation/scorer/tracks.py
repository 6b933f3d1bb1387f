"""One task under each of the two tracks."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from audio_encoder_checker.evaluation.scorer.bootstrap import measured
from audio_encoder_checker.evaluation.scorer.captions import CaptionLearner
from audio_encoder_checker.evaluation.scorer.frames import FrameLearner, Frames, frame_metric
from audio_encoder_checker.evaluation.scorer.knn import Votes, knn_scores
from audio_encoder_checker.evaluation.scorer.linear import ClipLearner, clip_outputs, new_probe, train
from audio_encoder_checker.evaluation.scorer.metrics import clip_metric
from audio_encoder_checker.evaluation.scorer.rounds import Items, first_of_clip, labelled, per_clip, some_items
from audio_encoder_checker.evaluation.scorer.statistics import Ratio
from audio_encoder_checker.evidence.scores import COSINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.job import Round, ScoringJob
    from audio_encoder_checker.evaluation.scorer.bootstrap import MeasureAnswer
    from audio_encoder_checker.evaluation.scorer.linear import Trained
    from audio_encoder_checker.evaluation.scorer.statistics import Statistic

    Fold = dict[str, Statistic]
    """Metrics of one round by name, the official one first."""

BANK_FRAMES = 300_000
"""Training frames that vote in track B, at most."""
QUERY_FRAMES = 100_000
"""Test frames that are asked in track B, at most, in whole items."""
DIRECTIONS = ("recall@1 audio to text", "recall@1 text to audio")


class Answer(TypedDict):
    """One track's scores as JSON; see `evidence.scores.TaskScore`."""

    measures: list[MeasureAnswer]
    corrected: MeasureAnswer | None
    folds: list[float]
    n_test: int
    seconds: float
    note: str


def track_a(job: ScoringJob) -> Answer:
    """Train a probe in each round and report the task's metrics on its test items."""
    probes = {"retrieval": _captions, "frame-class": _frames, "frame-multilabel": _frames}
    return _answer(job, probes.get(job.task.kind, _clips))


def track_b(job: ScoringJob) -> Answer | None:
    """Classify the test items by their neighbours: accuracy, whatever the task's metric (quirk 10), for clips."""
    if not job.task.track_b:
        return None
    notes: list[str] = []
    if not job.task.per_frame:
        return _answer(job, _clip_neighbours)
    answer = _answer(job, partial(_frame_neighbours, notes=notes))
    answer["note"] = "; ".join(dict.fromkeys(notes))
    return answer


def _answer(job: ScoringJob, run: Callable[[ScoringJob, Round, bool], Fold]) -> Answer:
    start = time.perf_counter()
    folds = [run(job, one, False) for one in job.rounds]
    names = list(folds[0])
    measures = [measured(name, [fold[name] for fold in folds], job.seed) for name in names]
    corrected = None
    if job.corrected:
        again = [run(job, one, True) for one in job.rounds]
        corrected = measured(names[0], [fold[names[0]] for fold in again], job.seed)
    return Answer(
        measures=measures,
        corrected=corrected,
        folds=[fold[names[0]].value for fold in folds] if len(folds) > 1 else [],
        n_test=sum(fold[names[0]].items for fold in folds),
        seconds=time.perf_counter() - start,
        note="",
    )


def _clips(job: ScoringJob, one: Round, corrected: bool) -> Fold:
    task = job.task
    learn, valid, test = (Items(job, names, corrected=corrected) for names in one)
    x = learn.x()
    learner = ClipLearner(
        new_probe(x.shape[1], task.classes, job.seed),
        x,
        learn.y(),
        valid.x(),
        valid.y(),
        task.kind,
        task.metric,
        task.training.pos_weight,
    )
    trained = train(learner, task.training, shuffle=job.seed)
    probe = _chosen(trained, one, corrected)
    outputs, labels = clip_outputs(probe, test.x()), test.y()
    if corrected:
        outputs, labels = per_clip(outputs, test.clips()), first_of_clip(labels, test.clips())
    return {name: clip_metric(name, outputs, labels, corrected=corrected) for name in (task.metric, *task.also)}


def _chosen(trained: Trained, one: Round, corrected: bool) -> Any:
    """The probe to test: the corrected figure does not choose its epoch on the test data (quirk 5)."""
    return trained.last if corrected and one.valid == one.test else trained.best


def _frames(job: ScoringJob, one: Round, corrected: bool) -> Fold:
    task = job.task
    learn, valid, test = (Items(job, names, corrected=corrected).frames() for names in one)
    probe = new_probe(learn.x[0].shape[1], task.classes, job.seed)
    learner = FrameLearner(probe, learn, valid, task, job.hop_ms, by_time=corrected)
    trained = train(learner, task.training, shuffle=job.seed)
    probe = _chosen(trained, one, corrected)
    return {task.metric: learner.measure(probe, test)}


def _captions(job: ScoringJob, one: Round, corrected: bool) -> Fold:
    learn, valid, test = (Items(job, names, corrected=corrected) for names in one)
    learner = CaptionLearner(learn.x(), learn.texts(), valid.x(), valid.texts(), job.seed)
    trained = train(learner, job.task.training, shuffle=job.seed)
    head = _chosen(trained, one, corrected)
    there, back = learner.measure(head, test.x(), test.texts())
    both = Ratio((there.parts + back.parts / back.wholes) / 2, np.ones(len(there.parts)))
    return {job.task.metric: both, DIRECTIONS[0]: there, DIRECTIONS[1]: back}


def _clip_neighbours(job: ScoringJob, one: Round, corrected: bool) -> Fold:
    bank, test = Items(job, one.train, corrected=corrected), Items(job, one.test, corrected=corrected)
    votes = _votes(job, bank.x(), bank.y(), test.x())
    if corrected:
        clips = test.clips()
        return {"accuracy": clip_metric("accuracy", per_clip(votes.cosine, clips), first_of_clip(test.y(), clips))}
    return {
        "accuracy": clip_metric("accuracy", votes.official, test.y()),
        COSINE: clip_metric("accuracy", votes.cosine, test.y()),
    }


def _frame_neighbours(job: ScoringJob, one: Round, corrected: bool, notes: list[str]) -> Fold:
    """Frames vote for frames; X-ARES has no such thing, the rule book asks for it."""
    frames, fewer = some_items(Items(job, one.test, corrected=corrected).frames(), QUERY_FRAMES, job.seed)
    x, y, sampled = labelled(Items(job, one.train, corrected=corrected).frames(), BANK_FRAMES, job.seed)
    if sampled:
        notes.append(f"{BANK_FRAMES:,} training frames, chosen at random, vote")
    if fewer:
        notes.append(f"{len(frames.x)} test clips, chosen at random, are asked")
    votes = _votes(job, x, y, np.concatenate(list(frames.x)))
    if corrected:
        return {job.task.metric: _by_frame(job, votes.cosine, frames, by_time=True)}
    return {
        job.task.metric: _by_frame(job, votes.official, frames, by_time=False),
        COSINE: _by_frame(job, votes.cosine, frames, by_time=False),
    }


def _by_frame(job: ScoringJob, scores: NDArray[np.float32], frames: Frames, *, by_time: bool) -> Statistic:
    items = np.split(scores, np.cumsum([len(one) for one in frames.x])[:-1])
    said: list[NDArray[Any]] = [one > 0.5 for one in items] if job.task.kind == "frame-multilabel" else items
    own = [labels[: len(one)] for labels, one in zip(frames.y, said, strict=True)]
    return frame_metric(job.task, said, own, job.hop_ms, by_time=by_time)


def _votes(job: ScoringJob, bank: NDArray[np.float32], labels: NDArray[Any], queries: NDArray[np.float32]) -> Votes:
    return knn_scores(
        bank, labels, queries, classes=job.task.classes, neighbours=job.neighbours, temperature=job.temperature
    )
