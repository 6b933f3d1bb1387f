"""Every template from an empty folder to a ZIP: its own tests pass, it is checked as it is, and the receipt fits."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from audio_encoder_checker.cli.package import TEMPLATE_NAMES, package
from audio_encoder_checker.packing.template import COMMON, TEMPLATES, find_templates
from tests.honest import known
from tests.profiles import QUICKER, changed_profile

if TYPE_CHECKING:
    from pathlib import Path


def invoke(*words: object) -> str:
    done = CliRunner().invoke(package, [str(word) for word in words], standalone_mode=False)
    assert done.return_value == 0, done.output
    return done.output


def test_every_template_can_be_chosen() -> None:
    folders = {entry.name for entry in find_templates().iterdir() if entry.is_dir()} - {COMMON}
    assert folders == set(TEMPLATES) == set(TEMPLATE_NAMES)


@pytest.mark.parametrize("template", TEMPLATE_NAMES)
def test_its_own_tests_pass(template: str, tmp_path: Path) -> None:
    invoke("init", tmp_path / "team", "--template", template)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path / "team", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.box
@pytest.mark.parametrize("template", TEMPLATE_NAMES)
def test_from_an_empty_folder_to_a_zip_that_is_ready(template: str, tmp_path: Path) -> None:
    said = invoke("init", tmp_path / "team", "--template", template)
    assert "what only you can fill in:" in said
    target = tmp_path / "team.zip"
    brief = changed_profile(tmp_path, **QUICKER)
    words = ("--box", "auto", "--trust", "--device", "cpu", "-q", "--profile", brief)
    scored = () if template == "wrapper" else ("--no-eval",)  # its hop divides no clip, which scoring has to bear
    invoke("build", tmp_path / "team", "-o", target, *words, *scored)
    receipt = json.loads((tmp_path / "team.receipt.json").read_text())
    expected = known()[f"template_{template}"]
    assert receipt["verdict"] == expected["verdict"].lower()
    assert list(receipt["findings"]) == [line.split()[1] for line in expected["findings"]]
    assert "fits the receipt" in invoke("verify", target, "--receipt")
