from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evaluation.tasks import all_tasks
from tests.datasets.server import serving
from tests.shards import write_task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.datasets.server import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Records of two tasks."""
    with serving() as state:
        for task_id in ("vocalsound", "desed"):
            folder = write_task(tmp_path / "source", task_id, 3)
            number = all_tasks()[task_id].layout.zenodo
            state.records[number] = {path.name: path.read_bytes() for path in sorted(folder.glob("*.tar"))}
        yield state
