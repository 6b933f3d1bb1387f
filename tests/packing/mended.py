"""A submission that downloads a model, and what is asked of one that was mended."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from audio_encoder_checker.packing.mending.carry import carry_out
from audio_encoder_checker.packing.mending.plan import Wishes, planned
from tests.packing.hub import COMMIT

if TYPE_CHECKING:
    from pathlib import Path

ENCODER = "class TeamEncoder:\n    def forward(self, audio):\n        return audio\n"
LOADING = "from transformers import AutoModel\n\n\n" + ENCODER + "\n\nmodel = AutoModel.from_pretrained('a/b')\n"
PINNED = LOADING.replace("'a/b'", f"'a/b', revision=\"{COMMIT}\"")


def mend(path: Path, wishes: Wishes | None = None) -> tuple[Path, list[str]]:
    """Plan and carry out; the path to check, and the checks that were mended."""
    with planned(path, wishes) as plan:
        ids = [mending.check_id for mending in plan.mendings]
        return carry_out(plan) if plan.mendings else path, ids


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist() if name != ".aeccignore"}
