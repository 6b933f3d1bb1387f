"""What a receipt says, and whether it still fits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.inspection import inspect_receipt
from audio_encoder_checker.packing.receipt import (
    MOST_BYTES,
    attach_paper,
    read_receipt,
    receipt_beside,
    report_beside,
    write_receipt,
)
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.rules import load_rules, schema
from tests.builders import make_zip

if TYPE_CHECKING:
    from pathlib import Path

ENCODER = "import torch\n\n\nclass TeamEncoder(torch.nn.Module):\n    def forward(self, audio):\n        return audio\n"


@pytest.fixture
def checked(tmp_path: Path) -> Path:
    """An archive with receipt and report of a check that runs nothing."""
    archive, paper = tmp_path / "team.zip", tmp_path / "paper.pdf"
    archive.write_bytes(make_zip({"encoder.py": ENCODER, "requirements.txt": "torch\n", "README.md": "x"}))
    paper.write_bytes(b"%PDF-1.4")
    report = check_submission(archive, Options(stages=("archive", "source")))
    assert write_receipt(archive, report, "icme-2025", paper) == tmp_path / "team.receipt.json"
    return archive


def ids(archive: Path, paper: Path | None = None) -> list[str]:
    return [finding.id for finding in inspect_receipt(receipt_beside(archive), archive, paper)]


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_it_says_what_was_checked_by_what_and_with_which_result(checked: Path) -> None:
    document = json.loads(receipt_beside(checked).read_text())
    jsonschema.Draft202012Validator.check_schema(schema("receipt"))
    jsonschema.Draft202012Validator(schema("receipt")).validate(document)
    report = json.loads(report_beside(checked).read_text())
    assert document["archive"]["sha256"] == report["submission"]["sha256"]
    assert document["verdict"] == report["verdict"]
    assert document["profile"] == {"name": "icme-2025", "sha256": load_rules().sha256}
    assert document["findings"] == sorted({finding["id"] for finding in report["findings"]})
    assert document["paper"]["name"] == "paper.pdf"
    assert str(checked.parent) not in receipt_beside(checked).read_text()
    assert ids(checked) == []


def test_another_archive_is_found(checked: Path) -> None:
    checked.write_bytes(make_zip({"encoder.py": ENCODER + "\n"}))
    assert ids(checked) == ["AEC907"]


def test_a_renamed_archive_is_the_same(checked: Path) -> None:
    renamed = checked.rename(checked.with_name("other.zip"))
    receipt = checked.with_name("team.receipt.json")
    assert inspect_receipt(receipt, renamed) == ()


def test_a_changed_report_is_found(checked: Path) -> None:
    edit(report_beside(checked), verdict="ready" if ids(checked) else "not-ready")
    assert "AEC908" in ids(checked)
    report_beside(checked).unlink()
    assert ids(checked) == ["AEC908"]


def test_a_receipt_with_another_verdict_than_its_report_is_found(checked: Path) -> None:
    said = json.loads(receipt_beside(checked).read_text())["verdict"]
    edit(receipt_beside(checked), verdict="ready" if said != "ready" else "not-ready")
    assert ids(checked) == ["AEC908"]


@pytest.mark.parametrize("content", [b"{}", b"\xff", b"[" * 100_000, b"", b" " * (MOST_BYTES + 1)])
def test_what_is_no_receipt_is_said(checked: Path, content: bytes) -> None:
    receipt_beside(checked).write_bytes(content)
    assert ids(checked) == ["AEC906"]
    receipt_beside(checked).unlink()
    assert ids(checked) == ["AEC906"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"verdict": 1, "submission": {"sha256": []}}', b"\xff"])
def test_a_report_that_is_none_is_another_one(checked: Path, content: bytes) -> None:
    report_beside(checked).write_bytes(content)
    assert ids(checked) == ["AEC908"]


def test_a_name_in_a_receipt_leads_nowhere_else(checked: Path, tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    moved = checked.rename(tmp_path / "inside" / "team.zip")
    receipt = receipt_beside(checked).rename(receipt_beside(moved))
    edit(receipt, report={**json.loads(receipt.read_text())["report"], "name": "../team.report.json"})
    facts = read_receipt(receipt, moved)
    assert facts.report is not None
    assert facts.report.found is None


def test_another_paper_is_found_and_can_be_attached(checked: Path) -> None:
    other = checked.with_name("other.pdf")
    other.write_bytes(b"%PDF-1.5")
    assert ids(checked, other) == ["AEC909"]
    attach_paper(checked, other)
    assert ids(checked, other) == ids(checked) == []
    other.write_bytes(b"%PDF-1.6")
    assert ids(checked) == ["AEC909"]
    other.unlink()
    assert ids(checked) == ["AEC909"]


def test_a_paper_is_attached_to_its_own_archive_only(checked: Path) -> None:
    paper = checked.with_name("paper.pdf")
    before = receipt_beside(checked).read_bytes()
    checked.write_bytes(make_zip({"a.py": ""}))
    with pytest.raises(UsageError, match="another archive"):
        attach_paper(checked, paper)
    assert receipt_beside(checked).read_bytes() == before
    receipt_beside(checked).write_text("{}")
    with pytest.raises(UsageError, match="cannot read the receipt"):
        attach_paper(checked, paper)
    receipt_beside(checked).unlink()
    with pytest.raises(UsageError, match="No such file") as caught:
        attach_paper(checked, paper)
    assert "aecc-package build" in caught.value.hint


def test_a_receipt_that_is_not_there_is_told_as_missing(tmp_path: Path) -> None:
    facts = read_receipt(tmp_path / "a.receipt.json", tmp_path / "a.zip")
    assert facts.unreadable == "there is no such file: a receipt is sent beside the ZIP"
