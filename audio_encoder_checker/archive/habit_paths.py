"""Paths that are written out in a source, and where they lead: into the repository, or to the author's machine."""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.habit_steps import PATHS, called_name
from audio_encoder_checker.archive.layout import spelled
from audio_encoder_checker.archive.syntax import Function, defaults, dotted, top_classes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DATA = (
    "pt pth bin ckpt safetensors npy npz onnx json yaml yml pkl pickle h5 hdf5 joblib tar gz zip jit ts tflite msgpack"
)
SUFFIXES = frozenset(f".{one}" for one in f"{DATA} txt csv tsv wav flac mp3 model vocab toml cfg ini mat gin".split())
"""Of files that an encoder reads."""
PLACES = (
    r"home|Users|root|content|kaggle|workspace|scratch|gpfs\w*|lustre\w*|nfs\w*",
    r"mnt|media|data\d*|ssd\w*|hdd\w*|disk\d*",
)
"""Folders below which everyone has something else; of the second kind are keys and addresses as well."""
OPENED = re.compile(rf"(/({PLACES[0]}|{PLACES[1]})|[A-Za-z]:)[\\/]+[^\\/]")
NAMED = re.compile(rf"/({PLACES[0]})/+[^/]|/({PLACES[1]})/+[^/]+/+[^/]|[A-Za-z]:[\\/]+Users[\\/]+[^\\/]")
NO_PATH = re.compile(r"[\s\"'<>|*?{}]")
EVERYWHERE = ("/tmp/", "/dev/", "/proc/", "/sys/", "/etc/", "/usr/", "/var/")  # noqa: S108  # names to compare with
LONGEST = 300
MOST_PARTS = 20
MOST_NAMES = 5_000
SAME = ("resolve", "absolute", "expanduser", "as_posix")
"""Methods that leave a path where it leads."""


def constants(tree: ast.Module, encoder: str) -> dict[str, str]:
    """Names and attributes that are given a text once in the file, and nothing else.

    Args:
        tree: of the file.
        encoder: its class, whose constructor is called without arguments; may be empty.
    """
    values = _defaults(tree, encoder)
    bound: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name | ast.Attribute):
                    values[dotted(target)] = literal(node.value, {})
        bound.update(_bound(node))
    return {name: text for name, text in values.items() if name and text and bound[name] == 1}


def _defaults(tree: ast.Module, encoder: str) -> dict[str, str]:
    """What the parameters of the encoder's constructor are."""
    body = top_classes(tree)[encoder].body if encoder in top_classes(tree) else []
    given = next((one.args for one in body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
    if given is None:
        return {}
    return {parameter.arg: literal(value, {}) for parameter, value in defaults(given)}


def _bound(node: ast.AST) -> Iterator[str]:
    """What a node binds, without what is below it."""
    if isinstance(node, ast.Name | ast.Attribute):
        if not isinstance(node.ctx, ast.Load):
            yield dotted(node)
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, Function | ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        yield node.name or ""


def literal(node: ast.expr, texts: Mapping[str, str]) -> str:
    """A path that is written out in the source, its parts joined; empty if only a run would tell it."""
    parts: list[str] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and len(parts) < MOST_PARTS:
        parts.append(_piece(node.right, texts))
        node = node.left
    parts.append(_piece(node, texts))
    return "/".join(reversed(parts)) if all(parts) else ""


def _piece(node: ast.expr, texts: Mapping[str, str]) -> str:
    """A part of a path: a text, a name for one, or a call that leaves it as it is."""
    for _ in range(MOST_PARTS):
        if not isinstance(node, ast.Call):
            break
        name = called_name(node)
        if name in SAME and isinstance(node.func, ast.Attribute) and not node.args:
            node = node.func.value
        elif name in PATHS and len(node.args) == 1:
            node = node.args[0]
        elif name == "home":
            return "~" if dotted(node.func).endswith("Path.home") else ""
        else:
            return _joined(node, texts) if name in (*PATHS, "join") else ""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return texts.get(dotted(node), "")


def _joined(call: ast.Call, texts: Mapping[str, str]) -> str:
    """The arguments of a call that joins them, if each of them is plain."""
    if not dotted(call.func) or len(call.args) > MOST_PARTS:
        return ""  # to join by a text is something else
    parts = [_piece(one, texts) if not isinstance(one, ast.Call) else "" for one in call.args]
    return "/".join(parts) if all(parts) else ""


def has_data_suffix(text: str) -> bool:
    """Whether a text ends as the name of a file that encoders read."""
    return PurePosixPath(text).suffix.lower() in SUFFIXES


def is_elsewhere(text: str, *, opened: bool) -> bool:
    """Whether a text is a path of somebody's machine.

    Args:
        text: the path.
        opened: it is known to be opened; else it may be a key, an address or a pattern as well.
    """
    if not 2 < len(text) <= LONGEST or "://" in text:
        return False
    data = has_data_suffix(text)
    if opened:
        rooted = text.startswith("/") and not text.startswith(EVERYWHERE)
        at_home = text.startswith("~/") and not text.startswith("~/.cache/")
        return bool(OPENED.match(text)) or (data and (rooted or at_home))
    return not NO_PATH.search(text) and bool(NAMED.match(text) or (data and OPENED.match(text)))


class Files:
    """What lies in a repository; what lies in a folder is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[Path, tuple[str, ...]] = {}

    def place(self, text: str, source: str) -> Path | None:
        """The file or folder that a relative path names, from the root or, failing that, from the source's folder."""
        parts = _inside(text)
        if not parts:
            return None
        for folder in dict.fromkeys((self.root, (self.root / source).parent)):
            try:
                if folder.joinpath(*parts).exists():
                    return folder.joinpath(*parts)
            except (OSError, ValueError):  # a name that no file can have
                return None
        return None

    def other_letters(self, text: str) -> str:
        """The file that is there under a name that differs in its letters' case only; empty if there is none."""
        return "/".join(spelled(self.root, _inside(text), self._names))

    def _names(self, folder: Path) -> tuple[str, ...]:
        if folder not in self._known:
            try:
                names = [one.name for one in islice(os.scandir(folder), MOST_NAMES)] if not folder.is_symlink() else []
            except (OSError, ValueError):  # it is a file, or cannot be read
                names = []
            self._known[folder] = tuple(sorted(names))
        return self._known[folder]


def _inside(text: str) -> tuple[str, ...]:
    """The parts of a relative path that stays inside; none of any other."""
    path = PurePosixPath(text.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or "\0" in text or text.startswith("~") or len(text) > LONGEST
    return () if outside or ":" in text else path.parts
