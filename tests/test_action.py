"""The GitHub action: its steps run here as they are, and nothing that a workflow says becomes part of a command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.profiles import BRIEF, changed_profile

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]


def test_inputs_reach_commands_through_the_environment_only() -> None:
    assert not [step for step in STEPS if "${{" in step.get("run", "")]
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text(encoding="utf-8")))
    assert used == set(ACTION["inputs"])


def test_what_steps_pass_on_is_what_the_script_reads() -> None:
    passed = {name for step in STEPS for name in step.get("env", {})}
    read = set(re.findall(r"\$\{?(AECC_\w+)", (ROOT / "tools" / "action.sh").read_text(encoding="utf-8")))
    assert passed == read


def run(folder: Path, **wishes: str) -> subprocess.CompletedProcess[str]:
    files = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, **files, **wishes, "PATH": path}
    command = ["bash", str(ROOT / "tools" / "action.sh"), "check"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.box
def test_a_good_submission_passes_and_leaves_all_reports(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests" / "specimens" / "good-frames", tmp_path / "my team")
    brief = changed_profile(tmp_path, **BRIEF)
    done = run(tmp_path, AECC_SUBMISSION="my team", AECC_EVALUATE="false", AECC_PROFILE=brief)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output").read_text() == "verdict=ready\nerrors=0\nwarnings=0\nreport=aecc-reports/aecc.json\n"
    assert (tmp_path / "summary.md").read_text().startswith("## ✅ READY: my team")
    assert {file.suffix for file in (tmp_path / "aecc-reports").iterdir()} == {
        ".text", ".json", ".html", ".junit", ".sarif", ".github", ".gitlab", ".markdown",
    }  # fmt: skip
    assert json.loads((tmp_path / "aecc-reports" / "aecc.json").read_text())["verdict"] == "ready"


def test_a_bad_submission_fails_the_step_with_annotations(tmp_path: Path) -> None:
    (tmp_path / "encoder.py").write_text("class TeamEncoder(:\n")
    done = run(tmp_path, AECC_EVALUATE="false", AECC_STRICT="true")
    assert done.returncode == 1
    assert "\n::error file=encoder.py,line=1,title=AEC206" in done.stdout
    assert "verdict=not-ready\nerrors=1\n" in (tmp_path / "output").read_text()


def test_what_cannot_be_checked_leaves_no_verdict(tmp_path: Path) -> None:
    done = run(tmp_path, AECC_SUBMISSION="--help; touch x.zip")
    assert done.returncode == 2
    assert not (tmp_path / "output").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["aecc-reports"]
