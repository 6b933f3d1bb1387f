"""Calls that download a model from the Hugging Face Hub without saying which commit, and where to say it.

Only calls that are known to take `revision` are named: one keyword too many and the encoder fails.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.habit_paths import constants, literal
from audio_encoder_checker.archive.syntax import NEWLINE, dotted, full_name, imported, top_classes
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

HUB = "huggingface_hub"
FROM_PRETRAINED = "from_pretrained"
NAMES = {
    FROM_PRETRAINED: "pretrained_model_name_or_path",
    "hf_hub_download": "repo_id",
    "snapshot_download": "repo_id",
}
"""Calls that download, by the last part of their name, and the parameter that names the repository."""
TAKE_REVISION = {HUB, "transformers", "tokenizers", "diffusers", "peft", "optimum"}
"""Packages whose every `from_pretrained` takes `revision`."""
NOT_PLAIN = {"revision", "endpoint", "local_files_only"}
"""Arguments of a call that is pinned, asks another Hub, or asks none."""
KINDS = ("model", "dataset", "space")
REPOSITORY = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)
MOST_CALLS = 200
"""No honest file has more downloads."""
LONGEST = 96
"""Characters of a repository's name on the Hub."""
FORMATTED = tuple(getattr(ast, name) for name in ("JoinedStr", "TemplateStr") if hasattr(ast, name))
"""Texts with code in them, whose positions are wrong before Python 3.12."""


class Download(NamedTuple):
    """A call to pin.

    Attributes:
        call: the node.
        repository: on the Hub.
        kind: `model`, `dataset` or `space`.
    """

    call: ast.Call
    repository: str
    kind: str


class Found(NamedTuple):
    """The calls of one file that can be pinned, and those that cannot: line, repository and why."""

    downloads: list[Download]
    left: list[tuple[int, str, str]]


def find_downloads(tree: ast.Module, is_local: Callable[[str], bool]) -> Found:
    """The downloads of one file.

    Args:
        tree: of the file.
        is_local: whether a text is a path in the repository.
    """
    module = _Module(tree)
    found = Found([], [])
    for node in ast.walk(tree):
        name = module.repository(node) if isinstance(node, ast.Call) else ""
        if not isinstance(node, ast.Call) or not name or is_local(name) or len(found.downloads) == MOST_CALLS:
            continue
        given = {one.arg: one.value for one in node.keywords}
        if NOT_PLAIN & given.keys():
            continue
        kind = _kind(given.get("repo_type"))
        why = module.why_not(node) or ("" if kind else "its repo_type is no plain text")
        if why:
            found.left.append((node.lineno, name, why))
        else:
            found.downloads.append(Download(node, name, kind))
    return found


class _Module:
    """What the names of a file mean."""

    def __init__(self, tree: ast.Module) -> None:
        self.imports = imported(tree)
        self.uses_hub = any(_package(name) == HUB for name in self.imports.values())
        self.classes = top_classes(tree)
        self.texts = constants(tree, "")
        texts = (node for node in ast.walk(tree) if isinstance(node, FORMATTED))
        self.formatted = {id(node) for text in texts for node in ast.walk(text)}

    def full(self, node: ast.expr) -> str:
        """A dotted name with its first part as it was imported."""
        return full_name(node, self.imports)

    def last(self, call: ast.Call) -> str:
        """What is called, without what it belongs to."""
        return call.func.attr if isinstance(call.func, ast.Attribute) else self.full(call.func).rpartition(".")[2]

    def repository(self, call: ast.Call) -> str:
        """The repository that a downloading call names, itself or by a constant of the file, else an empty text."""
        last = self.last(call)
        if last not in NAMES:
            return ""
        first = [*call.args, *(one.value for one in call.keywords if one.arg == NAMES[last])][:1]
        text = literal(first[0], self.texts) if first else ""
        return text if len(text) <= LONGEST and REPOSITORY.fullmatch(text) else ""

    def why_not(self, call: ast.Call) -> str:
        """Why a call cannot be pinned by a keyword, or empty."""
        last = self.last(call)
        if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
            return "`*` or `**` in the call may name a revision"
        if id(call) in self.formatted:
            return "the call stands inside an f-string"
        if last != FROM_PRETRAINED:
            return "" if self._of_hub(call) else f"it is not {HUB}'s {last}"
        if len(call.args) > 1:
            return "its second argument may be a revision"
        owner = self.full(call.func).rpartition(".")[0]
        if self._takes_revision(owner):
            return ""
        return f"whether {printable(owner, limit=60) or 'that object'}.{last} takes a revision is not known"

    def _of_hub(self, call: ast.Call) -> bool:
        """Whether a function is one of the Hub's client, or a method of an object in a file that imports it."""
        if self.full(call.func).startswith(f"{HUB}."):
            return True
        imported = dotted(call.func).partition(".")[0] in self.imports
        return self.uses_hub and isinstance(call.func, ast.Attribute) and not imported

    def _takes_revision(self, owner: str) -> bool:
        """Whether a class is one of a known package, or inherits `from_pretrained` from one."""
        waiting = [owner]
        for name in waiting:
            found = self.classes.get(name)
            if found is None and _package(name) in TAKE_REVISION:
                return True
            if found and any(isinstance(one, ast.FunctionDef) and one.name == FROM_PRETRAINED for one in found.body):
                return False
            bases = [self.full(base) for base in found.bases] if found else []
            waiting += [base for base in bases if base not in waiting]
        return False


def _package(name: str) -> str:
    return name.partition(".")[0]


def _kind(given: ast.expr | None) -> str:
    """Of the repository; empty if only a run would tell."""
    if given is None:
        return KINDS[0]
    value = given.value if isinstance(given, ast.Constant) else ""
    return KINDS[0] if value is None else value if isinstance(value, str) and value in KINDS else ""


def pinned(text: str, tree: ast.Module, pins: list[tuple[Download, str]]) -> str:
    """A source whose calls name a commit; nothing but these keywords is added.

    Args:
        text: the source.
        tree: of that text.
        pins: calls of the tree, and the commit for each.

    Raises:
        ValueError: the result would mean something else.
    """
    starts = [0, *(end.end() for end in NEWLINE.finditer(text))]
    places = sorted((*_place(text, starts, one.call), commit) for one, commit in pins)
    result, before = "", 0
    for at, comma, commit in places:
        result += text[before:at] + (f' revision="{commit}",' if comma else f', revision="{commit}"')
        before = at
    result += text[before:]
    _refuse_other_meaning(tree, result, pins)
    return result


def _place(text: str, starts: list[int], call: ast.Call) -> tuple[int, bool]:
    """Where the keyword goes: behind the last argument, and behind the comma if there is one."""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    last = max(arguments, key=lambda one: (one.end_lineno or 0, one.end_col_offset or 0))
    at = _end(text, starts, last)
    end = _end(text, starts, call) - 1
    place, comma = at, False
    while at < end:
        if text[at] == "#":
            at = starts[bisect_right(starts, at)]
            continue
        if text[at] in "),":
            place, comma = at + 1, text[at] == ","
        at += 1
    return place, comma


def _end(text: str, starts: list[int], node: ast.expr) -> int:
    """Where a node ends in the text; the syntax tree counts bytes of UTF-8 from the start of a line."""
    line, column = (node.end_lineno or 1) - 1, node.end_col_offset or 0
    start = starts[line]
    until = starts[line + 1] if line + 1 < len(starts) else len(text)
    return start + len(text[start:until].encode("utf-8")[:column].decode("utf-8"))


def _refuse_other_meaning(tree: ast.Module, result: str, pins: list[tuple[Download, str]]) -> None:
    """Take the keywords away from the new tree: the old one has to be left."""
    wanted = {id(one.call): commit for one, commit in pins}
    old = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    try:
        changed = ast.parse(result)
        new = [node for node in ast.walk(changed) if isinstance(node, ast.Call)]
        for before, after in zip(old, new, strict=True):
            if id(before) in wanted:
                last = after.keywords.pop()
                commit = last.value.value if isinstance(last.value, ast.Constant) else None
                if last.arg != "revision" or commit != wanted[id(before)]:
                    raise ValueError("the revision went somewhere else")
        if ast.dump(tree) != ast.dump(changed):
            raise ValueError("the source would mean something else")
    except (SyntaxError, IndexError, RecursionError, MemoryError) as error:
        raise ValueError(str(error)) from None
