"""An encoder in an environment of its own requirements, through the whole line, from an index of a few tiny wheels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evidence.installing import InstallFacts, RefusedLine
from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.evidence.requirements import Required, RequirementFacts
from audio_encoder_checker.evidence.run import Raised
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.report import Report, Verdict
from audio_encoder_checker.stages.environment import not_installed
from audio_encoder_checker.stages.options import Installing
from tests.installing.wheels import use_only, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.box

ENCODER = """import torch
import {module}

class TinyEncoder(torch.nn.Module):
    sampling_rate, output_dim, hop_size_in_ms = 16000, 4, 10

    def __init__(self):
        super().__init__()
        self.version = {module}.VERSION

    def forward(self, audio):
        return audio[:, : audio.shape[1] // 160 * 160].reshape(len(audio), -1, 160)[:, :, :4]
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    use_only(folder, monkeypatch, tmp_path)
    write_wheel(folder, "tinyaudio", "1.0")
    return folder


def checked(tmp_path: Path, requirements: str, module: str = "tinyaudio") -> Report:
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "encoder.py").write_text(ENCODER.replace("{module}", module), encoding="utf-8")
    (repository / "requirements.txt").write_text(requirements, encoding="utf-8")
    (repository / "README.md").write_text("Tiny.\n", encoding="utf-8")
    options = Options(stages=("source", "load"), device="cpu", installing=Installing(asked=True))
    return check_submission(repository, options)


@pytest.mark.usefixtures("index")
def test_the_encoder_runs_in_what_it_requires(tmp_path: Path) -> None:
    report = checked(tmp_path, "torch\ntinyaudio==1.0\n")
    facts = report.evidence.get(InstallFacts)
    assert facts
    assert "tinyaudio" in {one.name for one in facts.packages}
    assert report.evidence.get(EncoderFacts)
    assert not [one for one in report.findings if one.severity.value == "error"]
    assert report.verdict is Verdict.READY


@pytest.mark.usefixtures("index")
def test_what_only_the_checker_has_is_not_there(tmp_path: Path) -> None:
    report = checked(tmp_path, "torch\ntinyaudio==1.0\n", "rich")
    assert "AEC401" in {one.id for one in report.findings}
    assert report.verdict is Verdict.NOT_READY


@pytest.mark.usefixtures("index")
def test_requirements_that_cannot_be_installed_explain_the_missing_module(tmp_path: Path) -> None:
    report = checked(tmp_path, "torch\ntinyaudio==9.0\n")
    found = {one.id: one.because_of for one in report.findings if one.severity.value == "error"}
    assert found == {"AEC320": "", "AEC401": "AEC320"}


@pytest.mark.usefixtures("index")
def test_a_module_of_a_line_that_was_left_out_leaves_the_verdict_open(tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    report = checked(tmp_path, f"torch\nelsewhere @ git+https://example.org/elsewhere.git@{commit}\n", "elsewhere")
    assert report.verdict is Verdict.UNDECIDED
    assert any("requirements.txt:2, which was not installed" in one.reason for one in report.open_questions)


def test_an_option_that_was_left_out_excuses_nothing() -> None:
    raised = Raised("ModuleNotFoundError", "no", missing_module="x")
    option = InstallFacts("pip", "3.12", refused=(RefusedLine("requirements.txt:1", "--pre", "no", option=True),))
    assert not_installed(option, None, raised) == ""
    assert not_installed(None, None, raised) == ""
    assert not_installed(None, None, None) == ""


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        ("cv2", Required("requirements.txt", 3, "opencv-python", "opencv-python"), "`pip install opencv-python`"),
        ("safetensors", Required("requirements.txt", 3, "transformers", "transformers"), "`pip install transformers`"),
        ("nobody_knows", Required("requirements.txt", 3, "nobody-knows", "nobody-knows"), "requirements.txt:3"),
        ("cv2", Required("requirements.txt", 3, "opencv-python", "opencv-python", applies=False), ""),
        ("einops", Required("requirements.txt", 3, "transformers", "transformers"), ""),
    ],
)
def test_what_is_required_and_only_absent_here_is_excused(module: str, line: Required, says: str) -> None:
    raised = Raised("ModuleNotFoundError", f"No module named '{module}'", missing_module=module)
    told = not_installed(None, RequirementFacts(required=(line,)), raised)
    assert says in told if says else not told
    part = replace(raised, message=f"No module named '{module}.new'")
    assert not_installed(None, RequirementFacts(required=(line,)), part) == ""


def test_a_module_that_is_required_and_not_installed_here_leaves_the_verdict_open(tmp_path: Path) -> None:
    """The organisers will have it, so this is no defect of the submission."""
    (tmp_path / "encoder.py").write_text(ENCODER.replace("{module}", "tinyaudio"), encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("torch\ntinyaudio==1.0\n", encoding="utf-8")
    report = check_submission(tmp_path, Options(stages=("source", "load"), device="cpu"))
    assert "AEC401" not in {one.id for one in report.findings}
    assert report.verdict is Verdict.UNDECIDED
    assert any("tinyaudio' comes with requirements.txt:2" in one.reason for one in report.open_questions)
