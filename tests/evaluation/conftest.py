from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audio_encoder_checker.evaluation.job import Part
from audio_encoder_checker.evaluation.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ORACLE = Path(__file__).parent / "oracle"


@pytest.fixture(scope="session")
def oracle() -> Callable[[str], dict[str, NDArray[Any]]]:
    """Read one file of X-ARES's answers."""

    def read(name: str) -> dict[str, NDArray[Any]]:
        with np.load(ORACLE / name, allow_pickle=False) as file:
            return dict(file)

    return read


@pytest.fixture(scope="session")
def embedded_task() -> Callable[..., EmbeddedTask]:
    """Build a task with embeddings of its classes: `apart` times unit noise away from one another."""

    def build(
        task: str = "quick-speech", clips: int = 120, dim: int = 16, apart: float = 8.0, **changes: object
    ) -> EmbeddedTask:
        draw = np.random.default_rng(5)
        recipe = replace(load_task(task), **({"classes": 4, "weight": 100.0} | changes))  # type: ignore[arg-type]  # of a test
        labels = np.arange(clips, dtype=np.int64) % recipe.classes
        centres = apart * draw.standard_normal((recipe.classes, dim))
        vectors = (centres[labels] + draw.standard_normal((clips, dim))).astype(np.float32)
        split = np.repeat([0, 1, 2], [clips // 2, clips // 4, clips - clips // 2 - clips // 4]).astype(np.uint8)
        return EmbeddedTask(recipe, vectors, labels, split)

    return build
