"""Addresses of the Hub: which repository, revision and file they are about."""

from __future__ import annotations

import re
from urllib.parse import unquote

from audio_encoder_checker.evidence.network import HubFile
from audio_encoder_checker.printable import printable

_KIND = r"(?:/(?P<kind>datasets|spaces))?"
_API = r"/api/(?P<kind>models|datasets|spaces)"
_NAME = r"(?P<repository>[\w.-]+(?:/[\w.-]+)?)"
_PATHS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"/api/resolve-cache/(?P<kind>models|datasets|spaces)/{_NAME}/(?P<revision>[0-9a-f]{{40}})/(?P<file>.+)",
        rf"{_KIND}/{_NAME}/(?:resolve|raw)/(?P<revision>refs/[^/]+/[^/]+|[^/]+)/(?P<file>.+)",
        rf"{_API}/{_NAME}/(?:revision|tree|paths-info)/(?P<revision>[^/]+)(?:/.*)?",
        rf"{_API}/{_NAME}",
        rf"{_KIND}/{_NAME}\.git/.*",
    )
)
_RAW = re.compile(rf"{_KIND}/{_NAME}/raw/.*")
COMMIT = re.compile(r"[0-9a-f]{40}")


def is_content(path: str) -> bool:
    """Whether an address is that of a file's content, and not of its pointer in git."""
    return any(pattern.fullmatch(path) for pattern in _PATHS[:2]) and not _RAW.fullmatch(path)


def hub_file(path: str) -> HubFile | None:
    """What an address is about.

    Args:
        path: as in the request, without the query.

    Returns:
        All parts decoded and printable; None if it is about no repository.
    """
    for pattern in _PATHS:
        found = pattern.fullmatch(path)
        if found:
            parts = found.groupdict()
            revision, file = (printable(unquote(parts.get(name) or "")) for name in ("revision", "file"))
            kind = (parts["kind"] or "models").removesuffix("s")
            commit = revision if COMMIT.fullmatch(revision) else ""
            return HubFile(parts["repository"], kind, revision, file, commit)
    return None
