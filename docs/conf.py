"""The documentation as a site: `make docs` makes build/site."""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "audio-encoder-checker"
author = "the authors of audio-encoder-checker"
release = importlib.metadata.version("audio-encoder-checker")
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"{project} {release}"
html_show_sourcelink = False
exclude_patterns = ["_build"]
myst_heading_anchors = 4


def setup(app: Sphinx) -> None:
    """Show links that lead out of docs/, into the repository, as plain words: the site does not hold their targets."""
    app.connect("source-read", _plain_outside_links)


def _plain_outside_links(_app: Sphinx, _name: str, source: list[str]) -> None:
    source[0] = re.sub(r"\[([^\]]+)\]\(\.\./[^)]+\)", r"\1", source[0])
