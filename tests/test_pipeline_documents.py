"""What travels with a submission is read in the stage of rules: its manifest, and the report that its settings name."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.manifest import MANIFEST
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evidence.documents import PaperFacts
from audio_encoder_checker.packing.build import build_zip
from audio_encoder_checker.pipeline import Options, check_submission
from tests.builders import make_zip
from tests.pdfs import report

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.report import Report

ENCODER = "import torch\n\n\nclass TeamEncoder(torch.nn.Module):\n    def forward(self, audio):\n        return audio\n"


@pytest.fixture
def team(tmp_path: Path) -> Path:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "encoder.py").write_text(ENCODER)
    (tmp_path / "team" / "model.bin").write_bytes(b"w" * (17 << 20))  # so large that it stays packed
    return tmp_path / "team"


def judged(path: Path) -> Report:
    return check_submission(path, Options(stages=("archive", "source", "rules")))


def manifest_ids(path: Path) -> list[str]:
    return [finding.id for finding in judged(path).findings if finding.id.startswith("AEC90")]


def test_a_manifest_that_fits_and_none_at_all_are_no_findings(team: Path, tmp_path: Path) -> None:
    build_zip(team, tmp_path / "built.zip")
    assert manifest_ids(tmp_path / "built.zip") == []
    (tmp_path / "other.zip").write_bytes(make_zip({"encoder.py": ENCODER}))
    assert manifest_ids(tmp_path / "other.zip") == []
    open_questions = judged(tmp_path / "other.zip").open_questions
    assert not [skipped.id for skipped in open_questions if skipped.id.startswith("AEC90")]


def test_a_file_that_was_changed_after_packing_is_an_error(team: Path, tmp_path: Path) -> None:
    build_zip(team, tmp_path / "built.zip")
    with zipfile.ZipFile(tmp_path / "built.zip") as archive:
        manifest = archive.read(MANIFEST)
    changed: dict[str, bytes | str] = {"encoder.py": ENCODER + "\n", "model.bin": b"w" * (17 << 20), MANIFEST: manifest}
    (tmp_path / "changed.zip").write_bytes(make_zip(changed, compress=False))
    assert manifest_ids(tmp_path / "changed.zip") == ["AEC905"]
    changed["model.bin"] = b"v" + b"w" * ((17 << 20) - 1)
    (tmp_path / "changed.zip").write_bytes(make_zip({f"team/{n}": d for n, d in changed.items()}, compress=False))
    assert manifest_ids(tmp_path / "changed.zip") == ["AEC905", "AEC905"]


def paper(path: Path) -> str | None:
    facts = judged(path).evidence.get(PaperFacts)
    return facts.paper.path if facts and facts.paper else None


def test_the_settings_of_a_folder_name_its_report_wherever_it_lies(team: Path, tmp_path: Path) -> None:
    (tmp_path / "final.pdf").write_bytes(report())
    (team / "aecc.toml").write_text('paper = "../final.pdf"\n')
    assert paper(team) == str((tmp_path / "final.pdf").resolve())
    (tmp_path / "final.pdf").unlink()
    with pytest.raises(UsageError, match=r"the settings name the paper '\.\./final\.pdf', which is not there") as error:
        judged(team)
    assert error.value.hint == f"put it at {tmp_path.resolve() / 'final.pdf'}, or mend `paper = ...` in aecc.toml"


@pytest.mark.parametrize("declared", ["a\\u0000b.pdf", "x" * 300 + ".pdf"], ids=["NUL", "too long"])
def test_a_paper_whose_name_no_file_system_holds_is_not_there(declared: str, team: Path, tmp_path: Path) -> None:
    settings = f'paper = "{declared}"\n'
    (tmp_path / "team.zip").write_bytes(make_zip({"encoder.py": ENCODER, "aecc.toml": settings}))
    assert paper(tmp_path / "team.zip") is None
    (team / "aecc.toml").write_text(settings)
    with pytest.raises(UsageError, match="which is not there"):
        judged(team)


def test_the_settings_of_an_archive_lead_nowhere_outside_it(tmp_path: Path) -> None:
    (tmp_path / "secret.pdf").write_bytes(report())
    (tmp_path / "sub").mkdir()
    for declared in (str(tmp_path / "secret.pdf"), "../../../../secret.pdf", "gone.pdf"):
        files = {"encoder.py": ENCODER, "aecc.toml": f"paper = {declared!r}\n"}
        (tmp_path / "sub" / "team.zip").write_bytes(make_zip(files))
        assert paper(tmp_path / "sub" / "team.zip") is None
    whole: dict[str, bytes | str] = {
        "encoder.py": ENCODER,
        "aecc.toml": "paper = 'doc/text.pdf'\n",
        "doc/text.pdf": report(),
    }
    (tmp_path / "sub" / "team.zip").write_bytes(make_zip(whole))
    assert paper(tmp_path / "sub" / "team.zip") == "doc/text.pdf"
