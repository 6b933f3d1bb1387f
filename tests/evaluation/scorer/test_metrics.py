from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.scorer.metrics import (
    clip_metric,
    frame_accuracy,
    recall_at_1,
    segment_f1,
    segment_frames,
    timed_segment_f1,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Oracle = Callable[[str], dict[str, NDArray[Any]]]


def test_accuracy_is_the_share_of_largest_logits_at_the_label() -> None:
    logits = np.array([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0], [-1.0, -2.0]], dtype=np.float32)
    assert clip_metric("accuracy", logits, np.array([0, 1, 1, 0])).value == 0.75


def test_average_precision_of_one_class_each_takes_the_label_for_a_hot_vector() -> None:
    logits = np.array([[2.0, 1.0], [0.0, 3.0]], dtype=np.float32)
    assert clip_metric("mAP", logits, np.array([0, 1])).value == 1.0


def test_squared_error_is_the_mean_over_clips_and_numbers() -> None:
    targets = np.array([[0.0, 1.0], [1.0, 1.0]], dtype=np.float32)
    assert clip_metric("MSE", np.array([[0.0, 3.0], [1.0, 1.0]], dtype=np.float32), targets).value == 1.0


def test_the_equal_error_rate_is_that_of_the_second_class() -> None:
    logits = np.array([[0.0, 1.0], [0.0, 2.0], [3.0, 0.0], [0.0, -1.0]], dtype=np.float32)
    assert clip_metric("EER", logits, np.array([1, 1, 0, 0])).value == 0.0
    assert clip_metric("EER", logits, np.array([0, 0, 1, 1])).value == 1.0


def test_frames_without_a_label_do_not_count() -> None:
    said = [np.eye(3)[[0, 1, 2]], np.eye(3)[[1]]]
    assert frame_accuracy(said, [np.array([0, -1, 1]), np.array([1])]).value == pytest.approx(2 / 3)


@pytest.mark.parametrize("index", range(12))
def test_segment_f1_is_that_of_x_ares(oracle: Oracle, index: int) -> None:
    answers = oracle("segmentf1.npz")
    frames = segment_frames(float(answers[f"segment_s_{index}"]), float(answers[f"hop_{index}"]))
    assert frames == answers[f"pool_{index}"]
    decided = list(answers[f"logits_{index}"].astype(np.float32) > 0)
    labels = list(answers[f"targets_{index}"])
    for name, macro in (("macro", True), ("micro", False)):
        found = segment_f1(decided, labels, frames, macro=macro).value
        assert found == pytest.approx(float(answers[f"{name}_{index}"]), abs=1e-12)


def test_timed_segments_keep_what_x_ares_drops() -> None:
    labels = np.zeros((100, 1), dtype=np.uint8)  # 10 s at 100 ms
    labels[95:] = 1
    said = [np.zeros((100, 1), dtype=bool)]
    wrong = timed_segment_f1(said, [labels], hop_ms=100.0, segment_s=1.0, macro=False)
    assert wrong.errors.tolist() == [[1.0]]
    at_64_ms = np.zeros((156, 1), dtype=np.uint8)  # X-ARES: 16 frames a segment, the last 12 frames are dropped
    at_64_ms[150:] = 1
    found = segment_f1([at_64_ms > 0], [at_64_ms], segment_frames(1.0, 64.0), macro=False)
    assert found.hits.tolist() == [[0.0]]
    timed = timed_segment_f1([at_64_ms > 0], [at_64_ms], hop_ms=64.0, segment_s=1.0, macro=False)
    assert timed.hits.tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("hop_ms", "said", "true", "hits", "errors"),
    [
        (40.0, [20], [10], 1, 0),  # centres 0.82 s and 0.42 s
        (40.0, [24], [25], 0, 2),  # 0.98 s and 1.02 s
        (40.0, [25], [49], 1, 0),  # 1.02 s and 1.98 s
        (600.0, [0], [1], 1, 0),  # 0.3 s and 0.9 s
        (600.0, [1], [2], 0, 2),  # 0.9 s and 1.5 s
    ],
)
def test_a_frame_belongs_to_the_timed_segment_of_its_centre(
    hop_ms: float, said: list[int], true: list[int], hits: int, errors: int
) -> None:
    marks = np.zeros((2, 50, 1), dtype=bool)
    marks[0, said], marks[1, true] = True, True
    found = timed_segment_f1([marks[0]], [marks[1]], hop_ms=hop_ms, segment_s=1.0, macro=False)
    assert (found.hits.tolist(), found.errors.tolist()) == ([[hits]], [[errors]])


def test_recall_does_not_depend_on_the_length_of_embeddings() -> None:
    audio, owner = np.random.default_rng(0).standard_normal((8, 4)), np.arange(8)
    text = audio + np.random.default_rng(1).standard_normal((8, 4))
    plain = recall_at_1(audio, text, owner)
    lengths = np.geomspace(1e-6, 1e6, 8)[:, None]
    scaled = recall_at_1(audio * lengths, text * lengths[::-1], owner)
    assert [one.value for one in scaled] == [one.value for one in plain]


@pytest.mark.parametrize("index", range(3))
def test_recall_is_that_of_x_ares(oracle: Oracle, index: int) -> None:
    answers = oracle("retrieval.npz")
    audio, text = answers[f"audio_{index}"][::5], answers[f"text_{index}"]
    there, back = recall_at_1(audio, text, np.arange(len(text)) // 5)
    assert 100 * there.value == pytest.approx(float(answers[f"a2t.r1_{index}"]), abs=1e-9)
    assert 100 * back.value == pytest.approx(float(answers[f"t2a.r1_{index}"]), abs=1e-9)
    assert (there.value + back.value) / 2 == pytest.approx(float(answers[f"clapscore_r1_{index}"]), abs=1e-9)
