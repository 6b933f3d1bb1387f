"""The templates for CI systems: valid, careful, and run here as far as a machine without them can."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.organising.specimens import SPECIMENS

ROOT = Path(__file__).parents[1]
CI = ROOT / "docs" / "ci"
BIN = Path(sys.executable).parent
GITLAB = yaml.safe_load((CI / "gitlab.yml").read_text(encoding="utf-8"))[".aecc-check"]
COMMENT = yaml.safe_load((CI / "comment.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("github-workflows", CI / "github.yml"),
        ("github-workflows", CI / "comment.yml"),
        ("github-actions", ROOT / "action.yml"),
        ("gitlab-ci", CI / "gitlab.yml"),
    ],
    ids=lambda one: one.name if isinstance(one, Path) else one,
)
def test_the_systems_own_schemas_are_met(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [CI / "github.yml", CI / "comment.yml", ROOT / "action.yml"], ids=lambda p: p.name)
def test_no_workflow_pastes_what_others_say_into_a_command(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = [document["runs"]] if "runs" in document else list(document["jobs"].values())
    steps = [step for job in jobs for step in job["steps"]]
    assert not [step for step in steps if "${{" in step.get("run", "")]
    uses = [step["uses"] for step in steps if "uses" in step and "OWNER" not in step["uses"]]
    assert all(len(one.partition("@")[2]) == 40 for one in uses), "a tag can be moved, a commit cannot"


def test_whoever_runs_foreign_code_may_write_nothing_and_whoever_writes_runs_none() -> None:
    check = yaml.safe_load((CI / "github.yml").read_text(encoding="utf-8"))
    assert check["permissions"] == {}
    assert check["jobs"]["check"]["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in check[True], "YAML takes `on` for true"
    text = (CI / "comment.yml").read_text(encoding="utf-8")
    assert "checkout" not in text.partition("jobs:")[2]


def team(folder: Path, specimen: str) -> Path:
    for path in (SPECIMENS / specimen).iterdir():
        if path.is_file() and "expected" not in path.name:
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.box
@pytest.mark.parametrize(("specimen", "status"), [("good-frames", 0), ("AEC402-import-failure", 1)])
def test_gitlabs_job_leaves_all_reports(specimen: str, status: int, tmp_path: Path) -> None:
    variables = {name: str(value) for name, value in GITLAB["variables"].items()}
    done = shell("\n".join(GITLAB["script"]), team(tmp_path, specimen), **variables)
    assert done.returncode == status, done.stderr
    wanted = {GITLAB["artifacts"]["reports"][kind] for kind in ("junit", "codequality")}
    left = {f"aecc-reports/{path.name}" for path in (tmp_path / "aecc-reports").iterdir()}
    assert wanted <= left
    assert {Path(one).suffix for one in left} == {".xml", ".json", ".html"}
    rows = json.loads((tmp_path / "aecc-reports" / "quality.json").read_text())
    assert [row["check_name"][:6] for row in rows][:1] == ["AEC402"] * status


HOOKS = {one["id"]: one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}


@pytest.mark.parametrize(("source", "status"), [(None, 0), ("class TeamEncoder(:\n", 1)])
def test_the_static_hook_judges_without_torch(source: str | None, status: int, tmp_path: Path) -> None:
    team(tmp_path, "good-frames")
    if source:
        (tmp_path / "encoder.py").write_text(source)
    done = shell(f"PYTHONPROFILEIMPORTTIME=1 {HOOKS['aecc-static']['entry']}", tmp_path)
    assert done.returncode == status, done.stdout
    imported = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    assert "click" in imported
    assert "torch" not in imported


@pytest.mark.box
def test_the_hook_before_a_push_loads_the_encoder(tmp_path: Path) -> None:
    done = shell(HOOKS["aecc-contract"]["entry"], team(tmp_path, "AEC503-zero-frames"))
    assert done.returncode == 1
    assert "AEC503 zero-frames" in done.stdout


FAKE_GH = """#!/bin/bash
echo "$@" >> "$CALLS"
filter=. ; for ((i = 1; i < $#; i++)); do if [ "${!i}" = --jq ]; then n=$((i + 1)); filter=${!n}; fi; done
case "$*" in
    *PATCH*) echo edited >> "$DONE"; cp comment.md "$COMMENTED" ;;
    *"/pulls?state=open"*) jq -r "$filter" pulls.json ;;
    *"/artifacts?name="*) jq -r "$filter" artifacts.json ;;
    *"/artifacts/3/zip") cat artifact.zip ;;
    *"/comments"*) jq -r "$filter" comments.json ;;
    "pr comment"*) cp comment.md "$COMMENTED" ;;
    *) echo "not expected: $*" >&2; exit 1 ;;
esac
"""
SHA = "a" * 40
MARK = "<!-- aecc-check -->\n"


def pull(number: int, repository: str = "alice/team", ref: str = "fix", sha: str = SHA) -> dict[str, Any]:
    return {"number": number, "head": {"sha": sha, "ref": ref, "repo": {"full_name": repository}}}


def remark(number: int, login: str, body: str) -> dict[str, Any]:
    return {"id": number, "user": {"login": login}, "body": body}


def comment(
    folder: Path,
    members: dict[str, bytes] | None,
    pulls: list[dict[str, Any]],
    comments: list[dict[str, Any]] | None = None,
    size: int | None = None,
) -> tuple[str, str]:
    """Run the step of the second workflow against a `gh` that applies its filters and writes down what it is asked."""
    (folder / "bin").mkdir()
    (folder / "bin" / "gh").write_text(FAKE_GH)
    (folder / "bin" / "gh").chmod(0o755)
    with zipfile.ZipFile(folder / "artifact.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (members or {}).items():
            archive.writestr(name, content)
    length = (folder / "artifact.zip").stat().st_size if size is None else size
    artifacts = [] if members is None else [{"id": 3, "size_in_bytes": length}]
    facts = {"pulls": pulls, "comments": comments or [], "artifacts": {"artifacts": artifacts}}
    for name, fact in facts.items():
        (folder / f"{name}.json").write_text(json.dumps(fact))
    (step,) = COMMENT["jobs"]["comment"]["steps"]
    event = {"GH_REPO": "lab/team", "RUN_ID": "7", "HEAD_SHA": SHA, "HEAD_REF": "fix", "HEAD_REPO": "alice/team"}
    files = {"CALLS": folder / "calls", "DONE": folder / "done", "COMMENTED": folder / "commented"}
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, **event, **{key: str(file) for key, file in files.items()}, "PATH": path}
    command = ["bash", "-c", step["run"]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    commented = folder / "commented"
    return (folder / "calls").read_text(), commented.read_text() if commented.exists() else ""


needs_jq = pytest.mark.skipif(
    not (shutil.which("jq") and shutil.which("unzip")), reason="the filters of gh are played by jq, and unzip reads"
)


@needs_jq
def test_the_comment_goes_to_the_pull_request_that_github_names(tmp_path: Path) -> None:
    stranger = pull(5, "mallory/team")
    other_branch = pull(6, ref="copy")
    members = {"aecc.markdown": b"## NOT READY\n" + b"x" * 10_000_000, "pr-number": b"999"}
    calls, text = comment(tmp_path, members, [stranger, other_branch, pull(12)])
    assert "pr comment 12 --body-file comment.md" in calls
    assert "999" not in calls, "what the artifact says of itself is not asked"
    assert text.startswith(f"{MARK}## NOT READY\n")
    assert len(text) < 65_536, "GitHub takes no more characters"


@needs_jq
def test_only_its_own_comment_is_edited(tmp_path: Path) -> None:
    said = [
        remark(1, "mallory", MARK),
        remark(2, "github-actions[bot]", "preview"),
        remark(3, "github-actions[bot]", MARK),
    ]
    calls, text = comment(tmp_path, {"aecc.markdown": b"## READY\n"}, [pull(12)], said)
    assert "PATCH repos/lab/team/issues/comments/3 " in calls
    assert "pr comment" not in calls
    assert text == f"{MARK}## READY\n"


@needs_jq
def test_names_and_commands_in_the_artifact_reach_nobody(tmp_path: Path) -> None:
    _, text = comment(tmp_path, {"aecc.markdown": b"/approve\n@lab/admins\n"}, [pull(12)])
    assert text == f"{MARK}\u200b/approve\n@\u200blab/admins\n"


@needs_jq
@pytest.mark.parametrize(
    ("members", "pulls", "size"),
    [
        ({"aecc.markdown": b"x"}, [], None),
        ({"aecc.markdown": b"x"}, [pull(5, "mallory/team")], None),
        ({"aecc.markdown": b"x"}, [pull(12, sha="b" * 40)], None),
        (None, [pull(12)], None),
        ({"pr-number": b"12"}, [pull(12)], None),
        ({"aecc.markdown": b"x"}, [pull(12)], 50_000_001),
    ],
    ids=["no pull request", "another fork's", "pushed again since", "no artifact", "no summary", "too large"],
)
def test_nothing_is_said_without_a_pull_request_and_a_summary_of_sane_size(
    members: dict[str, bytes] | None, pulls: list[dict[str, Any]], size: int | None, tmp_path: Path
) -> None:
    calls, text = comment(tmp_path, members, pulls, size=size)
    assert "pr comment" not in calls
    assert "PATCH" not in calls
    assert text == ""
    assert not size or "/zip" not in calls, "what is too large is not fetched"
