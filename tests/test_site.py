"""The documentation as a site: it builds without a warning, holds every page, and asks nobody for anything."""

from __future__ import annotations

import importlib.util
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def test_generated_pages_are_fresh() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "reference.py"))
    for name in ("commands", "schemas"):
        page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        assert page == made[f"{name}_page"](), "run python tools/reference.py"


def test_every_page_is_in_the_contents() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {name for block in re.findall(r"```{toctree}\n(.*?)```", index, re.DOTALL) for name in block.split("\n")}
    pages = {path.stem for path in DOCS.glob("*.md")} - {"index"}
    assert pages == listed & pages


@pytest.mark.skipif(importlib.util.find_spec("sphinx") is None, reason="not installed: pip install '.[docs]'")
def test_the_site_builds_without_a_warning_and_asks_nobody_for_anything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(https?:[^"]*)"', page.read_text("utf-8"))
        assert loaded == [], page.name
    assert 'id="aec503-zero-frames"' in (tmp_path / "checks.html").read_text("utf-8")
