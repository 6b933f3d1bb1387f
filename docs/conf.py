"""The documentation as a site: `make docs` makes build/site."""

from __future__ import annotations

import importlib.metadata

project = "audio-encoder-checker"
author = "the authors of audio-encoder-checker"
release = importlib.metadata.version("audio-encoder-checker")
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"{project} {release}"
html_show_sourcelink = False
exclude_patterns = ["_build"]
myst_heading_anchors = 4
suppress_warnings = [
    "myst.xref_missing",  # the same: `../CONTRIBUTING.md` and the like lead somewhere in the repository
    "misc.highlighting_failure",  # console blocks hold output, too
]
