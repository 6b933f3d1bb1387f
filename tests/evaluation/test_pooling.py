from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.pooling import mean_over_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@pytest.mark.parametrize("clip", range(4))
def test_the_mean_is_that_of_x_ares(oracle: Callable[[str], dict[str, NDArray[Any]]], clip: int) -> None:
    answers = oracle("masked_mean.npz")
    pooled = mean_over_frames(answers[f"x_{clip}"][None])
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled[0], answers["pooled"][clip], atol=1e-7, rtol=0)


def test_frames_of_silence_count_like_any_other() -> None:
    frames = np.ones((1, 4, 3), dtype=np.float32)
    frames[0, 2:] = 0  # what an encoder without bias makes of padding
    assert mean_over_frames(frames).tolist() == [[0.5, 0.5, 0.5]]


def test_a_million_frames_lose_no_digits() -> None:
    frames = np.full((1, 1_000_000, 1), 0.1, dtype=np.float32)
    assert mean_over_frames(frames)[0, 0] == pytest.approx(0.1, rel=5e-7)  # added in float32 it would be 0.10096


@pytest.mark.parametrize("shape", [(2, 0, 8), (2, 8), (2, 3, 8, 1)])
def test_nothing_to_average_is_refused_with_the_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected embeddings of shape \[B, T, D\]") as caught:
        mean_over_frames(np.zeros(shape, dtype=np.float32))
    assert str(shape) in str(caught.value)
