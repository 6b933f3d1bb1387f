"""Sources whose model downloads get the commit that the Hub has now: what is tested is what the organisers load."""

from __future__ import annotations

import io
import tokenize
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.downloads import find_downloads, pinned
from audio_encoder_checker.archive.syntax import MAX_SOURCE_BYTES, parse_source
from audio_encoder_checker.packing.mending.changes import Edited, Mending
from audio_encoder_checker.packing.mending.hub import Hub
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable
    from pathlib import Path

    from audio_encoder_checker.archive.downloads import Download

MOST_REPOSITORIES = 50
"""The Hub is asked for no more."""


def mend_downloads(root: Path, paths: Iterable[str]) -> tuple[Mending | None, tuple[str, ...]]:
    """Pin the downloads of some sources.

    Args:
        root: of the repository.
        paths: of the sources in it.

    Returns:
        The edits, or None; and which downloads are left alone, with the reason.
    """
    job = _Job(root)
    edits = [edit for path in paths if (edit := job.file(path))]
    mending = Mending("AEC601", "downloads get the commit that the Hub has now", tuple(edits)) if edits else None
    return mending, tuple(job.notes)


class _Job:
    """The sources of one repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hub = Hub()
        self.asked: set[tuple[str, str]] = set()
        self.notes: list[str] = []

    def file(self, path: str) -> Edited | None:
        """One source with its downloads pinned; None if there is nothing to pin."""
        parsed = parse_source(self.root / path, path)
        if parsed.tree is None:
            return None  # a check says so
        found = find_downloads(parsed.tree, lambda text: self._is_local(path, text))
        for line, repository, why in found.left:
            self._leave(path, line, repository, f"left alone, {why}")
        pins = [(one, commit) for one in found.downloads if (commit := self._commit(path, one))]
        return self._edit(path, parsed.text, parsed.tree, pins) if pins else None

    def _is_local(self, path: str, text: str) -> bool:
        """Whether a text names a file or folder of the repository, seen from the root or from the source."""
        return any((folder / text).exists() for folder in (self.root, (self.root / path).parent))

    def _commit(self, path: str, download: Download) -> str:
        key = (download.repository, download.kind)
        if key not in self.asked and len(self.asked) == MOST_REPOSITORIES:
            reason = f"only {MOST_REPOSITORIES} repositories are asked for"
            self._leave(path, download.call.lineno, download.repository, f"not asked, because {reason}")
            return ""
        self.asked.add(key)
        answer = self.hub.commit(*key)
        if answer.why:
            self._leave(path, download.call.lineno, download.repository, f"could not ask, because {answer.why}")
        return answer.commit

    def _edit(self, path: str, text: str, tree: ast.Module, pins: list[tuple[Download, str]]) -> Edited | None:
        try:
            before = (self.root / path).read_bytes()[: MAX_SOURCE_BYTES + 1]
            encoding, _ = tokenize.detect_encoding(io.BytesIO(before).readline)
            if before.decode(encoding) != text or text.encode(encoding) != before:
                raise ValueError(f"its text cannot be written back in {encoding}")  # noqa: TRY301 - one way out of here
            after_text = pinned(text, tree, pins)
            after = after_text.encode(encoding)
            if after.decode(encoding) != after_text:
                raise ValueError(f"its text cannot be written back in {encoding}")  # noqa: TRY301 - same
        except (OSError, SyntaxError, ValueError) as error:
            first = pins[0][0]
            self._leave(path, first.call.lineno, first.repository, f"left alone, {error}")
            return None
        return Edited(path, before, after, encoding)

    def _leave(self, path: str, line: int, repository: str, why: str) -> None:
        self.notes.append(f"{printable(path)}:{line} {printable(repository)}: {printable(why)}")
