"""The lists of requirements that pip reads, with those that they name, as far as they lie in the repository."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.repository_text import inside, read_inside, shown
from audio_encoder_checker.archive.requirement_lines import MAX_LINES, Line, read_text
from audio_encoder_checker.archive.requirement_parts import Place, understand
from audio_encoder_checker.evidence.requirements import Flaw, FlawKind, Required, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REQUIREMENTS = "requirements.txt"
OTHER_NAMES = re.compile(r"requirements[\w.-]*\.txt")
FOR_OTHERS = re.compile(r"dev|test|doc|lint|build|train", re.IGNORECASE)
MOST_FILES = 50
MOST_NESTED = 10
MOST_ENTRIES = 1_000
OWN_INDEX = re.compile(r"https://pypi\.(org|python\.org)(/simple)?/?")
TORCH_INDEX = re.compile(r"https://download\.pytorch\.org/whl(/\S*)?")


class RequirementLists:
    """What the lists say, as it is read.

    Attributes:
        files: those that were read.
        required: in order.
        flaws: in order.
        indexes: addresses of options that say where to look for distributions.
        installs_root: whether a line installs the repository itself.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: list[str] = []
        self.required: list[Required] = []
        self.flaws: list[Flaw] = []
        self.indexes: list[str] = []
        self.installs_root = False
        self._lines = 0
        self._options: dict[str, Callable[[str, Place], None]] = {
            "--index-url": self._index,
            "--extra-index-url": self._index,
            "--find-links": self._find_links,
            "--no-index": lambda _, place: self._flaw(FlawKind.INDEX, "--no-index", place),
            "--trusted-host": lambda value, place: self._flaw(FlawKind.TRUSTED_HOST, value, place),
            "--pre": lambda _, place: self._flaw(FlawKind.PRE_RELEASES, "--pre", place),
            "--all-releases": lambda value, place: self._flaw(FlawKind.PRE_RELEASES, f"--all-releases {value}", place),
            "--no-binary": lambda value, place: self._flaw(FlawKind.FORMATS, f"--no-binary {value}", place),
        }

    def read(self, path: str, standing: Standing = Standing.LISTED, within: tuple[str, ...] = ()) -> bool:
        """Read a list and those that it names.

        Args:
            path: relative to the root.
            standing: the kind of list.
            within: the lists that name it, the outermost first.

        Returns:
            Whether it is there.
        """
        found = read_inside(self.root, path)
        if found is None:
            return False
        if path in self.files:
            return True
        self.files.append(path)
        if found.too_large:
            self.flaws.append(Flaw(FlawKind.TOO_LARGE, path, 0, "more than 1 MiB"))
            return True
        text = read_text(found.data)
        if text.encoding != "utf-8":
            self.flaws.append(Flaw(FlawKind.ENCODING, path, 0, text.encoding.upper()))
        lines = text.lines[: MAX_LINES - self._lines]
        self._lines += len(lines)
        if text.cut or len(lines) < len(text.lines):
            self.flaws.append(Flaw(FlawKind.TOO_LARGE, path, 0, f"more than {MAX_LINES:,} lines"))
        for line in lines:
            self._line(line, Place(self.root, path, line.number, standing), within)
        return True

    def _flaw(self, kind: FlawKind, what: str, place: Place, detail: str = "", better: str = "") -> None:
        self.flaws.append(Flaw(kind, place.file, place.line, shown(what), detail, better))

    def _line(self, line: Line, place: Place, within: tuple[str, ...]) -> None:
        if line.error:
            better = "" if line.requirement else _mended_item(line.text)
            self._flaw(FlawKind.REFUSED, line.text, place, shown(line.error), better)
            return
        if line.ignored:
            ignored = shown(" ".join(line.ignored), limit=60)
            self._flaw(FlawKind.IGNORED, line.text, place, ignored, _mended_item(line.text))
        if line.requirement:
            self._requirement(line, place)
            return
        for name, value in line.options:
            if name in ("--requirement", "--constraint"):
                standing = Standing.CONSTRAINT if name == "--constraint" else place.standing
                self._nested(value, place._replace(standing=standing), within)
            elif name in self._options:
                self._options[name](value, place)

    def _requirement(self, line: Line, place: Place) -> None:
        meaning = understand(line.requirement, place, editable=line.editable)
        if line.variables and (meaning.flaw is None or meaning.flaw.kind is not FlawKind.VCS_PRIVATE):
            reason = f"nobody sets ${{{shown(line.variables[0], limit=40)}}} on the organisers' machine"
            self._flaw(FlawKind.REFUSED, line.text, place, reason)
            return
        if meaning.required:
            self.required.append(meaning.required)
        if meaning.flaw:
            self.flaws.append(meaning.flaw)
        self.installs_root = self.installs_root or meaning.is_root

    def _nested(self, value: str, place: Place, within: tuple[str, ...]) -> None:
        path = inside(self.root, PurePosixPath(place.file).parent.as_posix(), value) if "://" not in value else None
        above = (*within, place.file)
        if path is None:
            self._flaw(FlawKind.NESTED_OUTSIDE, value, place)
        elif path in above:
            self._flaw(FlawKind.REFUSED, value, place, "the list names itself")
        elif len(above) >= MOST_NESTED or len(self.files) >= MOST_FILES:
            self._flaw(FlawKind.TOO_LARGE, value, place, "one list names another, and that one the next, too often")
        elif not self.read(path, place.standing, above):
            self._flaw(FlawKind.NESTED_MISSING, value, place)

    def _index(self, value: str, place: Place) -> None:
        self.indexes.append(value)
        if TORCH_INDEX.fullmatch(value):
            self._flaw(FlawKind.TORCH_INDEX, value, place)
        elif not OWN_INDEX.fullmatch(value):
            self._flaw(FlawKind.INDEX, value, place)

    def _find_links(self, value: str, place: Place) -> None:
        self.indexes.append(value)
        folder = inside(self.root, "", value) if "://" not in value else None
        if TORCH_INDEX.fullmatch(value):
            self._flaw(FlawKind.TORCH_INDEX, value, place)
        elif folder is None or not (self.root / folder).exists():
            self._flaw(FlawKind.FIND_LINKS, value, place)


def read_lists(root: Path, encoder: str = "") -> RequirementLists:
    """The lists of a repository: `requirements.txt` at the root and beside the encoder, else what is called alike.

    Args:
        root: without links in it.
        encoder: its file relative to the root, empty if it is not known.
    """
    lists = RequirementLists(root)
    folder = PurePosixPath(encoder).parent.as_posix()
    for path in dict.fromkeys((REQUIREMENTS, *([f"{folder}/{REQUIREMENTS}"] if folder not in ("", ".") else []))):
        lists.read(path)
    if not lists.files:
        for path in (*_names(root, OTHER_NAMES, ""), *_names(root, re.compile(r".+\.txt"), "requirements/")):
            lists.read(path)
    return lists


def _names(root: Path, wanted: re.Pattern[str], folder: str) -> Iterator[str]:
    """The files of a folder that are called so, by name, those for developers left out."""
    try:
        names = sorted(islice((one.name for one in os.scandir(root / folder)), MOST_ENTRIES))
    except OSError:
        return
    yield from (folder + name for name in names if wanted.fullmatch(name) and not FOR_OTHERS.search(name))


def _mended_item(text: str) -> str:
    """A list item of YAML or Markdown as a requirement."""
    plain = text.removeprefix("- ").strip()
    return shown(plain) if text.startswith("- ") and re.fullmatch(r"[A-Za-z0-9][\w.=<>~!,\[\] -]*", plain) else ""
