"""Generated and quoted text is fresh."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.cli.check import check
from audio_encoder_checker.cli.data import data
from audio_encoder_checker.cli.organise import audit, export
from audio_encoder_checker.cli.package import package

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_generated_pages_are_fresh() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "document.py"))
    checks, evaluation = (
        (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("checks", "evaluation")
    )
    assert checks == made["checks_page"](), "run python tools/document.py"
    assert evaluation == made["evaluation_page"](evaluation), "run python tools/document.py"
    verdicts = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    assert verdicts == runpy.run_path(str(ROOT / "tools" / "verdicts.py"))["page"](), "run python tools/verdicts.py"


def commands(page: Path) -> list[str]:
    """Every aecc command that a page shows in a console block."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.removeprefix("$ ").split("  #")[0] for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("aecc-")]


@pytest.mark.parametrize("line", sorted({line for page in PAGES for line in commands(page)}))
def test_every_option_that_a_page_shows_exists(line: str) -> None:
    words = shlex.split(line)
    command = {"aecc-check": check, "aecc-data": data, "aecc-package": package}[words[0]]
    later = {"audit": audit, "export": export}.get(words[1]) if command is check else None
    help_arguments = ["--help"] if command is check else [words[1], "--help"]
    known = CliRunner().invoke(later or command, help_arguments).output
    assert all(word in known for word in words if word.startswith("--"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_ids_that_a_page_names_exist(page: Path) -> None:
    known = {one.id for one in all_checks()} | {"AEC540"}  # the example of CONTRIBUTING
    assert set(re.findall(r"AEC\d{3}", page.read_text(encoding="utf-8"))) <= known
