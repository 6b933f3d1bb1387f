"""The stage of sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evidence.habits import HabitFacts
from audio_encoder_checker.evidence.secrets import SecretFacts
from audio_encoder_checker.evidence.source import SourceFacts
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.evidence.weights import WeightFacts
from audio_encoder_checker.judging import Evidence
from audio_encoder_checker.stages.reading import KINDS, read_repository
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "import torch\nclass AEncoder:\n    x = torch.load('weights.pt')\n"
KEY = "hf" + "_" + "QwErTyUiOpAsDfGhJkLzXcVbNmPoIuYtRe"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tree(tmp_path, {"a.py": SOURCE, "weights.pt": b"PK", "notes.txt": f'token = "{KEY}"\n'})


def read(root: Path, path: Path, kind: SubmissionKind, encoder: str = "") -> Evidence:
    evidence = Evidence()
    evidence.put(*read_repository(root, Submission(str(path), kind, "", 0), encoder))
    return evidence


def test_one_of_each_kind_is_made(root: Path) -> None:
    evidence = read(root, root, SubmissionKind.FOLDER)
    assert tuple(evidence.facts) == KINDS or set(evidence.facts) == set(KINDS)
    sources, habits = evidence.get(SourceFacts), evidence.get(HabitFacts)
    weights, secrets = evidence.get(WeightFacts), evidence.get(SecretFacts)
    assert sources and sources.chosen and sources.chosen.path == "a.py"
    assert habits and [one.what for one in habits.habits] == ["weights.pt"]
    assert weights and [one.path for one in weights.files] == ["weights.pt"]
    assert secrets and [one.path for one in secrets.secrets] == ["notes.txt"]


def test_of_a_file_alone_only_the_file_is_read(root: Path) -> None:
    evidence = read(root, root / "a.py", SubmissionKind.FILE, "a.py")
    weights, secrets = evidence.get(WeightFacts), evidence.get(SecretFacts)
    assert weights == WeightFacts()
    assert secrets and secrets.secrets == ()


def test_the_encoder_that_was_named_is_read(root: Path) -> None:
    write_tree(root, {"b.py": "class BEncoder:\n    def forward(self, x): pass\n"})
    sources = read(root, root, SubmissionKind.FOLDER, "b.py:BEncoder").get(SourceFacts)
    assert sources and sources.chosen and sources.chosen.path == "b.py"
    assert [one.path for one in sources.files] == ["b.py"]
