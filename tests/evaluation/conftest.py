from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import Round, ScoringJob
from tests.scoring import clip_part, frame_part, task_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ORACLE = Path(__file__).parent / "oracle"
SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="session")
def oracle() -> Callable[[str], dict[str, NDArray[Any]]]:
    """Read one file of X-ARES's answers."""

    def read(name: str) -> dict[str, NDArray[Any]]:
        with np.load(ORACLE / name, allow_pickle=False) as file:
            return dict(file)

    return read


@pytest.fixture(scope="session")
def scoring_job() -> Callable[..., ScoringJob]:
    """Build a job of one task with embeddings of its classes."""

    def build(
        kind: str = "clip-class", clips: int = 120, dim: int = 16, apart: float = 8.0, *,
        seed: int = 0, corrected: bool = False, **changes: object,
    ) -> ScoringJob:  # fmt: skip
        make = frame_part if kind.startswith("frame") else clip_part
        sizes = (clips // 2, clips // 4, clips - clips // 2 - clips // 4)
        parts = {
            name: make(kind, size, dim, apart, number)
            for number, (name, size) in enumerate(zip(SPLITS, sizes, strict=True))
        }
        rounds = (Round(*((name,) for name in SPLITS)),)
        return ScoringJob(task_of(kind, **changes), parts, rounds, 40.0, 10, 0.07, seed, corrected)

    return build
