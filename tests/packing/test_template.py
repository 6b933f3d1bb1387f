"""The starting point has to keep, unedited, every promise that a submission is checked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.template import PLACEHOLDER, class_name_for, start_submission

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    ".aeccignore", ".github/workflows/aecc.yml", "README.md", "aecc.toml", "encoder.py", "requirements.txt",
    "test_encoder.py",
}  # fmt: skip


def test_every_file_is_written_and_the_class_has_the_new_name(tmp_path: Path) -> None:
    name, written = start_submission(tmp_path / "deep" / "team-a", "plain")
    root = tmp_path / "deep" / "team-a"
    assert name == "TeamAEncoder"
    assert set(written) == {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()} == FILES
    assert not [p for p in root.rglob("*") if p.is_file() and PLACEHOLDER in p.read_text(encoding="utf-8")]
    classes = [n.name for n in ast.parse((root / "encoder.py").read_text()).body if isinstance(n, ast.ClassDef)]
    assert [c for c in classes if c.endswith("Encoder")] == ["TeamAEncoder"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("myteam", "MyteamEncoder"),
        ("my-team_v2", "MyTeamV2Encoder"),
        ("audioEncoder", "AudioEncoder"),
        ("3rd place", "RdPlaceEncoder"),
        ("我的", ""),
        ("2025", ""),
    ],
)
def test_a_class_name_is_made_of_the_folders_name(folder: str, name: str) -> None:
    assert class_name_for(folder) == name


@pytest.mark.parametrize(
    ("folder", "name", "words"),
    [
        ("我的", "", "gives no class name"),
        ("team", "TeamModel", "ends in Encoder"),
        ("team", "Team Encoder", "ends in Encoder"),
        ("team", "Encoder", "not unique"),
        ("my", "", "'MyEncoder' is not unique"),
    ],
)
def test_a_class_name_that_will_not_do_is_refused_before_anything_is_written(
    tmp_path: Path, folder: str, name: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        start_submission(tmp_path / folder, "plain", name)
    assert "--name" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "encoder.py").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        start_submission(tmp_path / "used", "plain")
    assert [p.read_text() for p in (tmp_path / "used").iterdir()] == ["mine"]
    with pytest.raises(UsageError, match="is a file"):
        start_submission(tmp_path / "used" / "encoder.py", "plain", "TeamEncoder")


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    start_submission(tmp_path / "team", "plain")
    assert (tmp_path / "team" / "encoder.py").is_file()


CONTRACT = """
import sys, torch, encoder as module
from encoder import TeamEncoder
torch.manual_seed(7)
state = torch.get_rng_state()
encoder = TeamEncoder()
assert torch.equal(state, torch.get_rng_state()), "construction touched the global generator"
assert [n for n in dir(module) if n.endswith("Encoder")] == ["TeamEncoder"]
assert not encoder.training and encoder.hop_size_in_ms == 10
long = torch.randn(1, 16000 * 25)
whole = encoder(long)
module.CHUNK = 77
torch.testing.assert_close(encoder(long), whole, rtol=1e-4, atol=1e-5)
padded = encoder(torch.nn.functional.pad(long, (0, 50_000)))
torch.testing.assert_close(padded[:, : whole.shape[1]], whole, rtol=1e-4, atol=1e-5)
assert encoder(torch.zeros(1, 1)).shape == (1, 1, 256)
click = torch.zeros(1, 32000)
click[0, 16080] = 1
moved = (encoder(click) - encoder(torch.zeros(1, 32000))).abs().sum(2)[0]
assert abs(int(moved.argmax()) - 100) <= 1, moved.argmax()
"""


def test_long_clips_padding_and_time_are_right(tmp_path: Path) -> None:
    start_submission(tmp_path / "team", "plain")
    done = subprocess.run(
        [sys.executable, "-c", CONTRACT], cwd=tmp_path / "team", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
