"""What is read of a repository, and from where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.submission import read_submission
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.evidence.habits import HabitFacts, HabitKind
from audio_encoder_checker.evidence.secrets import SecretFacts
from audio_encoder_checker.evidence.source import SourceFacts
from audio_encoder_checker.evidence.weights import WeightFacts
from audio_encoder_checker.stages.reading import KINDS, read_repository
from tests.builders import make_zip, write_tree
from tests.weights import GOOD_LEGACY, GOOD_SAFETENSORS, GOOD_ZIP, npy

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ENCODER = "import torch\nclass TinyEncoder(torch.nn.Module):\n    def forward(self, audio): return audio\n"
FILES: dict[str, bytes | str] = {
    "team/encoder.py": ENCODER,
    "team/a.safetensors": GOOD_SAFETENSORS,
    "team/b.pt": GOOD_ZIP,
    "team/c.pt": GOOD_LEGACY,
    "team/d.npy": npy("'<f4'", "(3,)", bytes(12)),
    "team/e.pt": GOOD_ZIP[:-30],
}


def weights(facts: tuple[object, ...]) -> WeightFacts:
    (found,) = (one for one in facts if isinstance(one, WeightFacts))
    return found


def test_weights_read_in_the_archive_are_those_that_would_be_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audio_encoder_checker.archive.unpack.LARGE_BYTES", 16)
    path = tmp_path / "submission.zip"
    path.write_bytes(make_zip(FILES, compress=False))
    submission, listing = read_submission(path), read_listing(path)
    found = []
    for packed in (False, True):
        root = tmp_path / str(packed)
        unpacked = unpack(path, listing, root, leave_packed=packed)
        assert len(unpacked.left_packed) == (len(FILES) if packed else 0)
        if packed:
            (root / "team/encoder.py").write_text(ENCODER)  # sources are never as large as what stays packed
        found.append(weights(read_repository(root, submission, "", unpacked)))
    assert found[0] == found[1]
    assert {one.path: bool(one.flaws) for one in found[0].files} == {
        "a.safetensors": False, "b.pt": False, "c.pt": False, "d.npy": False, "e.pt": True,
    }  # fmt: skip


def test_one_of_each_kind_comes_back(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"encoder.py": ENCODER})
    assert [type(one) for one in read_repository(root, read_submission(root))] == list(KINDS)


def test_of_one_file_the_folder_around_it_is_not_read(tmp_path: Path) -> None:
    value = "hf" + "_" + "QwErTyUiOpAsDfGhJkLzXcVbNmPoIuYtRe"
    root = write_tree(tmp_path / "repo", {"encoder.py": ENCODER, "notes.txt": value, "w.pt": "no weights"})
    facts = read_repository(root, read_submission(root / "encoder.py"), "encoder.py")
    assert weights(facts) == WeightFacts()
    assert SecretFacts() in facts


def test_the_encoder_that_was_named_is_the_one_that_is_read(tmp_path: Path) -> None:
    other = "import torch\nclass OtherEncoder:\n    weights = torch.load('w.pt')\n"
    root = write_tree(tmp_path / "repo", {"encoder.py": ENCODER, "other.py": other, "w.pt": GOOD_ZIP})
    facts = read_repository(root, read_submission(root), "other.py:OtherEncoder")
    (sources,) = (one for one in facts if isinstance(one, SourceFacts))
    (habits,) = (one for one in facts if isinstance(one, HabitFacts))
    assert [one.path for one in sources.files] == ["other.py"]
    assert [(one.at, one.what) for one in habits.habits] == [("other.py:3", "w.pt")]


def test_a_large_file_that_stays_in_the_archive_is_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio_encoder_checker.archive.unpack.LARGE_BYTES", 1_000)
    source = "import torch\nclass TinyEncoder:\n    weights = torch.load('w.pt')\n"
    path = tmp_path / "submission.zip"
    path.write_bytes(make_zip({"encoder.py": source, "w.pt": bytes(5_000)}, compress=False))
    unpacked = unpack(path, read_listing(path), tmp_path / "out", leave_packed=True)
    assert [one.name for one in unpacked.left_packed] == ["w.pt"]
    facts = read_repository(tmp_path / "out", read_submission(path), "", unpacked)
    (habits,) = (one for one in facts if isinstance(one, HabitFacts))
    assert [one.kind for one in habits.habits] == [HabitKind.WORKING_FOLDER]
