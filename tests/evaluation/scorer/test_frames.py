from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from audio_encoder_checker.evaluation.scorer.frames import FrameLearner, Frames
from audio_encoder_checker.evaluation.scorer.linear import new_probe, train
from audio_encoder_checker.evaluation.tasks import Training
from tests.scoring import task_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Answers = dict[str, NDArray[Any]]


def frames(answers: Answers, split: str) -> Frames:
    lengths = answers[f"{split}_len"]
    x = [one[:count].astype(np.float32) for one, count in zip(answers[f"{split}_x"], lengths, strict=True)]
    return Frames(x, [one.T for one in answers[f"{split}_y"]])  # labels go on behind the frames


def test_training_in_order_ends_with_the_weights_and_scores_of_x_ares(
    oracle: Callable[[str], Answers],
) -> None:
    answers = oracle("frame_fixed.npz")
    training = Training(int(answers["epochs"]), int(answers["batch_size"]), float(answers["lr0"]))
    task = task_of("frame-multilabel", training=training, segment_s=1.0)
    probe = new_probe(24, 4, seed=0)
    keys = list(probe.state_dict())
    probe.load_state_dict({key: torch.from_numpy(answers[f"init.{key}"]) for key in keys})
    learner = FrameLearner(probe, frames(answers, "train"), frames(answers, "valid"), task, 40.0)
    trained = train(learner, training, shuffle=None)
    np.testing.assert_allclose(trained.valid_metrics, answers["epoch_valid_segmentf1_macro"], atol=1e-9)
    for which, found in (("best", trained.best), ("last", trained.last)):
        for key, value in found.state_dict().items():
            torch.testing.assert_close(value, torch.from_numpy(answers[f"{which}.{key}"]), atol=1e-5, rtol=0)
    found_macro = learner.measure(trained.best, frames(answers, "test")).value
    assert found_macro == pytest.approx(float(answers["test_segmentf1_macro"]), abs=1e-9)
    by_count = task_of("frame-multilabel", metric="segment-F1-micro", training=training, segment_s=1.0)
    micro = FrameLearner(probe, learner.train, learner.valid, by_count, 40.0)
    found_micro = micro.measure(trained.best, frames(answers, "test")).value
    assert found_micro == pytest.approx(float(answers["test_segmentf1_micro"]), abs=1e-9)


def test_items_are_padded_to_the_longest_of_their_batch() -> None:
    short = np.ones((2, 3), dtype=np.float32)
    long = np.ones((4, 3), dtype=np.float32)
    x, y = Frames([short, long], [np.array([1, 2]), np.array([0, 0, 0, 1])]).joined([0, 1])
    assert x[0].sum() == 6
    assert y.tolist() == [[1, 2, -1, -1], [0, 0, 0, 1]]


def test_a_rare_positive_weighs_more() -> None:
    x, y = [np.ones((10, 3), dtype=np.float32)], [np.eye(10, 4, dtype=np.uint8)]
    plain, heavy = (
        FrameLearner(
            new_probe(3, 4, 0), Frames(x, y), Frames(x, y),
            task_of("frame-multilabel", training=Training(1, 1, 0.1, weight)), 40.0,
        ).loss(torch.tensor([0]))
        for weight in (1.0, 10.0)
    )  # fmt: skip
    assert heavy > 1.5 * plain


@pytest.mark.parametrize("kind", ["frame-class", "frame-multilabel"])
def test_padding_is_in_the_loss_unless_corrected(kind: str) -> None:
    x = [np.full((2, 3), 1.0, dtype=np.float32), np.arange(18, dtype=np.float32).reshape(6, 3)]
    y = [np.array([1, -1]), np.array([0, 1, 2, 3, 0, 1])]
    if kind == "frame-multilabel":
        y = [np.eye(5, 4, dtype=np.uint8)[one] for one in y]
    items, task, every = Frames(x, y), task_of(kind), torch.tensor([0, 1])
    probe = new_probe(3, 4, seed=0)
    padded, own = (FrameLearner(probe, items, items, task, 40.0, by_time=by_time) for by_time in (False, True))
    alone = [own.loss(torch.tensor([item])).item() for item in (0, 1)]
    labelled = [1, 6] if kind == "frame-class" else [2, 6]
    assert own.loss(every).item() == pytest.approx(np.average(alone, weights=labelled), rel=1e-5)
    same = padded.loss(every).item() == pytest.approx(own.loss(every).item(), rel=1e-5)
    assert same == (kind == "frame-class")  # whose padding has no label anyway


def test_items_without_any_label_teach_nothing() -> None:
    nothing = Frames([np.ones((2, 3), dtype=np.float32)], [np.array([-1, -1])])
    learner = FrameLearner(new_probe(3, 4, seed=0), nothing, nothing, task_of("frame-class"), 40.0)
    assert learner.loss(torch.tensor([0])).item() == 0.0
