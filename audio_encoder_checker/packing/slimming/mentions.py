"""Which files the sources and the settings of a repository name.

A file counts as named too often rather than too rarely: a text with gaps (`f"model_{n}.pt"`, `"*.pt"`) names all that
fit, and so does a suffix alone.
"""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.manifest import MANIFEST
from audio_encoder_checker.archive.syntax import parse_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from audio_encoder_checker.packing.slimming.files import Item

SETTINGS = (".json", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".conf", ".sh", ".ipynb")
INDEX = ".index.json"
"""Of shards; like a manifest it names every file and needs none."""
MOST_BYTES = 4 << 20
"""Of a file of settings that are looked through."""
GAP = re.compile(r"\{[^{}]*\}|%[-0-9.]*[sdif]|\?|\[[^]]*\]")
"""What stands for other text in templates of Python and in patterns."""
PLAIN = re.compile(r"[^\W_]{2}")
"""A pattern without two letters or digits side by side would fit everything."""
MOST_LENGTH = 300
PRETRAINED = re.compile(
    r"(pytorch_model|model|adapter_model|diffusion_pytorch_model|open_clip_pytorch_model)(-\d+-of-\d+)?"
    r"\.(bin|safetensors)"
)
"""What `from_pretrained` looks for in a folder, and no source has to name."""


class Mentions:
    """The texts of a repository.

    Args:
        items: all its files.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        texts: list[str] = []
        self._pretrained = False
        for item in items:
            if item.name.endswith(".py"):
                texts.extend(self._of_source(item.path, item.name))
            elif item.name.endswith(SETTINGS) and not item.name.endswith((INDEX, MANIFEST)):
                texts.append(read_text(item.path))
        self._texts = set(texts)
        self._all = "\n".join(self._texts)
        shorter = {GAP.sub("*", text).removeprefix("./") for text in self._texts if len(text) <= MOST_LENGTH}
        shorter |= {text.rpartition("/")[2] for text in shorter}
        self._patterns = {text for text in shorter if "*" in text and PLAIN.search(text)}

    def _of_source(self, path: Path, name: str) -> Iterator[str]:
        source = parse_source(path, name)
        if source.tree is None:
            yield read_text(path)
            return
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(one.value) if isinstance(one, ast.Constant) else "*" for one in node.values)
            elif isinstance(node, ast.Attribute) and node.attr == "from_pretrained":
                self._pretrained = True

    def spells(self, word: str) -> bool:
        """Whether a text names something as it is: a file, a folder or a key."""
        return re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", self._all) is not None

    def says(self, word: str) -> bool:
        """Whether a text is just this word."""
        return word in self._texts

    def names(self, item: Item) -> bool:
        """Whether anything may mean a file."""
        stem, dot, suffix = item.base.partition(".")
        return (
            self.spells(item.base)
            or any(text in {stem, dot + suffix} or text.endswith(f"/{stem}") for text in self._texts)
            or self.fits(item.base)
            or self.fits(item.name)
            or (self._pretrained and PRETRAINED.fullmatch(item.base) is not None)
        )

    def fits(self, name: str) -> bool:
        """Whether a text with gaps may mean a name."""
        return any(fnmatchcase(name, pattern) for pattern in self._patterns)


def read_text(path: Path) -> str:
    """The start of a text file; what is no UTF-8 is replaced."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
