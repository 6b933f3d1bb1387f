"""Every command that README and docs show is run as it stands, page by page, in a folder that the page would have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pdfs, shards
from tests.organising.specimens import SPECIMENS, zipped
from tests.profiles import BRIEF, changed_profile

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_HERE = {
    "make ": "sets up, lints and tests the whole house: what runs this test",
    "pip install -c constraints.txt .": "a second environment of several gigabytes; `make` installs the same",
    "pip install safetensors": "into the environment that runs this test, which has it",
    "pip install -r ": "the same",
    "sudo apt-get": "asks for a password",
    "hf auth login": "needs an account of the Hugging Face Hub",
    "aecc-package upload": "the same; tests/packing runs it against a Hub of its own",
    "aecc-data fetch": "downloads gigabytes; tests/datasets runs it against a server of its own",
    "aecc-data verify": "holds what was fetched against published sizes; the same",
    "aecc-check submission.zip --device cuda": "needs a GPU",
}
"""How commands begin that cannot be run here, and why."""
INSTEAD = {
    "aecc-check --follow inbox --out results": (
        "timeout --signal=INT 8 aecc-check --follow inbox --out results --resume{few}; test $? = 0 -o $? = 124",
        "it would go on for ever; the page's folder holds results by then",
    ),
    "aecc-check submission.zip --fix": ("yes | aecc-check submission.zip --fix{few}", "it asks"),
}
"""What is run instead of a command, and why; `{few}` is where its few calls go."""
FULL = re.compile(r"aecc-check (?!audit|export|--)(?!.*--(until|stage|no-eval|data)).*|aecc-package build.*")
"""Commands with an evaluation of the quick set: README makes one, the others leave it out."""
RUNS = re.compile(
    r"aecc-check (?!audit|export|--(?!trust|follow))(?!.*--(until (source|rules|archive)|stage|profile)).*"
    r"|aecc-package build.*"
)
"""Commands that call an encoder: a few calls will do."""


def commands(page: Path) -> list[tuple[str, int]]:
    """What a page's console blocks show, with the exit status that a comment tells."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    found = []
    for line in lines:
        command, _, comment = re.sub(r"\s+# ", "\0", line, count=1).partition("\0")
        status = re.search(r"exit status (\d+)", comment)
        assert command.strip(), f"{page.name}: an empty command"
        found.append((command.strip(), int(status[1]) if status else 0))
    return found


def prepare(folder: Path) -> None:
    """What pages take for granted: a submission, its paper, an inbox, some data."""
    zipped("good-frames", folder / "submission.zip")
    for path in (SPECIMENS / "good-frames").iterdir():
        if path.suffix in (".py", ".txt", ".md") and "expected" not in path.name:
            shutil.copy(path, folder)
    (folder / "inbox").mkdir()
    zipped("good-frames", folder / "inbox" / "team1.zip")
    zipped("AEC402-import-failure", folder / "inbox" / "team2.zip")
    (folder / "team.pdf").write_bytes(pdfs.report(5))
    (folder / "image.txt").write_text("numpy>=1\n")
    shutil.copytree(ROOT / "example_submission", folder / "example_submission")
    for name in ("data", "DIR"):
        shards.write_task(folder / name, "esc50")


@pytest.mark.box
@pytest.mark.timeout(580)
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_every_command_of_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    prepare(tmp_path)
    brief = changed_profile(tmp_path, **BRIEF)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    evaluated = page.name != "README.md"
    for command, status in commands(page):
        if any(command.startswith(one) for one in NOT_HERE):
            continue
        whole = bool(FULL.fullmatch(command)) and not evaluated
        less = " --until contract" if "check submission.zip" in command and page.name != "README.md" else " --no-eval"
        few = less if (FULL.fullmatch(command) or "--follow" in command) and not whole else ""
        few += f" --profile {brief}" if RUNS.fullmatch(command) else ""
        line = INSTEAD[command][0].format(few=few) if command in INSTEAD else command + few
        evaluated = evaluated or whole
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == status, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"


def test_no_exception_has_outlived_its_command() -> None:
    shown = [command for page in PAGES for command, _ in commands(page)]
    assert [one for one in NOT_HERE if not any(command.startswith(one) for command in shown)] == []
    assert set(INSTEAD) <= set(shown)
